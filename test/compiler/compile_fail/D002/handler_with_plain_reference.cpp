// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] a managed handler needs a managed object (devm_emplace)
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        static queue data;
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#ifdef EXPECT_FAIL
        DEVRES_TRY(devm_request_irq<&queue::on_irq>(vectors[0], "queue", data));
#else
        DEVRES_TRY(const auto kept, request_irq<&queue::on_irq>(vectors[0], "queue", data));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
