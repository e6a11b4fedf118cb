// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] this platform does not say which CPUs a vector interrupts: vector_affinity, hint_affinity
#include "driver.hpp"

#ifdef EXPECT_FAIL
using some_platform = platform_type;
#else
using some_platform = complete_archetype;
#endif

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix));
        DEVRES_TRY(auto hint, irq_set_affinity_hint(vectors[0], 1));
        return {};
    }
};

result<binding<driver, some_platform>> bound(some_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
