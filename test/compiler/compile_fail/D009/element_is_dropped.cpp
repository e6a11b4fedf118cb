// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D009] a guard is dropped at once
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto pool, dmam_pool_create(enabled, "descriptors", 64));
#ifdef EXPECT_FAIL
        DEVRES_TRY(dma_pool_alloc(pool));
#else
        DEVRES_TRY(const auto element, dma_pool_alloc(pool));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
