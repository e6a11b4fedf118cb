// SPDX-License-Identifier: BSL-1.0
#pragma once

/// PCI hardware in memory: functions with their registers, interrupts, DMA and models, of one's own making or from a dump
/// of a real machine. What the platforms `sim` and `linux_model` run on.

#include <devres/core/requirements.hpp>

#include <devres/hardware/device_model.hpp>
#include <devres/hardware/function.hpp>
#include <devres/hardware/function_config.hpp>
#include <devres/hardware/ledger.hpp>
#include <devres/hardware/lspci.hpp>
#include <devres/hardware/machine.hpp>
#include <devres/hardware/region.hpp>
#include <devres/hardware/sysfs.hpp>
