// SPDX-License-Identifier: BSL-1.0
// VERDICT: V access_out_of_range
// As 36_bar_too_small, by a driver that does not say how many bytes it needs.
#include "support.hpp"

struct sensor_driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "sensor"));
        registers.write32(0x1000, 1);
        return {};
    }
};

int main() {
    sim::bus bus;
    MUST(plain<sensor_driver>(bus));
    MUST(violated(bus, sim::violation_kind::access_out_of_range));
    return 0;
}
