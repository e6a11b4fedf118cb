// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] this platform defers no work: add_work, schedule_work, cancel_work, flush_work, remove_work
#include "driver.hpp"

#ifdef EXPECT_FAIL
using some_platform = platform_type;
#else
using some_platform = complete_archetype;
#endif

struct device_state {
    void run() noexcept {}
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<device_state>(dev));
        DEVRES_TRY(auto work, devm_work<&device_state::run>(dev, data));
        schedule_work(work);
        return {};
    }
};

result<binding<driver, some_platform>> bound(some_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
