// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// The enable is in a group that is not kept, and a BAR and vectors of the driver's own are built on it.
#include "support.hpp"

struct nic_driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::bar<0> = unmanaged,
                                          pci::irq_vectors = unmanaged);
    template <class Device>
    struct nic {
        using platform = typename Device::platform_type;
        pci::bar_mapping<unmanaged_t, platform, nic_driver> registers{};
        pci::irq_allocation<unmanaged_t, platform, nic_driver> vectors{};
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev));
        devres::group power{dev};
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(data->registers, pci::pci_iomap_region<0>(device, "nic"));
        DEVRES_TRY(data->vectors, pci::pci_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        return data;  // power.keep() is forgotten
    }
    static void remove(auto& data) noexcept { data.registers.write32(0, 0); }
};

int main() { return clean_in_storm<nic_driver>(); }
