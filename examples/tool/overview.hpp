// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>
#include <vector>

#include "output_options.hpp"
#include "tool/prepared.hpp"

/// What `examples/run` shows first.
namespace examples {

/// Runs all of them, and shows on one screen what came of each, one hazard, the lifetimes of one driver's resources and
/// where to look next. @returns the exit code
[[nodiscard]] int show_overview(const std::vector<prepared>& all, std::ostream& to, const output_options& options);

}  // namespace examples
