// SPDX-License-Identifier: BSL-1.0
// VERDICT: R no matching
// RAII as everywhere else: construct the guard from the device. It would acquire nothing, past the ownership table.
#include "support.hpp"

struct nic_driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::bar<0> = managed);
    template <class Device>
    static result<> probe(Device& dev, const pci::device_id&) {
#ifndef CORRECTED
        pci::enabled_of<Device> device(dev);
#else
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
#endif
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "nic"));
        registers.write32(0, 1);
        return {};
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<nic_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
