// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D001
// The code of a rejection inside a templated remove() is among the first lines of what the compiler says.
#include "support.hpp"

struct counter_driver {
    template <class Device>
    struct state {
        pci::vectors_of<Device> vectors;
        std::atomic<int> n = 0;
        pci::irq_return on_irq() noexcept { return ++n, pci::irq_return::handled; }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 4, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, vectors));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "counter", data));
        return data;
    }
#ifndef CORRECTED
    static void remove(auto& data) noexcept { (void)pci::pci_free_irq_vectors(std::move(data.vectors)); }
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<counter_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
