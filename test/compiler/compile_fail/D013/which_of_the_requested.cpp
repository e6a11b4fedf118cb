// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D013] of BARs that were requested together it says which, pci_iomap<0>(regions) or with a bar_number; of one it does not
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto region, pcim_request_region<5>(enabled, "doorbells"));
#if EXPECT_FAIL == 1
        DEVRES_TRY(pci_iomap<5>(region));
#endif
        DEVRES_TRY(const auto regions, pcim_request_all_regions(enabled, "registers"));
#if EXPECT_FAIL == 2
        DEVRES_TRY(pci_iomap(regions));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(pci_iomap_range(regions, 0, 16));
#else
        DEVRES_TRY(pci_iomap<0>(regions));
        DEVRES_TRY(pci_iomap(regions, bar_number(1)));
        DEVRES_TRY(pci_iomap_range<0>(regions, 0, 16));
        DEVRES_TRY(pci_iomap(region));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
