// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D011] the device would reach the object, not what it points to: map plain bytes, inside
#include <string>
#include <vector>

#include "driver.hpp"

struct job {
    std::string name;
    char buffer[64];
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
#if EXPECT_FAIL == 1
        DEVRES_TRY(auto data, devm_emplace<std::vector<char>>(dev, 4096U));
        DEVRES_TRY(dmam_map_single(enabled, data));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(auto data, devm_emplace<job>(dev));
        DEVRES_TRY(dmam_map_single(enabled, data, 64));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(auto bar, pcim_iomap_region<0>(enabled, "state"));
        struct state {
            decltype(bar) registers;
        };
        DEVRES_TRY(auto data, devm_emplace<state>(dev, bar));
        DEVRES_TRY(dmam_map_single(enabled, data));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(auto other, devm_emplace<job>(dev));
        struct state {
            managed_ref<job> of;
        };
        DEVRES_TRY(auto data, devm_emplace<state>(dev, other));
        DEVRES_TRY(dmam_map_single(enabled, data));
#else
        DEVRES_TRY(auto data, devm_emplace<job>(dev));
        DEVRES_TRY(dmam_map_single(enabled, data.part(data->buffer)));
        DEVRES_TRY(dmam_map_single(enabled, data.member(&job::buffer)));
        struct block {
            char bytes[64];
        };
        DEVRES_TRY(auto plain, devm_emplace<block>(dev));
        DEVRES_TRY(dmam_map_single(enabled, plain));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
