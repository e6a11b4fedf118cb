// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D009] the first argument is no vector: take one of the allocation, vectors[0], and
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#if EXPECT_FAIL == 1
        DEVRES_TRY(devm_request_irq(vectors.at(0), "queue", data));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(auto handler, request_irq(vectors.at(0), "queue", data));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(devm_request_irq(vectors, "queue", data));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(devm_request_irq<&queue::on_irq>(vectors[0].number(), "queue", data));
#else
        DEVRES_TRY(auto vector, vectors.at(0));
        DEVRES_TRY(devm_request_irq(vector, "queue", data));
        DEVRES_TRY(auto handler, request_irq(vectors[0], "queue", data));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
