// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <istream>
#include <optional>
#include <ostream>
#include <string>
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

/// What a reader found, after its report is written to `error`: one line for what it left out or had to guess, or for why it found nothing.
[[nodiscard]] inline std::optional<std::vector<sim::dumped_function>>
reported(devres::result<std::vector<sim::dumped_function>> functions, const sim::dump_report& report,
         std::string_view name, std::ostream& error) {
    if (!functions) {
        error << name << ':' << (report.line == 0 ? "" : std::to_string(report.line) + ':') << ' ' << report.reason
              << '\n';
        return std::nullopt;
    }
    if (!report.remarks.empty())
        error << name << ": note: " << report.summary() << '\n';
    return std::move(*functions);
}

/// The functions that the text of `lspci -xxxx` describes. `name` is the text's, for messages.
/// @returns nothing if it is no dump, or cannot be read
[[nodiscard]] inline std::optional<std::vector<sim::dumped_function>>
read_dump(std::istream& in, std::string_view name, std::ostream& error, unsigned which = 0) {
    sim::dump_report report;
    auto functions = sim::read_lspci(in, &report, which);
    if (!in.bad())
        return reported(std::move(functions), report, name, error);
    error << name << ": cannot be read\n";
    return std::nullopt;
}

/// The functions of a copy of /sys/bus/pci/devices, or of one function's directory.
[[nodiscard]] inline std::optional<std::vector<sim::dumped_function>> read_directory(const std::string& name,
                                                                                     std::ostream& error) {
    sim::dump_report report;
    auto functions = sim::read_sysfs(name, &report);
    return reported(std::move(functions), report, name, error);
}

/// Builds the machine that has these functions, puts a driver on each of them, fires every vector, takes the
/// drivers off and writes a table of what came of it, with `bars` one of the BARs too.
/// @returns the exit code: 0 if everything was clean, 1 if not
inline int run_machine(std::vector<sim::dumped_function> functions, examples::output out, bool bars = false) {
    const auto report = [&] {
        const examples::progress busy(out.progress(),
                                      "binding and interrupting " + detail::counted(functions.size(), "function"));
        return machine(std::move(functions)).exercise();
    }();
    print(std::move(out), report, bars);
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
