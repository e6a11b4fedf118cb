// SPDX-License-Identifier: BSL-1.0
// VERDICT: R const
// As 02_remove_frees, with the state shared as const.
#include "support.hpp"

struct nic {
    std::unique_ptr<std::atomic<int>> head = std::make_unique<std::atomic<int>>(0);
    pci::irq_return on_irq() const noexcept { return ++*head, pci::irq_return::handled; }
};
struct nic_driver {
    static probed<const nic> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<const nic>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "nic", data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
#ifndef CORRECTED
    static void remove(const nic& data) noexcept { data.head.reset(); }
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<nic_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
