// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: its ids are private, and would go unread
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static result<> probe(auto&, const device_id&) { return {}; }

private:
    static constexpr device_id ids[] = {{.vendor = 1}};
#else
    static result<> probe(auto&, const device_id&) { return {}; }

    static constexpr device_id ids[] = {{.vendor = 1}};
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
