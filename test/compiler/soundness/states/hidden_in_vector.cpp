// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Views in a vector, a variant, a lambda and a std::function of an object that is older than all of them.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        std::vector<pci::coherent_of<Device>> rings;
        std::variant<std::monostate, pci::coherent_of<Device>> spare;
        std::function<int&()> head;
        std::any anything;
        ~state() {
            for (auto& ring : rings)
                *static_cast<int*>(ring.data()) = 1;
            if (head)
                head() = 2;
            if (auto* const ring = std::get_if<1>(&spare))
                *static_cast<int*>(ring->data()) = 3;
            if (auto* const ring = std::any_cast<pci::coherent_of<Device>>(&anything))
                *static_cast<int*>(ring->data()) = 4;
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        for (int i = 0; i != 4; ++i) {
            DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
            data->rings.push_back(ring);
            data->spare.template emplace<1>(ring);
            data->head = [ring]() -> int& { return *static_cast<int*>(ring.data()); };
            data->anything = ring;
        }
        return data;
    }
};

int main() { return clean_in_storm<driver>(); }
