// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a platform: has_power asks for enable, disable, set_master, suspend, resume
#include <devres/devres.hpp>

#include "driver.hpp"

struct lesser_platform : platform_type {
#ifdef EXPECT_FAIL
    void disable(function_type&);
#endif
};

struct driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

result<binding<driver, lesser_platform>> bound(lesser_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
