// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a platform: has_dma asks for allocate_dma, free_dma, map_dma, unmap_dma
#include <devres/devres.hpp>

#include "driver.hpp"

struct lesser_platform : platform_type {
#ifdef EXPECT_FAIL
    void free_dma() noexcept;
#endif
};

struct driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

result<binding<driver, lesser_platform>> bound(lesser_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
