// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A handler is still disabled when its driver is unbound, with interrupts held; the next driver begins afresh.
#include "support.hpp"

struct driver {
    struct state {
        int done = 0;
        pci::irq_return on_irq() noexcept { return ++done, pci::irq_return::handled; }
    };
    static inline pci::irq_types types = pci::irq_type::msix;
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, types));
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(auto handler, pci::devm_request_irq(vectors[0], "x", data));
        DEVRES_TRY(pci::disable_irq(handler));
        DEVRES_TRY(pci::disable_irq(handler));
        DEVRES_TRY(pci::enable_irq(handler));
        return data;
    }
};

int main() {
    for (const auto type : {pci::irq_type::msix, pci::irq_type::msi, pci::irq_type::intx}) {
        sim::bus bus;
        driver::types = type;
        auto& f = bus.add({.msix_vectors = 4, .msi_vectors = 4, .intx = true});
        const auto before = f.state();
        for (int i = 0; i != 2; ++i) {
            auto bound = pci::bind<driver>(bus, f);
            MUST(bound);
            f.raise(0U);
            MUST(bound->state().done == 0);
            MUST(bound->unbind());
            MUST(clean(bus));
            MUST(f.state() == before);
        }
    }
    return 0;
}
