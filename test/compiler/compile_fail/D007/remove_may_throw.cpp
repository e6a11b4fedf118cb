// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: its remove and resume must be noexcept, because an unbind cannot fail
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
    static probed<queue> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }

#if EXPECT_FAIL == 1
    static void remove(queue&) {}
#elif EXPECT_FAIL == 2
    static void remove(auto&) {}
#elif EXPECT_FAIL == 3
    static result<> resume(queue&) { return {}; }
#elif EXPECT_FAIL == 4
    static void remove(managed_ref<queue>) {}
#else
    static void remove(queue&) noexcept {}
    static result<> resume(auto&) noexcept { return {}; }
    static result<> suspend(queue&) { return {}; }
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
