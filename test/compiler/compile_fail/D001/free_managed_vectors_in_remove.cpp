// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] managed IRQ vectors are freed by devres at unbind: remove this call
#include "driver.hpp"

struct driver {
    struct state {
        irq_allocation<managed_t, platform_type, driver> vectors;
    };

    static result<managed_ref<state>> probe(device<platform_type, driver>& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
        return devm_emplace<state>(dev, vectors);
    }

    static void remove([[maybe_unused]] state& data) noexcept {
#ifdef EXPECT_FAIL
        (void)pci_free_irq_vectors(std::move(data.vectors));
#endif
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
