// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D008] a resource is claimed twice: keep one of the lines
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(enable = managed, irq_vectors = managed, irq_vectors = managed);
#else
    static constexpr auto ownership = own(enable = managed, irq_vectors = managed);
#endif

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
