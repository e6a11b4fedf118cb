// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D005] a managed mapping needs a device enabled with pcim_enable_device
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<queue>(dev));
#ifdef EXPECT_FAIL
        DEVRES_TRY(const auto enabled, pci_enable_device(dev));
#else
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
#endif
        DEVRES_TRY(dmam_map_single(enabled, data));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
