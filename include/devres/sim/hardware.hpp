// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The hardware on a simulated bus, under the bus's name: what a test of a driver calls it.

#include <devres/hardware.hpp>

namespace devres::sim {

using pci::address;

using hardware::device_model;
using hardware::difference;
using hardware::dump_report;
using hardware::dumped_bar;
using hardware::dumped_function;
using hardware::function;
using hardware::function_config;
using hardware::ledger;
using hardware::lost_interrupts;
using hardware::next_free_address;
using hardware::read_lspci;
using hardware::read_sysfs;
using hardware::region;
using hardware::snapshot;
using hardware::violation;
using hardware::violation_kind;

}  // namespace devres::sim
