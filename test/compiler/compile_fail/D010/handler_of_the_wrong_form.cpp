// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D010] not a handler: a function of the object (on_irq, if none is named) or one that takes
#include "driver.hpp"

struct device_state {
    int on_int() noexcept { return 1; }
    void on_void() noexcept {}
    irq_return on_two(unsigned, device_state*) noexcept { return irq_return::none; }
    irq_return on_done() noexcept { return irq_return::handled; }
    irq_return on_vector(vector_index) noexcept { return irq_return::handled; }
};
struct other_state {
    irq_return on_done() noexcept { return irq_return::handled; }
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<device_state>(dev));
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#if EXPECT_FAIL == 1
        DEVRES_TRY(devm_request_irq<&device_state::on_int>(vectors[0], "x", data));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(devm_request_irq<&device_state::on_void>(vectors[0], "x", data));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(devm_request_irq<&device_state::on_two>(vectors[0], "x", data));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(devm_request_irq<&other_state::on_done>(vectors[0], "x", data));
#elif EXPECT_FAIL == 5
        DEVRES_TRY(devm_request_irq(vectors[0], "x", data));
#elif EXPECT_FAIL == 6
        DEVRES_TRY(devm_request_irq<[](auto& state) { state.on_done(); }>(vectors[0], "x", data));
#elif EXPECT_FAIL == 7
        DEVRES_TRY(auto handler, request_irq<&device_state::on_int>(vectors[0], "x", data));
#elif EXPECT_FAIL == 8
        DEVRES_TRY(auto handler, request_irq(vectors[0], "x", data));
#else
        DEVRES_TRY(devm_request_irq<&device_state::on_done>(vectors[0], "x", data));
        DEVRES_TRY(devm_request_irq<&device_state::on_vector>(vectors[0], "x", data));
        DEVRES_TRY(devm_request_irq<[](auto& state) { return state.on_done(); }>(vectors[0], "x", data));
        DEVRES_TRY(auto handler, request_irq<&device_state::on_done>(vectors[0], "x", data));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
