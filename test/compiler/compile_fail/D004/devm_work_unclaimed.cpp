// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] devm_work, devm_timer: the ownership table does not say deferred_work = managed
#include "driver.hpp"

struct device_state {
    void run() noexcept {}
};

struct driver {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(driver_data = managed);
#else
    static constexpr auto ownership = own(driver_data = managed, deferred_work = managed);
#endif
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<device_state>(dev));
        DEVRES_TRY(devm_work<&device_state::run>(dev, data));
        return {};
    }
};

result<binding<driver, complete_archetype>> bound(complete_archetype& platform, function_type& function) {
    return bind<driver>(platform, function);
}
