// SPDX-License-Identifier: BSL-1.0
#include <devres/sim.hpp>

#include "../../examples/rocker/driver.hpp"

auto bound(devres::sim::bus& bus, devres::sim::function& function);
auto bound(devres::sim::bus& bus, devres::sim::function& function) {
    return devres::pci::bind<rocker::driver>(bus, function);
}
