// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A managed driver is reset under its feet: nothing interrupts any more, and the unbind is clean. Recovery is not there yet.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::enabled_of<Device> device;
        std::atomic<int> n = 0;
        pci::irq_return on_irq() noexcept { return ++n, pci::irq_return::handled; }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, device));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    auto bound = pci::bind<driver>(bus, f);
    MUST(bound);
    f.raise(0U);
    f.reset();
    f.raise(0U);
    MUST(bound->state().n == 1);
    MUST(pci::pci_set_master(bound->state().device));
    MUST(bound->suspend() && bound->resume());
    f.raise(0U);
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
