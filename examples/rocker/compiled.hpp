// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/any_platform.hpp>

#include "unit.hpp"

/// The rocker driver, compiled once: without the templates of driver.hpp.
extern "C" const devres::pci::driver_entry<rocker::unit> rocker_driver;
