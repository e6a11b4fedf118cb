// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A member of a state with a destructor is mapped for the device, which masters the bus throughout.
#include "support.hpp"

struct buffer {
    unsigned words[1024]{};
};
static pci::bus_address ring{};
struct driver {
    struct state {
        std::vector<int> v = std::vector<int>(4);
        buffer data;
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(auto mapping, pci::dmam_map_single(device, data.member(&state::data)));
        ring = mapping.address();
        return data;
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<driver>(bus, [](sim::function& f) { device_writes(f, ring); }));
    MUST(clean(bus));
    return 0;
}
