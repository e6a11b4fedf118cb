// SPDX-License-Identifier: BSL-1.0
// One of the drivers of examples/conversion, given as CONVERSION_HEADER and CONVERSION_DRIVER: bound on the simulated
// bus, interrupted, suspended and resumed, unbound; and again with each step failing.
#include <iostream>
#include <string>

#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include CONVERSION_HEADER

using driver = CONVERSION_DRIVER;

#ifdef CONVERSION_HYBRID  // as Linux: vectors of a managed device are managed, whatever the function is called
struct bus_type : devres::sim::bus {
    static constexpr bool hybrid_irq_vectors = true;
};
#else
using bus_type = devres::sim::bus;
#endif

namespace {

devres::result<> use(auto& platform, devres::sim::function& function) {
    const auto interrupt = [&] {
        for (unsigned i = 0; i != 4; ++i)
            function.raise(i);
    };
    DEVRES_TRY(auto bound, devres::pci::bind<driver>(platform, function));
    interrupt();
    for (int night = 0; night != 2; ++night) {
        DEVRES_TRY(bound.suspend());
        DEVRES_TRY(bound.resume());
        interrupt();
    }
    return bound.unbind();
}

}  // namespace

int main() {
    bus_type bus;
    auto& function = bus.add({.vendor = 0x1234, .device = 0x0001, .msix_vectors = 4, .bar_sizes = {0x100000}});
    const auto before = function.state();
    const auto explored = devres::testing::explore_faults(
        bus, [&](auto& platform) { return use(platform, function); },
        [&](bus_type&) -> std::string {
            return bus.ledger().clean() && function.state() == before ? "" : "something is left behind";
        });
    std::cout << explored << bus.ledger();
    return explored.clean() && explored.runs.size() > 8 ? 0 : 1;
}
