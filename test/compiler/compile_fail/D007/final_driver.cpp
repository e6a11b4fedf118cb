// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: it is final, so that bind cannot look for hidden tables
#include <devres/devres.hpp>

#include "driver.hpp"

#ifdef EXPECT_FAIL
struct driver final {
#else
struct driver {
#endif
    static result<> probe(auto&, const device_id&) { return {}; }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
