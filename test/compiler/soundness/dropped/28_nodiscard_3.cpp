// SPDX-License-Identifier: BSL-1.0
// VERDICT: R unused-result
// As 28_nodiscard, another call of probe.
#include "support.hpp"

[[maybe_unused]] inline void nothing(void*) {}
struct driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
#ifndef CORRECTED
        pci::pci_write_config_word(dev, 4, 0);

#endif
        (void)device;
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
