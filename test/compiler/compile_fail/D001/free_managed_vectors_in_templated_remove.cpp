// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] managed IRQ vectors are freed by devres at unbind: remove this call
#include "driver.hpp"

struct driver {
    static constexpr auto ownership = own(driver_data = managed, enable = managed, irq_vectors = managed,
        irq_handler = managed);

    template <class Device>
    struct state {
        vectors_of<Device> vectors;
        irq_return on_irq() noexcept { return irq_return::handled; }
    };

    template <class Device>
    static probed<state<Device>> probe(Device& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, vectors));
        DEVRES_TRY(devm_request_irq(vectors[0], "queue", data));
        return data;
    }

#if EXPECT_FAIL == 1
    static void remove(auto& data) noexcept { (void)pci_free_irq_vectors(std::move(data.vectors)); }
#elif EXPECT_FAIL == 2
    template <class Device>
    static void remove(state<Device>& data) noexcept {
        (void)pci_free_irq_vectors(std::move(data.vectors));
    }
#elif EXPECT_FAIL == 3
    template <class Device>
    static void remove(managed_ref<state<Device>> data) noexcept {
        (void)pci_free_irq_vectors(std::move(data->vectors));
    }
#elif EXPECT_FAIL == 4
    static result<> suspend(auto& data) { return pci_free_irq_vectors(std::move(data.vectors)); }
#elif EXPECT_FAIL == 5
    static result<> resume(auto& data) noexcept { return pci_free_irq_vectors(std::move(data.vectors)); }
#else
    static void remove(auto&) noexcept {}
    template <class Device>
    static result<> suspend(state<Device>&) {
        return {};
    }
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
