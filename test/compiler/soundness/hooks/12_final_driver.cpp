// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D007
// `final` would switch the checks of bind off: a remove() that is never called, a private table that is not read.
#include "support.hpp"

inline int minors = 0;
struct sensor {
    int minor = ++minors;
};
#ifndef CORRECTED
class sensor_driver final {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = unmanaged);
#else
class sensor_driver {
#endif
public:
    static probed<sensor> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<sensor>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
#ifndef CORRECTED
    static void remove(sensor* data) { data->minor = 0, --minors; }
#else
    static void remove(sensor& data) noexcept { data.minor = 0, --minors; }
#endif
};

int main() {
    sim::bus bus;
    MUST(pci::bind<sensor_driver>(bus, bus.add({}))->unbind());
    MUST(minors == 0 && clean(bus));
    return 0;
}
