// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A group releases a pool while an element of it is in the state, and the device writes to that until mastering goes off.
#include "support.hpp"

static pci::bus_address descriptor{};
struct driver {
    template <class Device>
    struct nic {
        pci::dma_pool_element<typename Device::platform_type, typename Device::driver_type> element;
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        devres::group buffers(dev);
        DEVRES_TRY(auto pool, pci::dmam_pool_create(device, "descriptors", 64));
        DEVRES_TRY(auto element, pci::dma_pool_zalloc(pool));
        DEVRES_TRY(buffers.release());
        if (pci::dma_pool_alloc(pool).error() != errc::enoent)
            return fail(errc::eio);
        descriptor = element.address();
        return devm_emplace<nic<Device>>(dev, std::move(element));
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<driver>(bus, [](sim::function& f) { device_writes(f, descriptor); }));
    MUST(clean(bus));
    return 0;
}
