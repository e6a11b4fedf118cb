// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] pci_alloc_irq_vectors: the ownership table does not say irq_vectors = unmanaged
#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(enable = managed, irq_vectors = managed);
#else
    static constexpr auto ownership = own(enable = managed, irq_vectors = unmanaged);
#endif

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto vectors, pci_alloc_irq_vectors_affinity(enabled, 1, 8, irq_type::msix, irq_affinity{}));
        (void)vectors.size();
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
