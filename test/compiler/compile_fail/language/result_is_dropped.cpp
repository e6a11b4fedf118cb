// SPDX-License-Identifier: BSL-1.0
// A warning, from both compilers; the rest of such functions in test/compiler/consumed.
// EXPECT-GNU: error: ignoring return value of
// EXPECT-Clang: error: ignoring return value of
#include <devres/devres.hpp>

#include "driver.hpp"

#pragma GCC diagnostic error "-Wunused-result"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
#if EXPECT_FAIL == 1
        pci_set_master(enabled);
#elif EXPECT_FAIL == 2
        devm_add_action_or_reset(dev, [](void*) {}, nullptr);
#elif EXPECT_FAIL == 3
        pcim_iomap_region<0>(enabled, "registers");
#else
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(devm_add_action_or_reset(dev, [](void*) {}, nullptr));
        DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
