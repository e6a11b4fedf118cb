// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] pcim_request_all_regions: the ownership table does not say any_bar = managed
#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(enable = managed, any_bar = unmanaged);
#else
    static constexpr auto ownership = own(enable = managed, any_bar = managed);
#endif

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(pcim_request_all_regions(enabled, "registers"));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
