// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D012
// As 01_order_dma with a BAR, on a traced platform.
#include "support.hpp"

struct nic_driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::bar<0> = managed,
        pci::irq_vectors = managed,
            pci::irq_handler = managed);
    template <class Device>
    struct nic {
        pci::bar_of<Device> registers;
        pci::irq_return on_irq() noexcept { return registers.write32(0, 1), pci::irq_return::handled; }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 1, pci::irq_type::msix));
#ifndef CORRECTED
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "nic", data));
        DEVRES_TRY(data->registers, pci::pcim_iomap_region<0>(device, "nic"));
#else
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "nic"));
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, registers));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "nic", data));
#endif
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    testing::interrupting hit{bus, [&](const testing::interrupt_point&) {
                                  if (!bus.in_handler(function))
                                      function.raise(0U);
                              }};
    std::ostringstream trace;
    testing::traced platform{hit, testing::trace_text(trace)};
    MUST(pci::bind<nic_driver>(platform, function)->unbind());
    MUST(clean(bus));
    return 0;
}
