// SPDX-License-Identifier: BSL-1.0
// VERDICT: R no matching
// A managed block is made into a guard from its three public values: it would be freed twice.
#include "support.hpp"

struct nic_driver {
    template <class Device>
    static result<> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
#ifndef CORRECTED
        using guard = pci::dma_allocation<unmanaged_t, typename Device::platform_type, nic_driver>;
        guard early(dev, pci::dma_block{ring.data(), ring.address(), ring.size()});
#endif
        (void)ring;
        return {};
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<nic_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
