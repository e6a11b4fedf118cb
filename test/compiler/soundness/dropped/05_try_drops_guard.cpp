// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D009
// One word of devm_request_irq changed: the guard is dropped where it is made.
#include "support.hpp"

struct counter {
    std::atomic<int> interrupts = 0;
    pci::irq_return on_irq() noexcept { return ++interrupts, pci::irq_return::handled; }
};
struct counter_driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::irq_vectors = managed,
#ifndef CORRECTED
                                          pci::irq_handler = unmanaged);
#else
                                          pci::irq_handler = managed);
#endif
    static probed<counter> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<counter>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
#ifndef CORRECTED
        DEVRES_TRY(pci::request_irq(vectors[0], "counter", *data));
#else
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "counter", data));
#endif
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    auto bound = pci::bind<counter_driver>(bus, function);
    MUST(bound);
    function.raise(0U);
    MUST(bound->state().interrupts == 1);
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
