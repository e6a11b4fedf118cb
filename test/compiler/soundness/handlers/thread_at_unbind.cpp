// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// The thread of a handler is woken when the driver is being unbound, and uses a BAR.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::bar_of<Device> bar;
        pci::irq_return on_irq() noexcept { return pci::irq_return::wake_thread; }
        pci::irq_return on_thread() noexcept { return bar.write32(0, 1), pci::irq_return::handled; }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0>(device, "x"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, bar));
        DEVRES_TRY(
            (pci::devm_request_threaded_irq<&state<Device>::on_irq, &state<Device>::on_thread>(vectors[0], "x", data)));
        return data;
    }
};

int main() {
    for (const bool runs : {false, true}) {
        sim::bus bus;
        MUST(stormy<driver>(bus, [&](sim::function& f) {
            all_vectors(f);
            if (runs)
                (void)bus.run_work();
        }));
        MUST(bus.run_work() == 0);
        MUST(clean(bus));
    }
    return 0;
}
