// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] deferred work needs a managed object (devm_emplace)
#include "driver.hpp"

struct device_state {
    void run() noexcept {}
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<device_state>(dev));
#if EXPECT_FAIL == 1
        DEVRES_TRY(auto work, devm_work<&device_state::run>(dev, *data));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(auto work, devm_delayed_work<&device_state::run>(dev, *data));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(auto work, devm_timer<&device_state::run>(dev, *data));
#else
        DEVRES_TRY(auto work, devm_work<&device_state::run>(dev, data));
#endif
        return work ? result<>() : result<>(std::unexpected(errc::eio));
    }
};

result<binding<driver, complete_archetype>> bound(complete_archetype& platform, function_type& function) {
    return bind<driver>(platform, function);
}
