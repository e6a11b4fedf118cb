// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D009] what is synced is no mapping: unwrap the result
#include "driver.hpp"

struct buffer {
    char bytes[64];
};
struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto bytes, devm_emplace<buffer>(dev));
#ifdef EXPECT_FAIL
        const auto mapping = dmam_map_single(enabled, bytes);
#else
        DEVRES_TRY(const auto mapping, dmam_map_single(enabled, bytes));
#endif
        dma_sync_single_for_cpu(mapping);
        return {};
    }
};

result<binding<driver, complete_archetype>> bound(complete_archetype& platform, function_type& function) {
    return bind<driver>(platform, function);
}
