// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Bus mastering is switched on by a write to COMMAND, past pci_set_master.
#include "support.hpp"

static pci::bus_address ring_at{};
struct driver {
    template <class Device>
    static result<> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        ring_at = ring.address();
        DEVRES_TRY(auto command, pci::pci_read_config_word(dev, 4));
        DEVRES_TRY(pci::pci_write_config_word(dev, 4, static_cast<std::uint16_t>(command | 4U)));
        return {};
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<driver>(bus, [](sim::function& f) { device_writes(f, ring_at); }));
    MUST(clean(bus));
    return 0;
}
