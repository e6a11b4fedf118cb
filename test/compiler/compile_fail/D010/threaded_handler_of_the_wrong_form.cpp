// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D010] not a handler and its thread: both are functions of the object, or take it, and return
#include "driver.hpp"

struct worker {
    irq_return on_irq() noexcept { return irq_return::wake_thread; }
    irq_return on_thread() noexcept { return irq_return::handled; }
    void run() noexcept {}
    int on_int() noexcept { return 1; }
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 2, 2, irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<worker>(dev));
#if EXPECT_FAIL == 1
        DEVRES_TRY((devm_request_threaded_irq<&worker::on_irq, &worker::run>(vectors[0], "worker", data)));
#elif EXPECT_FAIL == 2
        DEVRES_TRY((devm_request_threaded_irq<&worker::on_int, &worker::on_thread>(vectors[0], "worker", data)));
#elif EXPECT_FAIL == 3
        DEVRES_TRY((devm_request_threaded_irq<&worker::on_irq, nullptr>(vectors[0], "worker", data)));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(auto kept, (request_threaded_irq<&worker::on_irq, &worker::run>(vectors[0], "worker", data)));
#else
        DEVRES_TRY((devm_request_threaded_irq<&worker::on_irq, &worker::on_thread>(vectors[0], "worker", data)));
        DEVRES_TRY((devm_request_threaded_irq<nullptr, &worker::on_thread>(vectors[1], "worker", data)));
#endif
        return {};
    }
};

result<binding<driver, complete_archetype>> bound(complete_archetype& platform, function_type& function) {
    return bind<driver>(platform, function);
}
