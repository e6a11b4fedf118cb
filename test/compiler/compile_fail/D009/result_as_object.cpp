// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D009] a result is used where its value is meant
#include "driver.hpp"

struct bytes {
    char of_the_device[256];
};

struct engine {
    void start() noexcept {}
    void stop() noexcept {}
    irq_return on_irq() noexcept { return irq_return::handled; }
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY([[maybe_unused]] auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
        DEVRES_TRY([[maybe_unused]] auto data, devm_emplace<engine>(dev));
        DEVRES_TRY([[maybe_unused]] auto memory, devm_emplace<bytes>(dev));
#if EXPECT_FAIL == 1
        DEVRES_TRY(devm_request_irq(vectors[0], "engine", devm_emplace<engine>(dev)));
#elif EXPECT_FAIL == 2
        auto outcome = devm_emplace<engine>(dev);
        DEVRES_TRY(auto handler, request_irq(vectors[1], "engine", outcome));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(devm_start(dev, devm_emplace<engine>(dev)));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(auto access, devm_revocable(dev, devm_emplace<engine>(dev)));
#elif EXPECT_FAIL == 5
        DEVRES_TRY(dmam_map_single(enabled, devm_emplace<bytes>(dev)));
#else
        DEVRES_TRY(devm_request_irq(vectors[0], "engine", data));
        DEVRES_TRY(auto handler, request_irq(vectors[1], "engine", data));
        DEVRES_TRY(devm_start(dev, data));
        DEVRES_TRY(auto access, devm_revocable(dev, data));
        DEVRES_TRY(dmam_map_single(enabled, memory));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
