// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D007
// As 37_remove_by_value, of a state that is a template over its device.
#include "support.hpp"

struct pump_driver {
    template <class Device>
    struct pump {
        pci::bar_of<Device> registers;
        int stops = 0;
    };
    template <class Device>
    static probed<pump<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "pump"));
        return devm_emplace<pump<Device>>(dev, registers);
    }
#ifndef CORRECTED
    template <class Device>
    static void remove(pump<Device> data) noexcept {
        ++data.stops;
    }
#else
    template <class Device>
    static void remove(pump<Device>& data) noexcept {
        ++data.stops;
    }
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<pump_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
