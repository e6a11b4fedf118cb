// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replay/command.hpp"
#include "tool/demonstrations.hpp"
#include "vfio/command.hpp"

/// The command line of the examples' tool.
namespace examples {

/// The exit code for wrong use.
inline constexpr int wrong_use = 2;

/// What the command line asks for.
struct request {
    std::vector<demonstration> demonstrations{};
    bool hazards = false;
    std::string hazard{};  ///< the only one of them; empty: all
    bool hazard_names = false;
    bool page = false;
    bool overview = false;  ///< one screen instead of everything
    std::string chart{};    ///< a file for what happened to Switchtec, as a picture; empty: none
    std::string trace{};    ///< the same as a trace
    std::vector<std::string> dumps{};
    unsigned which = 0;    ///< of functions that are in a dump more than once; 0: the one with most bytes
    bool verbose = false;  ///< BARs too; everything instead of an overview
    std::optional<replay::request> programs{};
    std::optional<vfio_command::request> device{};
    bool quiet = false;
    bool no_color = false;
};

/// @returns what is asked for, or the exit code if that is nothing (more): help was asked for and is written, or the
/// command line is wrong, and one line on standard error says how
[[nodiscard]] std::pair<request, std::optional<int>> read_command_line(int argc, char** argv);

}  // namespace examples
