// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] dmam_map_sg maps managed objects (devm_emplace), or parts of them
#include "driver.hpp"

struct packet {
    char header[16];
    char body[64];
};
struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto data, devm_emplace<packet>(dev));
#ifdef EXPECT_FAIL
        char body[64];
        DEVRES_TRY(dmam_map_sg(enabled, dma_direction::to_device, data.part(data->header), body));
#else
        DEVRES_TRY(dmam_map_sg(enabled, dma_direction::to_device, data.part(data->header), data.part(data->body)));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
