// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D011
// A pointer is mapped for the device, instead of the bytes that it points to.
#include "support.hpp"

struct driver {
    struct state {
        std::array<unsigned char, 64> bytes{};
        unsigned char* buffer = bytes.data();
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
#ifndef CORRECTED
        DEVRES_TRY(pci::dmam_map_single(device, data.member(&state::buffer)));
#else
        DEVRES_TRY(pci::dmam_map_single(device, data.member(&state::bytes)));
#endif
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
