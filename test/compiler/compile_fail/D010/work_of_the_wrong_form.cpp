// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D010] not work: a function of the object, or one that takes it, that returns nothing
#include "driver.hpp"

struct device_state {
    irq_return on_irq() noexcept { return irq_return::handled; }
    int count() noexcept { return 1; }
    void two(unsigned) noexcept {}
    void run() noexcept {}
};
struct other_state {
    void run() noexcept {}
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<device_state>(dev));
#if EXPECT_FAIL == 1
        DEVRES_TRY(devm_work<&device_state::on_irq>(dev, data));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(devm_delayed_work<&device_state::count>(dev, data));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(devm_timer<&device_state::two>(dev, data));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(devm_work<&other_state::run>(dev, data));
#elif EXPECT_FAIL == 5
        DEVRES_TRY(devm_work<[](auto& state) { return state.count(); }>(dev, data));
#else
        DEVRES_TRY(devm_work<&device_state::run>(dev, data));
        DEVRES_TRY(devm_timer<[](auto& state) { state.run(); }>(dev, data));
#endif
        return {};
    }
};

result<binding<driver, complete_archetype>> bound(complete_archetype& platform, function_type& function) {
    return bind<driver>(platform, function);
}
