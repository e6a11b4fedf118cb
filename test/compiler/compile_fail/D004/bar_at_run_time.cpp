// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] a BAR that is known at run time: the ownership table does not say any_bar = managed
#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(enable = managed, bar<0> = managed);
#else
    static constexpr auto ownership = own(enable = managed, any_bar = managed);
#endif

    static result<> probe(auto& dev, const device_id& id) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(pcim_iomap_region(enabled, bar_number(static_cast<unsigned>(id.driver_data)), "registers"));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
