// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D003] on this platform, vectors of a managed device are managed: call pcim_alloc_irq_vectors
#include <devres/devres.hpp>
#include <devres/linux_model.hpp>

#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
#ifdef EXPECT_FAIL
        DEVRES_TRY(auto vectors, pci_alloc_irq_vectors(enabled, 1, 1, irq_type::all));
#else
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::all));
#endif
        (void)vectors.size();
        return {};
    }
};

using kernel = linux_model::kernel;

result<binding<driver, kernel>> bound(kernel& platform, kernel::function_type& function) {
    return bind<driver>(platform, function);
}
