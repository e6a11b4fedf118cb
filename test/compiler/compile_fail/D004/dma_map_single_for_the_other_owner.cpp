// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] dma_map_single: the ownership table does not say dma_streaming = unmanaged
#include "driver.hpp"

struct driver {
    static constexpr auto ownership = own(driver_data = managed, enable = managed, dma_streaming = managed);

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
#ifdef EXPECT_FAIL
        DEVRES_TRY(const auto mapped, dma_map_single(enabled, &data.get(), sizeof(queue)));
#else
        DEVRES_TRY(dmam_map_single(enabled, data));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
