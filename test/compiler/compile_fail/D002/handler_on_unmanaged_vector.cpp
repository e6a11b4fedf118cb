// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] a managed handler needs managed vectors: unmanaged ones are freed before it
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
#ifdef EXPECT_FAIL
        DEVRES_TRY(const auto vectors, pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#else
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#endif
        DEVRES_TRY(devm_request_irq<&queue::on_irq>(vectors[0], "queue", data));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
