// SPDX-License-Identifier: BSL-1.0
// A guard that is thrown away at once is a mistake, and so is a result that nobody looks at.
#include <utility>

#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>

using namespace devres;
using namespace devres::pci;

using platform_type = platform_archetype;
using device_type = device<platform_type>;
using enabled_type = enabled_device<managed_t, platform_type>;

struct queue {
    irq_return on_irq() noexcept { return irq_return::handled; }
    void start() noexcept {}
    void stop() noexcept {}
};
struct driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

void guards(device_type& dev, platform_type::function_type& function) {
    group{dev};                             // expected-warning {{ignoring temporary}}
    device_type(dev.platform(), function);  // expected-warning {{ignoring temporary}}
}

void acquired(device_type& dev, const enabled_type& enabled, const irq_vector<managed_t, platform_type>& vector,
              const managed_ref<queue>& data) {
    devm_emplace<queue>(dev);                                           // expected-warning {{ignoring return value}}
    devm_start(dev, data);                                              // expected-warning {{ignoring return value}}
    devm_revocable(dev, data);                                          // expected-warning {{ignoring return value}}
    pcim_enable_device(dev);                                            // expected-warning {{ignoring return value}}
    pci_enable_device(dev);                                             // expected-warning {{ignoring return value}}
    pcim_iomap_region<0>(enabled, "registers");                         // expected-warning {{ignoring return value}}
    pci_iomap_region<0>(enabled, "registers");                          // expected-warning {{ignoring return value}}
    dmam_alloc_coherent(enabled, 64);                                   // expected-warning {{ignoring return value}}
    dma_alloc_coherent(enabled, 64);                                    // expected-warning {{ignoring return value}}
    dmam_map_single(enabled, data);                                     // expected-warning {{ignoring return value}}
    dma_map_single(enabled, &data.get(), 1);                            // expected-warning {{ignoring return value}}
    pci_alloc_irq_vectors(enabled, 1, 4, irq_type::all);                // expected-warning {{ignoring return value}}
    pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all);               // expected-warning {{ignoring return value}}
    pcim_alloc_irq_vectors_affinity(enabled, 1, 4, irq_type::all, {});  // expected-warning {{ignoring return value}}
    pci_alloc_irq_vectors_affinity(enabled, 1, 4, irq_type::all, {});   // expected-warning {{ignoring return value}}
    devm_request_irq(vector, "queue", data);                            // expected-warning {{ignoring return value}}
    request_irq(vector, "queue", *data);                                // expected-warning {{ignoring return value}}
    bind<driver>(dev.platform(), dev.function());                       // expected-warning {{ignoring return value}}
}

void done(device_type& dev, const enabled_type& enabled, irq_registration<managed_t, platform_type> managed_handler,
          irq_registration<unmanaged_t, platform_type> handler, irq_allocation<unmanaged_t, platform_type> vectors,
          action undo, group& some, binding<driver, platform_type>& bound) {
    pci_set_master(enabled);                               // expected-warning {{ignoring return value}}
    pci_clear_master(enabled);                             // expected-warning {{ignoring return value}}
    pci_read_config_byte(dev, 0);                          // expected-warning {{ignoring return value}}
    pci_write_config_byte(dev, 0, 0);                      // expected-warning {{ignoring return value}}
    pci_write_config_word(dev, 0, 0);                      // expected-warning {{ignoring return value}}
    pci_write_config_dword(dev, 0, 0);                     // expected-warning {{ignoring return value}}
    synchronize_irq(handler);                              // expected-warning {{ignoring return value}}
    disable_irq(handler);                                  // expected-warning {{ignoring return value}}
    enable_irq(handler);                                   // expected-warning {{ignoring return value}}
    devm_free_irq(std::move(managed_handler));             // expected-warning {{ignoring return value}}
    free_irq(std::move(handler));                          // expected-warning {{ignoring return value}}
    pci_free_irq_vectors(std::move(vectors));              // expected-warning {{ignoring return value}}
    devm_add_action(dev, [](void*) {}, nullptr);           // expected-warning {{ignoring return value}}
    devm_add_action_or_reset(dev, [](void*) {}, nullptr);  // expected-warning {{ignoring return value}}
    devm_remove_action(dev, undo);                         // expected-warning {{ignoring return value}}
    devm_remove_action(dev, nullptr, nullptr);             // expected-warning {{ignoring return value}}
    devm_release_action(dev, undo);                        // expected-warning {{ignoring return value}}
    devm_release_action(dev, nullptr, nullptr);            // expected-warning {{ignoring return value}}
    some.release();                                        // expected-warning {{ignoring return value}}
    bound.suspend();                                       // expected-warning {{ignoring return value}}
    bound.resume();                                        // expected-warning {{ignoring return value}}
    bound.unbind();                                        // expected-warning {{ignoring return value}}
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
