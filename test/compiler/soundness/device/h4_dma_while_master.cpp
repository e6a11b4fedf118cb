// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Memory is freed that the device's engine still has the address of.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::bar_of<Device> bar;
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0>(device, "m2sdr"));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, bar));
        bar.write64(0x40, static_cast<std::uint64_t>(ring.address()));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<driver>(bus, [](sim::function& f) {
        device_writes(f, static_cast<pci::bus_address>(f.memory(pci::bar_number(0)).read(0x40, 8)));
    }));
    MUST(clean(bus));
    return 0;
}
