// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D008] a resource is claimed twice: keep one of the lines
// MAX-LINES: 27, because a table of two lines is shown with both
#include <devres/devres.hpp>

#include "driver.hpp"

inline constexpr resource<struct minor_number_tag> minor_number;

struct driver {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(irq_handler = managed, irq_handler.without(minor_number) = managed,
        minor_number = unmanaged);
#else
    static constexpr auto ownership = own(irq_handler.without(minor_number) = managed, minor_number = unmanaged);
#endif

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
