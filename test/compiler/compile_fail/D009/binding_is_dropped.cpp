// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D009] a guard is dropped at once: keep it with DEVRES_TRY(auto guard, ...)
#include "driver.hpp"

struct driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

result<> run(platform_type& platform, function_type& function) {
#ifdef EXPECT_FAIL
    DEVRES_TRY(bind<driver>(platform, function));
#else
    DEVRES_TRY(auto bound, bind<driver>(platform, function));
    DEVRES_TRY(bound.unbind());
#endif
    return {};
}
