// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enodev
// A revision of the device has a smaller BAR than the driver's registers need.
#include "support.hpp"

struct sensor_driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, (pci::pcim_iomap_region<0, 0x2000>(device, "sensor")));
        registers.write32(0x1000, 1);
        return {};
    }
};

int main() {
    sim::bus bus;
    MUST(plain<sensor_driver>(bus).error() == errc::enodev);
    MUST(clean(bus));
    return 0;
}
