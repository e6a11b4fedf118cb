// SPDX-License-Identifier: BSL-1.0
// No constraint sees what is not a constant, so this has no code.
// EXPECT-GNU: is not usable in a constant expression
// EXPECT-Clang: candidate template ignored: invalid explicitly-specified argument for template parameter 'Number'
#include <devres/devres.hpp>

#include "driver.hpp"

struct driver {
    static constexpr device_id ids[] = {{.vendor = 1, .driver_data = 2}};

    static result<> probe(auto& dev, const device_id& id) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        const auto number = static_cast<unsigned>(id.driver_data);
#ifdef EXPECT_FAIL
        DEVRES_TRY(pcim_iomap_region<number>(enabled, "registers"));
#else
        switch (number) {
        case 0: {
            DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
            break;
        }
        default: {
            DEVRES_TRY(pcim_iomap_region<2>(enabled, "registers"));
        }
        }
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
