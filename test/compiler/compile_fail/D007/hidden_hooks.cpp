// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: its remove, suspend and resume take the state that probe makes
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
    static probed<queue> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }

#if EXPECT_FAIL == 1
private:
    static void remove(queue&) noexcept {}
#elif EXPECT_FAIL == 2
private:
    static result<> suspend(queue&) { return {}; }
#elif EXPECT_FAIL == 3
protected:
    static void resume(queue&) noexcept {}
#elif EXPECT_FAIL == 4
    void remove(queue&) noexcept {}
#else
    static void remove(queue&) noexcept {}
    static result<> suspend(queue&) { return {}; }
    static void resume(queue&) noexcept {}
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
