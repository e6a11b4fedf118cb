// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D009] a guard is dropped at once: keep it with DEVRES_TRY(auto guard, ...)
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix));
#if EXPECT_FAIL == 1
        DEVRES_TRY(irq_set_affinity_hint(vectors[0], 1));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(auto handler, devm_request_irq(vectors[0], "queue", data));
        DEVRES_TRY(disable_irq_guard(handler));
#else
        DEVRES_TRY(auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(auto handler, devm_request_irq(vectors[0], "queue", data));
        DEVRES_TRY(auto hint, irq_set_affinity_hint(vectors[0], 1));
        DEVRES_TRY(auto quiet, disable_irq_guard(handler));
#endif
        return {};
    }
};

result<binding<driver, complete_archetype>> bound(complete_archetype& platform, function_type& function) {
    return bind<driver>(platform, function);
}
