// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] pcim_iomap_region: the ownership table does not say bar<N> = managed
#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(enable = managed, bar<0> = managed);
#else
    static constexpr auto ownership = own(enable = managed, bar<0> = managed, bar<2> = managed);
#endif

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(pcim_iomap_region<2>(enabled, "registers"));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
