// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D003] on this platform, vectors of a managed device are managed: call pcim_alloc_irq_vectors
#include "driver.hpp"

struct hybrid_platform : platform_type {
    static constexpr bool hybrid_irq_vectors = true;
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
#ifdef EXPECT_FAIL
        DEVRES_TRY(const auto vectors, pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#else
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#endif
        (void)vectors.size();
        return {};
    }
};

result<binding<driver, hybrid_platform>> bound(hybrid_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
