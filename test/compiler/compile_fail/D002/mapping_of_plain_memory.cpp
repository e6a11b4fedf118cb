// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] a managed mapping needs a managed object (devm_emplace)
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        static char ring[64];
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
#ifdef EXPECT_FAIL
        DEVRES_TRY(dmam_map_single(enabled, &ring, sizeof(ring)));
#else
        DEVRES_TRY(const auto kept, dma_map_single(enabled, &ring, sizeof(ring)));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
