// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D003] on this platform, vectors of a managed device are managed: call pcim_alloc_irq_vectors
#include "driver.hpp"

#include <devres/any_platform.hpp>

// The archetype's own vectors do not turn managed, but the driver that is compiled once may meet a platform whose do.
static_assert(!platform_type::hybrid_irq_vectors);

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto vectors, pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
        (void)vectors.size();
        return {};
    }
};

#ifdef EXPECT_FAIL
extern const driver_entry<> entry;
constinit const driver_entry<> entry = compiled<driver>("driver");
#else
result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
#endif
