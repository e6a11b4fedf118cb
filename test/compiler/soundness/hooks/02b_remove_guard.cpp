// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D002
// remove() ends a BAR of the driver's own, as its table says; the managed handler reads it afterwards.
#include "support.hpp"

struct nic_driver {
#ifndef CORRECTED
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::bar<0> = unmanaged,
        pci::irq_vectors = managed,
            pci::irq_handler = managed);
#else
    static constexpr auto ownership =  // its guard goes with the state, after the handlers
        own(driver_data = managed, pci::enable = managed, pci::bar<0> = unmanaged, pci::irq_vectors = managed,
            pci::irq_handler.guarding(pci::bar<0>) = managed);
#endif
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
#ifndef CORRECTED
    static void remove(auto& data) noexcept { data.registers = {}; }
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<nic_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
