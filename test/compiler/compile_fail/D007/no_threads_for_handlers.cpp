// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] this platform has no threads for handlers: hold_handler, add_work and what goes with it
#include "driver.hpp"

#ifdef EXPECT_FAIL
using some_platform = platform_type;
#else
using some_platform = complete_archetype;
#endif

struct worker {
    irq_return on_irq() noexcept { return irq_return::wake_thread; }
    irq_return on_thread() noexcept { return irq_return::handled; }
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<worker>(dev));
        DEVRES_TRY((devm_request_threaded_irq<&worker::on_irq, &worker::on_thread>(vectors[0], "worker", data)));
        return {};
    }
};

result<binding<driver, some_platform>> bound(some_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
