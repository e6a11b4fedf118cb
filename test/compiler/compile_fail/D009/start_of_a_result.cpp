// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D009] a result is used where its value is meant
#include "driver.hpp"

struct engine {
    void start() noexcept {}
    void stop() noexcept {}
};

struct driver {
    static probed<engine> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<engine>(dev));
#ifdef EXPECT_FAIL
        DEVRES_TRY(devm_start(dev, devm_emplace<engine>(dev)));
#else
        DEVRES_TRY(devm_start(dev, data));
#endif
        return data;
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
