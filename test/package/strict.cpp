// SPDX-License-Identifier: BSL-1.0
// A program of somebody who is strict about warnings: a driver with an ownership table on the simulated bus. What it
// includes must not cost it its -Werror, wherever Boost is found, if it needs Boost at all.
#include <devres/devres.hpp>
#include <devres/sim.hpp>
#ifdef WITH_HANA
#include <devres/testing.hpp>
#endif

namespace {

namespace pci = devres::pci;

template <class Device>
struct counter {
    pci::enabled_of<Device> device;
    unsigned interrupts = 0;

    devres::result<> start() noexcept { return pci::pci_set_master(device); }
    void stop() noexcept {}
    pci::irq_return on_irq() noexcept { return ++interrupts, pci::irq_return::handled; }
};

struct counter_driver {
    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler = devres::managed);

    template <class Device>
    static devres::probed<counter<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, pci::irq_type::msix));
        DEVRES_TRY(auto data, devres::devm_emplace<counter<Device>>(dev, device));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "counter", data));
        DEVRES_TRY(devres::devm_start(dev, data));
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
