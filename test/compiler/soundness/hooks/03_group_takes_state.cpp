// SPDX-License-Identifier: BSL-1.0
// VERDICT: E einval
// The group that rolls a failed probe back is not kept: probe succeeds, and its state has gone.
#include "support.hpp"

struct sensor {
    std::string name = "a name that is too long for the small buffer";
};
struct sensor_driver {
    static probed<sensor> probe(auto& dev, const pci::device_id&) {
        devres::group undo{dev};
        DEVRES_TRY(auto data, devm_emplace<sensor>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;  // undo.keep() is missing
    }
    static void remove(sensor& data) noexcept { data.name.clear(); }
};

int main() {
    sim::bus bus;
    const auto bound = pci::bind<sensor_driver>(bus, bus.add({}));
    MUST(!bound && bound.error() == errc::einval);
    MUST(clean(bus));
    return 0;
}
