// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <istream>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/sim.hpp>

#include "lspci/machine.hpp"
#include "lspci/report.hpp"
#include "output.hpp"
#include "progress.hpp"

namespace lspci {

namespace sim = devres::sim;

/// The functions that the text of `lspci -xxxx` describes. `name` is the text's, for messages.
/// @returns nothing if it is no dump: one line on `error` says what is wrong and where
[[nodiscard]] inline std::optional<std::vector<sim::dumped_function>> read_dump(std::istream& in, std::string_view name,
                                                                                std::ostream& error) {
    sim::lspci_error wrong;
    auto functions = sim::read_lspci(in, &wrong);
    if (in.bad())
        error << name << ": cannot be read\n";
    else if (!functions && wrong.line == 0)
        error << name << ": no function found; expected the output of lspci -xxxx\n";
    else if (!functions)
        error << name << ':' << wrong.line << ": " << wrong.reason << '\n';
    else
        return std::move(*functions);
    return std::nullopt;
}

/// Builds the machine that has these functions, puts a driver on each of them, fires every vector, takes the
/// drivers off and writes a table of what came of it.
/// @returns the exit code: 0 if everything was clean, 1 if not
inline int run_machine(std::vector<sim::dumped_function> functions, examples::output out) {
    const auto report = [&] {
        const examples::progress busy(out.progress(),
                                      "binding and interrupting " + detail::counted(functions.size(), "function"));
        return machine(std::move(functions)).exercise();
    }();
    print(std::move(out), report);
    return report.clean() ? 0 : 1;
}

/// Both.
/// @returns the exit code: 0 if everything was clean, 1 if not, 2 if the text is no dump: one line on `error`
/// then, and nothing on `out`.
inline int run_lspci(std::istream& in, std::string_view name, examples::output out, std::ostream& error) {
    auto functions = read_dump(in, name, error);
    return functions ? run_machine(std::move(*functions), std::move(out)) : 2;
}

}  // namespace lspci
