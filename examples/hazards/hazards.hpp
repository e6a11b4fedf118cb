// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>

#include "output.hpp"

/// The tour of ownership faults: what Linux does with them, and who refuses them here.
///
/// The answers of the compiler are those that it gave when this was built (refuse.cmake); without them, or the drivers'
/// sources where they were then, the tour fails.
namespace hazards {

/// Shows the tour. @returns the exit code: 0 if all is as it says, 1 if not
int run_hazards(examples::output out);

/// Writes docs/ownership.md. What depends on the compiler is not in it. @returns as `run_hazards`
int write_page(std::ostream& out, std::ostream& errors);

}  // namespace hazards
