// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>
#include <string>
#include <vector>

/// What Linux does when C drivers do this with a device, on a model of it.
namespace replay {

/// What the command line asks for.
struct request {
    std::string kernel = "6.1";
    std::string patch = "none";
    std::string device = "rocker";
    bool events = false;
    bool explain = false;  ///< words instead of JSON
    std::vector<std::string> programs;
};

/// Replays programs, each on a machine of its own, and prints what becomes of them. All are read before the first runs.
/// @returns the exit code: 2, and a line on `errors`, for a request that cannot be understood
int run(const request& asked, std::ostream& to, std::ostream& errors);

}  // namespace replay
