// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a platform: has_memory asks for allocate, deallocate, relax
#include <devres/devres.hpp>

#include "driver.hpp"

struct lesser_platform {};

struct driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

#ifdef EXPECT_FAIL
using candidate = lesser_platform;
#else
using candidate = platform_type;
#endif

result<binding<driver, candidate>> bound(candidate& platform, function_type& function) {
    return bind<driver>(platform, function);
}
