// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D004] devm_request_irq: the ownership table does not say irq_handler = managed
#include "driver.hpp"

struct driver {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(driver_data = managed, enable = managed, irq_vectors = managed,
        irq_handler = unmanaged);
#else
    static constexpr auto ownership = own(driver_data = managed, enable = managed, irq_vectors = managed,
        irq_handler = managed);
#endif

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
        DEVRES_TRY(devm_request_irq<&queue::on_irq>(vectors[0], "queue", data));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
