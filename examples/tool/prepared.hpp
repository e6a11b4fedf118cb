// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "output_options.hpp"
#include "tool/command_line.hpp"

/// The examples that were asked for, ready to run.
namespace examples {

/// An example with all that it needs.
struct prepared {
    std::string name;
    std::string command;  ///< the first word of it
    std::string file;     ///< what it is about, without its folders; empty: no file
    std::string about;
    std::function<int(output)> run;  ///< answers 0 if every ledger was clean in the end, 1 if not
};

/// Everything is read before anything is written. A file that is wrong is left out, which one line on standard error says.
/// @returns what there is to run, and whether a file was wrong
[[nodiscard]] std::pair<std::vector<prepared>, bool> prepare(const request& asked);

/// Runs one, under its title. @returns its exit code, and what came of it in a few words
[[nodiscard]] std::pair<int, std::string> run_one(const prepared& what, std::ostream& to, output_options options);

/// Runs them in order, and says at the end what came of each. @returns the exit code
[[nodiscard]] int run(const std::vector<prepared>& all, std::ostream& to, const output_options& options);

}  // namespace examples
