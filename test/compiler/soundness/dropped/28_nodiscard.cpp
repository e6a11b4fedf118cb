// SPDX-License-Identifier: BSL-1.0
// VERDICT: R unused-result
// Results dropped without a warning: ten calls whose failure nobody would have seen.
#include "support.hpp"

[[maybe_unused]] inline void nothing(void*) {}
struct driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
#ifndef CORRECTED
        pci::pci_set_master(device);
#else
        DEVRES_TRY(pci::pci_set_master(device));
#endif
        return {};
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
