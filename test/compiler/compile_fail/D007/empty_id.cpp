// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: an entry of its ids is empty and means every function
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static constexpr device_id ids[] = {{.vendor = 0x1234, .device = 1}, {}};
#else
    static constexpr device_id ids[] = {{.vendor = 0x1234, .device = 1},
                                        {.class_code = 0x020000, .class_mask = 0xff0000}};
#endif
    static result<> probe(auto&, const device_id&) { return {}; }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
