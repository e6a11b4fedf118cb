// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The library for who compiles a driver once for all platforms, or uses one that is: core and pci, with `any_platform`.

#include <devres/devres.hpp>
#include <devres/pci/any_binding.hpp>
#include <devres/pci/any_platform.hpp>
#include <devres/pci/driver_entry.hpp>
#include <devres/pci/erased.hpp>
#include <devres/pci/register_window.hpp>
