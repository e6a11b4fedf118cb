// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D012] devm_emplace: init() of the object is no `result<> init() noexcept`
#include "driver.hpp"

struct engine {
#if EXPECT_FAIL == 1
    int init() noexcept { return 0; }
#elif EXPECT_FAIL == 2
    result<> init() { return {}; }
#elif EXPECT_FAIL == 3
    void init() noexcept {}
#else
    result<> init() noexcept { return {}; }
#endif
};

struct driver {
    static probed<engine> probe(auto& dev, const device_id&) { return devm_emplace<engine>(dev); }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
