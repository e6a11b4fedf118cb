// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A handler of the driver's own is given a managed object, younger than the state that has its guard.
#include "support.hpp"

struct queue {
    std::vector<int> done{0};
    pci::irq_return on_irq() noexcept { return ++done[0], pci::irq_return::handled; }
};
struct nic_driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::irq_vectors = managed,
                                          pci::irq_handler = unmanaged);
    template <class Device>
    struct nic {
        pci::irq_registration<unmanaged_t, typename Device::platform_type, nic_driver> handler;
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto rx, devm_emplace<queue>(dev));
        DEVRES_TRY(data->handler, pci::request_irq(vectors[0], "rx", rx));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() { return clean_in_storm<nic_driver>(); }
