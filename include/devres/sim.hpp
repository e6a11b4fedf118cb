// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The simulated bus: a platform in memory, with functions of one's own making or from `lspci -xxxx`.

#include <devres/core/requirements.hpp>

#include <devres/sim/bus.hpp>
#include <devres/sim/hardware.hpp>
