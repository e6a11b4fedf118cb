// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] this platform does not sync memory: map_dma and unmap_dma with a dma_direction
#include "driver.hpp"

#ifdef EXPECT_FAIL
using more_platform = platform_type;
#else
using more_platform = complete_archetype;
#endif

struct buffer {
    char bytes[64];
};
struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto bytes, devm_emplace<buffer>(dev));
        DEVRES_TRY(const auto mapping, dmam_map_single(enabled, bytes));
        dma_sync_single_for_cpu(mapping);
        return {};
    }
};

result<binding<driver, more_platform>> bound(more_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
