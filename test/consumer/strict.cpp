// SPDX-License-Identifier: BSL-1.0
// A program of somebody who is strict about warnings: a driver with an ownership table on the simulated bus. What it
// includes must not cost it its -Werror, wherever Boost is found.
#include <devres/devres.hpp>
#include <devres/sim.hpp>

namespace {

namespace pci = devres::pci;

struct counter {
    unsigned interrupts = 0;
    pci::irq_return on_irq() noexcept { return ++interrupts, pci::irq_return::handled; }
};

struct counter_driver {
    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler(devres::driver_data) = devres::managed);

    static devres::result<devres::managed_ref<counter>> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devres::devm_emplace<counter>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq<&counter::on_irq>(vectors[0], "counter", data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

}  // namespace

int main() {
    devres::sim::bus bus;
    auto& function = bus.add({.vendor = 0x1b36, .device = 0x0006, .msix_vectors = 4});
    auto bound = pci::bind<counter_driver>(bus, function);
    if (!bound)
        return 1;
    function.raise(0);
    const bool counted = bound->state().interrupts == 1;
    return counted && bound->unbind() && bus.ledger().clean() ? 0 : 1;
}
