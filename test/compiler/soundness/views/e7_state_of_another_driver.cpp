// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D012
// A state whose views are of another driver.
#include "support.hpp"

struct other_driver {};
struct driver {
#ifndef CORRECTED
    using named = other_driver;
#else
    using named = driver;
#endif
    template <class Device>
    struct state {
        pci::irq_allocation<managed_t, typename Device::platform_type, named> vectors;
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        return devm_emplace<state<Device>>(dev, vectors);
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
