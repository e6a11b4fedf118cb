// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the fragments of the documentation are compiled behind: see check_snippets.py.
#include <atomic>
#include <cstdint>
#include <iostream>
#include <utility>

#include <devres/devres.hpp>
#include <devres/sim.hpp>

using namespace devres;
namespace pci = devres::pci;

/// The function that fragments are bound to.
inline const sim::function_config snippet_function = {.vendor = 0x1234,
                                                      .device = 0x0001,
                                                      .msix_vectors = 8,
                                                      .msi_vectors = 4,
                                                      .intx = true,
                                                      .bar_sizes = {4096, 0, 65536}};

/// Binds a driver, interrupts every vector, puts the device to sleep and wakes it, interrupts again, and unbinds:
/// whether all of it succeeded and nothing is left.
template <class Driver, class Bus = sim::bus>
bool binds_cleanly(const sim::function_config& config = snippet_function) {
    Bus bus;
    sim::function& function = bus.add(config);
    const auto interrupt = [&] {
        for (unsigned i = 0; i != 8; ++i)
            function.raise(i);
    };
    const auto before = function.state();
    {
        auto bound = pci::bind<Driver>(bus, function);
        if (!bound) {
            std::cout << message(bound.error()) << '\n';
            return false;
        }
        interrupt();
        if (!bound->suspend() || !bound->resume())
            return false;
        interrupt();
    }
    if (!bus.ledger().clean())
        std::cout << bus.ledger() << '\n';
    return bus.ledger().clean() && function.state() == before;
}
