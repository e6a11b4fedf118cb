// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] devm_add_action: the ownership table has managed resources of the driver: say which
#include "driver.hpp"

inline constexpr resource<struct regulator_tag> regulator;
inline constexpr resource<struct clock_tag> clock;

struct driver {
    static constexpr auto ownership = own(regulator = managed, clock = unmanaged);

    static result<> probe(auto& dev, const device_id&) {
#if EXPECT_FAIL == 1
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(devm_add_action_or_reset(dev, [](void*) {}, nullptr));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(devm_add_action<clock>(dev, [](void*) {}, nullptr));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(devm_add_action_or_reset<irq_vectors>(dev, [](void*) {}, nullptr));
#else
        DEVRES_TRY(devm_add_action<regulator>(dev, [](void*) {}, nullptr));
        DEVRES_TRY(devm_add_action_or_reset<regulator>(dev, [](void*) {}, nullptr));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
