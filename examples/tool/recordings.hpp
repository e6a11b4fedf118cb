// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>

#include "tool/command_line.hpp"

/// What happened in an example, as files.
namespace examples {

/// Writes the chart and the trace that are asked for. @returns whether both could be written; one line on `errors` says why not
[[nodiscard]] bool write_recordings(const request& asked, std::ostream& errors);

}  // namespace examples
