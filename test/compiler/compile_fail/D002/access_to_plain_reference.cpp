// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] devm_revocable needs a managed object (devm_emplace)
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<queue>(dev));
#ifdef EXPECT_FAIL
        DEVRES_TRY(devm_revocable(dev, data.get()));
#else
        DEVRES_TRY(devm_revocable(dev, data));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
