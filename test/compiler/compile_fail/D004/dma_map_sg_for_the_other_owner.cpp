// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] dma_map_sg: the ownership table does not say dma_streaming = unmanaged
#include "driver.hpp"

struct packet {
    char header[16];
    char body[64];
};
struct driver {
    static constexpr auto ownership = own(driver_data = managed, enable = managed, dma_streaming = managed);

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto data, devm_emplace<packet>(dev));
#ifdef EXPECT_FAIL
        scatterlist list[] = {{data->header, 16}, {data->body, 64}};
        DEVRES_TRY(const auto sg, dma_map_sg(enabled, list, 2, dma_direction::to_device));
#else
        DEVRES_TRY(const auto sg,
                   dmam_map_sg(enabled, dma_direction::to_device, data.part(data->header), data.part(data->body)));
#endif
        return sg.size() == 2 ? result<>() : result<>(std::unexpected(errc::eio));
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
