// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A state that is older than an action (a clock) that is older than the enable keeps its place, so that its destructor meets
// DMA memory that has gone. Instead: the state is made from its parts, and so is younger than they.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        std::optional<pci::coherent_of<Device>> ring;
        ~state() {
            if (ring)
                *static_cast<int*>(ring->data()) = 0;
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
#ifndef CORRECTED
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
#endif
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));  // a clock
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
#ifndef CORRECTED
        data->ring.emplace(ring);
#else
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, ring));
#endif
        return data;
    }
};

int main() { return clean_in_storm<driver>(); }
