// SPDX-License-Identifier: BSL-1.0
#include "tool/overview.hpp"

#include <algorithm>
#include <cstddef>
#include <future>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>

#include <devres/testing/chart_text.hpp>

#include "hazards/hazards.hpp"
#include "output.hpp"
#include "tool/demonstrations.hpp"

namespace examples {

int show_overview(const std::vector<prepared>& all, std::ostream& to, const output_options& options) {
    const auto start = [](auto what) { return std::async(std::launch::async, std::move(what)); };
    std::vector<std::future<std::pair<int, std::string>>> outcomes;
    for (const prepared& each : all) {
        outcomes.push_back(start([&each, &options] {
            std::ostream nowhere(nullptr);
            return run_one(each, nowhere, options);
        }));
    }
    auto trace = start(switchtec_trace);

    output out(to, options);
    out.line("devres: who frees each resource of a device is part of its type", style::heading);
    out.line();
    std::size_t width = 0;
    for (const prepared& each : all)
        width = std::max(width, each.command.size());
    bool good = true;
    for (std::size_t i = 0; i != all.size(); ++i) {
        const auto [code, found] = outcomes[i].get();
        out.verdict(code == 0, all[i].command, (all[i].file.empty() ? "" : all[i].file + ": ") + found, width);
        good = good && code == 0;
    }
    good = hazards::show_first(out) && good;
    out.heading("Switchtec's resources, from bind to unbind");
    std::stringstream chart;
    devres::testing::write_chart_text(chart, trace.get());
    for (std::string row; std::getline(chart, row);)
        out.line(row);
    out.heading("Next");
    out.line("  examples/run switchtec         one of them, step by step; -v: all of them");
    out.line("  examples/run hazards --list    the other faults; hazards NAME: one in full");
    out.line("  examples/run lspci             what each PCI function of this machine offers");
    out.line("  examples/run vfio --list       which of them a driver could have, through VFIO");
    out.line("  README.md, docs/               a driver of your own");
    return good ? 0 : 1;
}

}  // namespace examples
