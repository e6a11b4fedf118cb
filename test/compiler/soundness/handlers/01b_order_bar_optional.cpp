// SPDX-License-Identifier: BSL-1.0
// VERDICT: V bar_younger_than_handler
// As 01b_order_bar_traced, through an optional: it works, and sim reports that the handler uses a BAR younger than itself.
#include "support.hpp"

struct nic_driver {
    template <class Device>
    struct nic {
        std::optional<pci::bar_of<Device>> registers;
        pci::irq_return on_irq() noexcept {
            if (registers)
                registers->write32(0, 1);
            return pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 1, pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "nic", data));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "nic"));
        data->registers.emplace(registers);
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<nic_driver>(bus));
    MUST(violated(bus, sim::violation_kind::bar_younger_than_handler));
    return 0;
}
