// SPDX-License-Identifier: BSL-1.0
#include "compiled.hpp"

#include "driver.hpp"

/// The driver of driver.hpp as it is, for every platform.
constinit const devres::pci::driver_entry<rocker::unit> rocker_driver =
    devres::pci::compiled<rocker::driver, rocker::unit>("rocker");
