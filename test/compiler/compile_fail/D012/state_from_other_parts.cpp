// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D012] devm_emplace: the object cannot be made from these parts; a managed view has no empty
#include "driver.hpp"

struct driver {
    template <class Device>
    struct state {
        bar_of<Device> registers;
        vectors_of<Device> vectors;
    };

    template <class Device>
    static probed<state<Device>> probe(Device& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        auto mapped = pcim_iomap_region<0>(enabled, "registers");
        DEVRES_TRY([[maybe_unused]] auto registers, mapped);
        DEVRES_TRY([[maybe_unused]] auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#if EXPECT_FAIL == 1
        return devm_emplace<state<Device>>(dev);
#elif EXPECT_FAIL == 2
        return devm_emplace<state<Device>>(dev, registers);
#elif EXPECT_FAIL == 3
        return devm_emplace<state<Device>>(dev, vectors, registers);
#elif EXPECT_FAIL == 4
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, mapped, vectors));
        return data;
#else
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, registers, vectors));
        return data;
#endif
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
