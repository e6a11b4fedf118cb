// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <iterator>
#include <string>
#include <vector>

#include "hazards/tour/text.hpp"

namespace hazards {

/// One row of a table: what it is about, and what came of it on each kernel, oldest first.
struct outcome_row {
    static constexpr std::size_t kernels = std::size(lm::kernel_versions);

    std::string what;
    std::vector<std::string> on_kernel;
};

/// What a C driver does, and what Linux does then.
struct linux_side {
    std::string device;             ///< that it drives
    std::vector<phase_line> steps;  ///< of the driver
    std::string patch;              ///< that the kernel of `events`, a 6.1, has; empty: none
    std::vector<phase_line> events;
    std::string left;     ///< when the driver is gone
    std::string next;     ///< what the probe of the next driver says
    std::string program;  ///< that the real kernel was given; empty: none
    std::string device_of_program;
    std::string confirmed;  ///< what of this the real kernel did with it
    std::vector<outcome_row> rows;
    std::vector<std::string> deviations;  ///< what is not as the tour says
};

}  // namespace hazards
