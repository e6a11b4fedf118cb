// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] a managed handler can still run when what the driver frees is gone
#include <devres/devres.hpp>

#include "driver.hpp"

// Upstream VMD cleans up the lists of child interrupts (their SRCU structures) in remove(); the handlers that walk
// them are devres's, and live until after it.
inline constexpr resource<struct irq_lists_tag> irq_lists;
inline constexpr resource<struct instance_id_tag> instance_id;

struct vmd {
#ifdef EXPECT_FAIL
    static constexpr auto ownership = own(driver_data = managed, enable = managed, bar<0> = managed,
        irq_vectors = managed,
            irq_handler.without(instance_id) = managed, irq_lists = unmanaged, instance_id = unmanaged);
#else
    static constexpr auto ownership = own(driver_data = managed, enable = managed, bar<0> = managed,
        irq_vectors = managed,
            irq_handler.without(instance_id) = managed, irq_lists = managed, instance_id = unmanaged);
#endif

    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto lists, devm_emplace<queue, irq_lists>(dev));
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
        DEVRES_TRY(devm_request_irq<&queue::on_irq>(vectors[0], "vmd0", lists));
        return {};
    }
};

#ifndef EXPECT_FAIL  // there is no driver to bind without its table
result<binding<vmd, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<vmd>(platform, function);
}
#endif
