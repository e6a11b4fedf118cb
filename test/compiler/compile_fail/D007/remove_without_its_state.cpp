// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: its remove, suspend and resume take the state that probe makes
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static result<managed_ref<queue>> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }
    static void remove() noexcept {}
#else
    static result<managed_ref<queue>> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }
    static void remove(queue&) noexcept {}
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
