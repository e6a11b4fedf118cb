// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D007
// One & forgotten: remove() would stop a copy of the state.
#include "support.hpp"

static int stopped = 0;
struct pump {
    int* stops = &stopped;
    pci::irq_return on_irq() noexcept { return pci::irq_return::handled; }
};
struct pump_driver {
    static probed<pump> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<pump>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "pump", data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
#ifndef CORRECTED
    static void remove(pump data) noexcept { ++*data.stops; }
#else
    static void remove(pump& data) noexcept { ++*data.stops; }
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<pump_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    MUST(stopped == 1);
    return 0;
}
