// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D005] a managed pool needs a device enabled with pcim_enable_device
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
#ifdef EXPECT_FAIL
        DEVRES_TRY(const auto enabled, pci_enable_device(dev));
#else
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
#endif
        DEVRES_TRY(const auto pool, dmam_pool_create(enabled, "descriptors", 64));
        DEVRES_TRY(const auto element, dma_pool_alloc(pool));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
