// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: it has a name that looks like a slip for remove, suspend, resume, ids or
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
    static probed<queue> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }
#if EXPECT_FAIL == 1
    static result<> supend(queue&) { return {}; }
#elif EXPECT_FAIL == 2
    static void on_remove(auto&) noexcept {}
#elif EXPECT_FAIL == 3
    static constexpr device_id id_table[] = {{.vendor = 1}};
#elif EXPECT_FAIL == 4
    static constexpr auto ownership_table = own(driver_data = managed);
#else
    static constexpr device_id ids[] = {{.vendor = 1}};
    static constexpr auto ownership = own(driver_data = managed);
    static result<> suspend(queue&) { return {}; }
    static void remove(auto&) noexcept {}
#endif
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
