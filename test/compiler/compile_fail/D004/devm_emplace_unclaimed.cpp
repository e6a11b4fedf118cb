// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] devm_emplace: the ownership table does not say driver_data = managed, or the
#include "driver.hpp"

inline constexpr resource<struct zone_tag> zone;
inline constexpr resource<struct clock_tag> clock;

struct driver {
    static constexpr auto ownership = own(zone = managed, clock = unmanaged);

    static result<> probe(auto& dev, const device_id&) {
#if EXPECT_FAIL == 1
        DEVRES_TRY(devm_emplace<queue>(dev));
#elif EXPECT_FAIL == 2
        DEVRES_TRY((devm_emplace<queue, clock>(dev)));
#else
        DEVRES_TRY((devm_emplace<queue, zone>(dev)));
        DEVRES_TRY([[maybe_unused]] auto kept, devm_emplace<queue, zone>(dev));  // commas as they come
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
