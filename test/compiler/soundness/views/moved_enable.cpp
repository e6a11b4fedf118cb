// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enoent
// The enable has moved into the state before the last part is acquired from it.
#include "support.hpp"

struct driver {
    static inline int answered = 0;
    template <class Device>
    struct state {
        pci::enabled_device<unmanaged_t, typename Device::platform_type, driver> enabled;
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pci_enable_device(dev));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, std::move(device)));
        if (pci::pci_set_master(device).error() == errc::enoent)
            ++answered;
        if (pci::dma_alloc_coherent(device, 4096).error() == errc::enoent)
            ++answered;
        if (pci::pci_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix).error() == errc::enoent)
            ++answered;
        DEVRES_TRY(auto registers, pci::pci_iomap_region<0>(device, "late"));
        registers.write32(0, 1);
        return data;
    }
};

int main() {
    sim::bus bus;
    const auto bound = pci::bind<driver>(bus, bus.add({.msix_vectors = 1, .bar_sizes = {4096}}));
    MUST(!bound && bound.error() == errc::enoent && driver::answered == 3);
    MUST(clean(bus));
    return 0;
}
