// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// An action frees memory that a guard in the state has mapped; the device masters the bus throughout.
#include "support.hpp"

static pci::bus_address ring{};
struct driver {
    template <class Device>
    struct state {
        pci::dma_mapping<unmanaged_t, typename Device::platform_type, driver> mapping;
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        void* const memory = std::aligned_alloc(4096, 4096);
        DEVRES_TRY(devm_add_action_or_reset(dev, [](void* p) { std::free(p); }, memory));
        DEVRES_TRY(auto mapping, pci::dma_map_single(device, memory, 4096));
        ring = mapping.address();
        return devm_emplace<state<Device>>(dev, std::move(mapping));
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<driver>(bus, [](sim::function& f) { device_writes(f, ring); }));
    MUST(clean(bus));
    return 0;
}
