// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D001
// C's habit: the table says managed, and remove() frees by hand.
#include "support.hpp"

struct driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::irq_vectors = managed,
        pci::irq_handler = managed);
    template <class Device>
    struct state {
        pci::vectors_of<Device> vectors;
        pci::irq_return on_irq() noexcept { return pci::irq_return::handled; }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, vectors));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        return data;
    }
#ifndef CORRECTED
    template <class Device>
    static void remove(state<Device>& data) noexcept {
        (void)pci::pci_free_irq_vectors(std::move(data.vectors));
    }
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
