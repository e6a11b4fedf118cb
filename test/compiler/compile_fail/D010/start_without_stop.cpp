// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D010] devm_start: the object needs `void start()` or `result<> start()`, and `void stop() noexcept`
#include "driver.hpp"

#if EXPECT_FAIL == 1
struct engine {
    void start() noexcept {}
};
#elif EXPECT_FAIL == 2
struct engine {
    result<> start() { return {}; }
    void stop() {}
};
#elif EXPECT_FAIL == 3
struct engine {
    int start() noexcept { return 0; }
    void stop() noexcept {}
};
#elif EXPECT_FAIL == 4
struct engine {
    void start() noexcept {}
    result<> stop() noexcept { return {}; }
};
#else
struct engine {
    result<> start() { return {}; }
    void stop() noexcept {}
};
#endif

struct driver {
    static probed<engine> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<engine>(dev));
        DEVRES_TRY(devm_start(dev, data));
        return data;
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
