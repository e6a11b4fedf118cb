// SPDX-License-Identifier: BSL-1.0
// VERDICT: V bar_kept_off
// A table says that the handler keeps off the driver's own BAR, and it does not: sim reports it at the first interrupt.
#include "support.hpp"

struct nic_driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::bar<0> = unmanaged,
        pci::irq_vectors = managed,
            pci::irq_handler.without(pci::bar<0>) = managed);
    template <class Device>
    struct nic {
        pci::bar_mapping<unmanaged_t, typename Device::platform_type, nic_driver> registers;
        pci::irq_return on_irq() noexcept {
            return registers.read32(0) == 0 ? pci::irq_return::none : pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pci_iomap_region<0>(device, "nic"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, std::move(registers)));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "nic", data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<nic_driver>(bus));
    MUST(violated(bus, sim::violation_kind::bar_kept_off));
    return 0;
}
