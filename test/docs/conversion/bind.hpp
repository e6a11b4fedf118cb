// SPDX-License-Identifier: BSL-1.0
#pragma once

// A driver of examples/conversion: bound on the simulated bus, interrupted, suspended and resumed, unbound; and again with
// each step failing.
#include <iostream>
#include <string>

#include <devres/devres.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

namespace conversion_test {

template <class Driver>
devres::result<> use(auto& platform, devres::sim::function& function) {
    const auto interrupt = [&] {
        for (unsigned i = 0; i != 4; ++i)
            function.raise(i);
    };
    DEVRES_TRY(auto bound, devres::pci::bind<Driver>(platform, function));
    interrupt();
    for (int night = 0; night != 2; ++night) {
        DEVRES_TRY(bound.suspend());
        DEVRES_TRY(bound.resume());
        interrupt();
    }
    return bound.unbind();
}

/// @returns what main() does: 0 if nothing is left behind, whatever fails.
template <class Driver, class Bus = devres::sim::bus>
int explored() {
    Bus bus;
    auto& function = bus.add({.vendor = 0x1234, .device = 0x0001, .msix_vectors = 4, .bar_sizes = {0x100000}});
    const auto before = function.state();
    const auto found = devres::testing::explore_faults(
        bus, [&](auto& platform) { return use<Driver>(platform, function); },
        [&](Bus&) -> std::string {
            return bus.ledger().clean() && function.state() == before ? "" : "something is left behind";
        });
    std::cout << found << bus.ledger();
    return found.clean() && found.runs.size() > 8 ? 0 : 1;
}

}  // namespace conversion_test
