// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D003] on this platform, vectors of a managed device are managed: call pcim_alloc_irq_vectors
// MAX-LINES: 31, because g++ goes on with what DEVRES_TRY declares where the probe is no template
#include "driver.hpp"

#include <devres/any_platform.hpp>

struct driver {
    static result<> probe(device<any_platform, driver>& dev, const device_id&) {
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

extern const driver_entry<> entry;
constinit const driver_entry<> entry = compiled<driver>("driver");
