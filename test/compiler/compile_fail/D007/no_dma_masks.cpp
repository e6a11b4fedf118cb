// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] this platform has no DMA masks: set_dma_mask(function, use, mask)
#include "driver.hpp"

#ifdef EXPECT_FAIL
struct more_platform : platform_type {};
#else
struct more_platform : platform_type {
    result<> set_dma_mask(function_type&, dma_use, std::uint64_t) noexcept { return {}; }
    std::uint64_t required_dma_mask(const function_type&) noexcept { return dma_bit_mask(64); }
};
#endif

struct driver {
    static result<> probe(auto& dev, const device_id&) { return dma_set_mask_and_coherent(dev, dma_bit_mask(64)); }
};

result<binding<driver, more_platform>> bound(more_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
