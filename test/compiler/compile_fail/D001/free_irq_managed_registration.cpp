// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] a managed handler is freed by devres at unbind: remove this call, or end it early with devm_free_irq
#include "driver.hpp"

struct driver {
    static constexpr auto ownership = own(driver_data = managed, enable = managed, irq_vectors = managed,
        irq_handler = managed);

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
        DEVRES_TRY(auto handler, devm_request_irq<&queue::on_irq>(vectors[0], "queue", data));
#ifdef EXPECT_FAIL
        DEVRES_TRY(free_irq(std::move(handler)));
#else
        DEVRES_TRY(devm_free_irq(std::move(handler)));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
