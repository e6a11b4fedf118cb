// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: it has a hook of Linux's that is not supported, and would not be called
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
    static probed<queue> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }
#if EXPECT_FAIL == 1
    static void shutdown(queue&) {}
    static void error_detected(queue&) {}
#elif EXPECT_FAIL == 2
    static result<> sriov_configure(auto&, int) { return {}; }
#elif EXPECT_FAIL == 3
private:
    static void runtime_suspend(queue&) noexcept {}
#else
    static void remove(queue&) noexcept {}
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
