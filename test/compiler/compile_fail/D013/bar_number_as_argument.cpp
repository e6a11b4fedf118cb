// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D013] which BAR is a template argument, 0 to 5, or a bar_number: pcim_iomap_region<0>(device, name)
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
#if EXPECT_FAIL == 1
        DEVRES_TRY(pcim_iomap_region(enabled, 0, "registers"));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(pcim_iomap_region(enabled, 2, "registers"));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(pcim_iomap_region(enabled, "registers"));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(pcim_iomap_region<6>(enabled, "registers"));
#elif EXPECT_FAIL == 5
        DEVRES_TRY(auto registers, pci_iomap_region(enabled, 2, 4096));
#elif EXPECT_FAIL == 6
        DEVRES_TRY(pcim_iomap_region<0>(enabled, 0, "registers"));
#elif EXPECT_FAIL == 7
        DEVRES_TRY(pcim_iomap_region<0>(enabled, bar_number(0), "registers"));
#elif EXPECT_FAIL == 8
        DEVRES_TRY(pcim_request_region(enabled, 0, "registers"));
#else
        DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
        DEVRES_TRY(auto registers, pci_iomap_region<2>(enabled, "registers"));
        DEVRES_TRY(pcim_iomap_region(enabled, bar_number(3), "registers"));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
