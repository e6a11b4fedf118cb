// SPDX-License-Identifier: BSL-1.0
// A guard that is thrown away at once is a mistake, and so is a result that nobody looks at.
#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>

using namespace devres;
using namespace devres::pci;

using platform_type = platform_archetype;
using device_type = device<platform_type>;
using enabled_type = enabled_device<managed_t, platform_type>;

struct queue {
    irq_return on_irq() noexcept { return irq_return::handled; }
};

void guards(device_type& dev, platform_type::function_type& function, const vector_grant& grant, const dma_block& block) {
    group{dev};                                                     // expected-warning {{ignoring temporary}}
    device_type(dev.platform(), function);                          // expected-warning {{ignoring temporary}}
    enabled_device<unmanaged_t, platform_type>{dev};                // expected-warning {{ignoring temporary}}
    bar_mapping<unmanaged_t, platform_type>(dev, {});               // expected-warning {{ignoring temporary}}
    dma_allocation<unmanaged_t, platform_type>(dev, block);         // expected-warning {{ignoring temporary}}
    dma_mapping<unmanaged_t, platform_type>(dev, block);            // expected-warning {{ignoring temporary}}
    irq_allocation<unmanaged_t, platform_type>(dev, grant);         // expected-warning {{ignoring temporary}}
    irq_registration<unmanaged_t, platform_type>(dev, handler_id{});  // expected-warning {{ignoring temporary}}
}

void results(device_type& dev, const enabled_type& enabled, const irq_vector<managed_t, platform_type>& vector,
             queue& context) {
    devm_emplace<queue>(dev);                                         // expected-warning {{ignoring return value}}
    pcim_enable_device(dev);                                          // expected-warning {{ignoring return value}}
    pci_enable_device(dev);                                           // expected-warning {{ignoring return value}}
    pcim_iomap_region<0>(enabled, "registers");                       // expected-warning {{ignoring return value}}
    pci_iomap_region<0>(enabled, "registers");                        // expected-warning {{ignoring return value}}
    dma_alloc_coherent(enabled, 64);                                  // expected-warning {{ignoring return value}}
    dma_map_single(enabled, &context, sizeof(context));               // expected-warning {{ignoring return value}}
    pci_alloc_irq_vectors(enabled, 1, 4, irq_type::all);              // expected-warning {{ignoring return value}}
    pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all);             // expected-warning {{ignoring return value}}
    request_irq<&queue::on_irq>(vector, "queue", context);            // expected-warning {{ignoring return value}}
}

// Clean twins: what is looked at, kept, or ignored on purpose.
result<> kept(device_type& dev, const enabled_type& enabled) {
    const group g{dev};
    DEVRES_TRY(devm_emplace<queue>(dev));
    DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
    DEVRES_TRY(const auto vectors, pci_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
    (void)devm_emplace<queue>(dev);
    return {};
}
