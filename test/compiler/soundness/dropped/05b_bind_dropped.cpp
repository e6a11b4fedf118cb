// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D009
// A driver is bound by a statement, and unbound by its end.
#include "support.hpp"

struct sensor_driver {
    static inline int count = 0;
    static result<> probe(auto&, const pci::device_id&) { return ++count, result<>(); }
    static void remove() noexcept { --count; }
};
result<int> bind_them(sim::bus& bus, sim::function& function) {
#ifndef CORRECTED
    DEVRES_TRY(pci::bind<sensor_driver>(bus, function));
#else
    DEVRES_TRY(auto bound, pci::bind<sensor_driver>(bus, function));
#endif
    return sensor_driver::count;
}

int main() {
    sim::bus bus;
    MUST(bind_them(bus, bus.add({})) == 1);
    MUST(sensor_driver::count == 0 && clean(bus));
    return 0;
}
