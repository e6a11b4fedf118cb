// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The simulated bus: a platform in memory, with functions of one's own making or from `lspci -xxxx`.

#include <devres/sim/bus.hpp>
#include <devres/sim/device_model.hpp>
#include <devres/sim/function.hpp>
#include <devres/sim/function_config.hpp>
#include <devres/sim/ledger.hpp>
#include <devres/sim/lspci.hpp>
#include <devres/sim/sysfs.hpp>
