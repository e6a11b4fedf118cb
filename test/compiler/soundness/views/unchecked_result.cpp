// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// The value of a result is taken without a look at whether it has one. Instead: DEVRES_TRY.
#include "support.hpp"

struct driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
#ifndef CORRECTED
        auto registers = *pci::pcim_iomap_region<5>(device, "x");
#else
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<5>(device, "x"));
#endif
        registers.write32(0, 1);
        return {};
    }
};

int main() {
    sim::bus bus;
    MUST(plain<driver>(bus).error() == errc::einval);
    MUST(clean(bus));
    return 0;
}
