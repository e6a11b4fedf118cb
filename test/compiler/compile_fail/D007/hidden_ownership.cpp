// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: its ownership table is private, or in error, and would go unchecked
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static result<> probe(auto&, const device_id&) { return {}; }

private:
    static constexpr auto ownership = own(enable = managed);
#else
    static result<> probe(auto&, const device_id&) { return {}; }

    static constexpr auto ownership = own(enable = managed);
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
