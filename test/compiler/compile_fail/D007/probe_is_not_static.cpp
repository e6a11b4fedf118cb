// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: it has no `static result<...> probe(auto& dev, const device_id& id)`
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    result<> probe(auto&, const device_id&) { return {}; }
#else
    static result<> probe(auto&, const device_id&) { return {}; }
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
