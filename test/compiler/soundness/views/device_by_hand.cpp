// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A second device is made by hand on a function that has a driver, past the driver's table: it ends what is the function's.
#include "support.hpp"

struct driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::irq_vectors = managed,
        pci::irq_handler = managed);
    struct state {
        int done = 0;
        pci::irq_return on_irq() noexcept { return ++done, pci::irq_return::handled; }
    };
    template <class P>
    static probed<state> probe(pci::device<P, driver>& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        pci::device<P> mine(dev.platform(), dev.function());
        DEVRES_TRY(auto enabled, pci::pci_enable_device(mine));
        DEVRES_TRY(auto registers, pci::pci_iomap_region<0>(enabled, "x"));
        registers.write32(0, 1);
        return data;
    }
};

int main() { return clean_in_storm<driver>(); }
