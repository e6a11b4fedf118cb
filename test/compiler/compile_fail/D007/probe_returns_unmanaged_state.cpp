// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: its probe returns neither result<> nor result<managed_ref<State>>
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static result<queue> probe(auto&, const device_id&) { return {}; }
#else
    static result<managed_ref<queue>> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
