// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <iosfwd>
#include <string>

/// What the command line says about how examples write.
namespace examples {

class output;

/// Where it is said what takes long.
struct progress_options {
    std::ostream* to = nullptr;  ///< null: nothing is said
    bool terminal = false;       ///< can erase; otherwise a line is said once, and stays
};

struct output_options {
    bool colour = false;
    bool quiet = false;  ///< only problems and verdicts
    progress_options progress{};
    std::string* summary = nullptr;  ///< where an example says what came of it, in a few words with numbers
};

}  // namespace examples
