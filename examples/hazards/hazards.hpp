// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "output_options.hpp"

/// The tour of ownership faults: what Linux does with them, and who refuses them here.
///
/// The answers of the compiler are those that it gave when this was built (refuse.cmake); without them, or the drivers'
/// sources where they were then, the tour fails.
namespace hazards {

/// The names of the hazards, in the order of the tour, each with what it is.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> names();

/// Shows the tour, or the one hazard of that name. @returns the exit code: 0 if all is as it says, 1 if not
int run_hazards(examples::output out, const std::string& name = "");

/// Shows the first hazard in a few lines. @returns whether all is as it says
bool show_first(examples::output& out);

/// Writes docs/ownership.md. What depends on the compiler is not in it. @returns as `run_hazards`
int write_page(std::ostream& out, std::ostream& errors);

}  // namespace hazards
