// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: its remove, suspend or resume takes a copy of the state: take State&
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
    static probed<queue> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }

#if EXPECT_FAIL == 1
    static void remove(queue) noexcept {}
#elif EXPECT_FAIL == 2
    static void remove(auto) noexcept {}
#elif EXPECT_FAIL == 3
    static result<> suspend(queue) { return {}; }
#elif EXPECT_FAIL == 4
    static result<> resume(const queue) noexcept { return {}; }
#else
    static void remove(queue&) noexcept {}
    static result<> suspend(managed_ref<queue>) { return {}; }
    static void resume(const queue&) noexcept {}
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
