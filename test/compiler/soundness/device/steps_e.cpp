// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// An unkept group is a member of the youngest object: it would release memory in the state's destructor.
#include "support.hpp"

static pci::bus_address ring{};
struct driver {
    struct state {
        std::vector<int> v = std::vector<int>(4);
        devres::group g;
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        devres::group g(dev);
        DEVRES_TRY(auto memory, pci::dmam_alloc_coherent(device, 4096));
        ring = memory.address();
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        data->g = std::move(g);
        return data;
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<driver>(bus, [](sim::function& f) { device_writes(f, ring); }));
    MUST(clean(bus));
    return 0;
}
