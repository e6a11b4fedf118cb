// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a platform: has_bars asks for region_type, map_bar, unmap_bar, bar_size, read<T>, write<T>
#include <devres/devres.hpp>

#include "driver.hpp"

struct lesser_platform : platform_type {
#ifdef EXPECT_FAIL
    void bar_size() noexcept;
#endif
};

struct driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

result<binding<driver, lesser_platform>> bound(lesser_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
