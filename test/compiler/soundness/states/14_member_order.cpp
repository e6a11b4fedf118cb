// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A handler of the driver's own among the members of the state, before what it uses: it ends before the state does.
#include "support.hpp"

struct nic_driver {
    template <class Device>
    struct nic {
        pci::irq_registration<unmanaged_t, typename Device::platform_type, nic_driver> handler;
        pci::bar_of<Device> registers;
        std::vector<unsigned> log;
        explicit nic(const pci::bar_of<Device>& bar) : registers(bar), log(16) {}
        pci::irq_return on_irq() noexcept { return log.at(0) += registers.read32(0) + 1, pci::irq_return::handled; }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "nic"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, registers));
        DEVRES_TRY(data->handler, pci::request_irq(vectors[0], "nic", *data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() { return clean_in_storm<nic_driver>(); }
