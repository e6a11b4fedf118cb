// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: its remove, suspend or resume returns neither nothing nor result<>
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
    static probed<queue> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }

#if EXPECT_FAIL == 1
    static int suspend(queue&) { return -16; }
#elif EXPECT_FAIL == 2
    static int remove(auto&) noexcept { return 0; }
#elif EXPECT_FAIL == 3
    static int resume(managed_ref<queue>) noexcept { return 0; }
#elif EXPECT_FAIL == 4
    static errc suspend(auto&) { return errc::ebusy; }
#else
    static void remove(queue&) noexcept {}
    static result<> suspend(queue&) { return fail(errc::ebusy); }
    static void resume(managed_ref<queue>) noexcept {}
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
