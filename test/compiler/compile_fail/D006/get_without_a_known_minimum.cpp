// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D006] get<I>: the allocation may have fewer vectors
#include "driver.hpp"

struct driver {
    static constexpr auto ownership = own(driver_data = managed, enable = managed, irq_vectors = managed,
        irq_handler = managed);

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#ifdef EXPECT_FAIL
        const auto vector = vectors.template get<0>();
#else
        DEVRES_TRY(const auto vector, vectors.at(0));
#endif
        DEVRES_TRY(devm_request_irq<&queue::on_irq>(vector, "queue", data));
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
