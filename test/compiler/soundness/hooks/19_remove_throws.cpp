// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D007
// remove() may throw, and an unbind cannot fail.
#include "support.hpp"

struct sensor {
    std::string name = "s";
};
struct sensor_driver {
    static probed<sensor> probe(auto& dev, const pci::device_id&) { return devm_emplace<sensor>(dev); }
#ifndef CORRECTED
    static void remove(sensor& data) { (void)data.name.at(3); }
#else
    static void remove(sensor& data) noexcept { data.name.clear(); }
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<sensor_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
