// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

#include "hazards/tour/devres_side.hpp"
#include "hazards/tour/linux_side.hpp"
#include "replay/machine.hpp"

namespace hazards {

/// A fault of ownership: what it is, what Linux makes of it, and who refuses it here.
struct hazard {
    std::string_view name;  ///< of the header with both versions of its driver
    std::string_view title;
    std::string_view about;        ///< the fault in Linux
    std::string_view with_devres;  ///< what takes its place
    std::string_view code;         ///< of the rule that refuses it
    replay::device_kind device;    ///< that the driver which compiles is bound to
    linux_side (*run_in_linux)();
    devres_run (*run_with_devres)(const lm::kernel_version&, replay::device_kind);
};

}  // namespace hazards
