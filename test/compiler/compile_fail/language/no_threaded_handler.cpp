// SPDX-License-Identifier: BSL-1.0
// There is no such function: what its handler would do in a thread, a thread of the driver's does. No code for what is not there.
// EXPECT-GNU: 'devm_request_threaded_irq' was not declared in this scope
// EXPECT-Clang: use of undeclared identifier 'devm_request_threaded_irq'
#include <devres/devres.hpp>

#include "driver.hpp"

struct worker {
    irq_return on_irq() noexcept { return irq_return::handled; }
    irq_return on_thread() noexcept { return irq_return::handled; }
};

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<worker>(dev));
#ifdef EXPECT_FAIL
        DEVRES_TRY((devm_request_threaded_irq<&worker::on_irq, &worker::on_thread>(vectors[0], "worker", data)));
#else
        DEVRES_TRY(devm_request_irq<&worker::on_irq>(vectors[0], "worker", data));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
