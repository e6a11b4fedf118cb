// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D013] the arguments are (vector, name, object): there are no flags but no_autoen, the name is a const char*
#include "driver.hpp"

[[maybe_unused]] constexpr unsigned long IRQF_SHARED = 0x80;  // NOLINT: Linux's name

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::all));
#if EXPECT_FAIL == 1
        DEVRES_TRY(devm_request_irq<&queue::on_irq>(vectors[0], IRQF_SHARED, "queue", data));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(devm_request_irq(vectors[0], "queue", data, IRQF_SHARED));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(auto handler, request_irq<&queue::on_irq>(vectors[0], IRQF_SHARED, "queue", data));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(devm_request_irq(vectors[0], &queue::on_irq, 0, "queue", data));
#else
        DEVRES_TRY(devm_request_irq<&queue::on_irq>(vectors[0], "queue", data));
        DEVRES_TRY(auto handler, request_irq<&queue::on_irq>(vectors[0], "queue", data));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
