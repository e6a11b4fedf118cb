// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a platform: has_handlers asks for register_handler, unregister_handler, handler_registered, in_handler, synchronize_handler, disable_handler, enable_handler
#include <devres/devres.hpp>

#include "driver.hpp"

struct lesser_platform : platform_type {
#ifdef EXPECT_FAIL
    void in_handler() noexcept;
#endif
};

struct driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

result<binding<driver, lesser_platform>> bound(lesser_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
