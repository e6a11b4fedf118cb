// SPDX-License-Identifier: BSL-1.0
#pragma once

/// VFIO: a platform for real PCI devices, on Linux. It uses the system's headers only.

#include <devres/core/requirements.hpp>

#include <devres/vfio/bus.hpp>
#include <devres/vfio/event_loop.hpp>
#include <devres/vfio/function_use.hpp>
#include <devres/vfio/open_error.hpp>
#include <devres/vfio/sysfs.hpp>
