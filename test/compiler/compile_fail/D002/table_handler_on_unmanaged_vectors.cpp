// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] a managed resource is built on one that the table does not make managed
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(driver_data = managed, irq_vectors = unmanaged, irq_handler = managed);
#else
    static constexpr auto ownership = own(driver_data = managed, irq_vectors = managed, irq_handler = managed);
#endif

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
