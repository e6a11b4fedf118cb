// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] managed IRQ vectors are freed by devres at unbind: remove this call
#include "driver.hpp"

struct driver {
    static constexpr auto ownership = own(driver_data = managed, enable = managed, irq_vectors = managed,
        irq_handler = managed);

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#ifdef EXPECT_FAIL
        DEVRES_TRY(pci_free_irq_vectors(std::move(vectors)));
#else
        (void)vectors;
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
