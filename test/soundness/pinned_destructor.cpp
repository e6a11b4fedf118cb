// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// probe
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
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));  // a clock
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        data->ring.emplace(ring);
        return data;
    }
};

int main() {
    return clean_in_storm<driver>();
}
