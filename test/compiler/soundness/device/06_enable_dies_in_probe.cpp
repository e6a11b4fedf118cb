// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// The enable is a local of probe, and dies under the BAR and the vectors: the function stays enabled as long as these.
#include "support.hpp"

struct relay_driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = unmanaged, pci::bar<0> = unmanaged,
        pci::irq_vectors = unmanaged,
            pci::irq_handler = unmanaged);
    template <class Device>
    struct relay {
        using platform = typename Device::platform_type;
        pci::bar_mapping<unmanaged_t, platform, relay_driver> registers{};
        pci::irq_allocation<unmanaged_t, platform, relay_driver> vectors{};
        pci::irq_registration<unmanaged_t, platform, relay_driver> handler{};
        std::atomic<int> interrupts = 0;
        pci::irq_return on_irq() noexcept { return ++interrupts, pci::irq_return::handled; }
    };
    template <class Device>
    static probed<relay<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<relay<Device>>(dev));
        DEVRES_TRY(auto device, pci::pci_enable_device(dev));
        DEVRES_TRY(data->registers, pci::pci_iomap_region<0>(device, "relay"));
        DEVRES_TRY(data->vectors, pci::pci_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(data->handler, pci::request_irq(data->vectors[0], "relay", *data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
    static void remove(auto& data) noexcept {
        data.registers.write32(0, 0);
        data.handler = {};
        data.vectors = {};
        data.registers = {};
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    const auto before = function.state();
    auto bound = pci::bind<relay_driver>(bus, function);
    MUST(bound);
    function.raise(0U);
    MUST(bound->state().interrupts == 1);
    MUST(bound->unbind());
    MUST(clean(bus));
    MUST(function.state() == before);
    return 0;
}
