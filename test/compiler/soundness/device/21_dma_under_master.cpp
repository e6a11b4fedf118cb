// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Everything managed, nothing quiesced: the device writes to its ring until devres takes bus mastering from it.
#include "support.hpp"

static pci::bus_address ring{};
struct nic_driver {
    template <class Device>
    struct nic {
        pci::coherent_of<Device> ring;
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto memory, pci::dmam_alloc_coherent(device, 4096));
        ring = memory.address();
        return devm_emplace<nic<Device>>(dev, memory);
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<nic_driver>(bus, [](sim::function& f) { device_writes(f, ring); }));
    MUST(clean(bus));
    return 0;
}
