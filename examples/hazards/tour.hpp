// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hazards/told.hpp"
#include "output.hpp"

/// The tour on a terminal.
namespace hazards {

namespace detail {

constexpr std::size_t page_width = 110;

using examples::style;

inline void paragraph(examples::output& out, std::string_view text, std::string_view indent = "  ") {
    for (const std::string& line : wrapped(text, page_width - indent.size()))
        out.line(std::string(indent) + line);
}

inline void column(examples::output& out, const std::vector<phase_line>& lines) {
    constexpr std::size_t width = std::string_view("next probe").size() + 2;
    for (const phase_line& each : lines) {
        const std::string text = "    " + each.phase + std::string(width - std::min(width, each.phase.size()), ' ') +
                                 each.text;
        const bool bad = each.text.starts_with("WARNING") || each.text.starts_with("the kernel");
        out.line(text, bad ? style::bad : style::plain);
    }
}

/// A row for each outcome: kernels with the same one are told together.
inline void rows(examples::output& out, const outcome_row& row) {
    constexpr std::size_t what_width = std::string_view("patch v1-full, plain name").size();
    constexpr std::size_t kernels_width = std::string_view("5.16, 6.1, 6.12, 6.18").size();
    std::string what = row.what;
    for (std::size_t i = 0; i != row.on_kernel.size();) {
        std::string kernels(lm::kernel_versions[i].name);
        std::size_t next = i + 1;
        for (; next != row.on_kernel.size() && row.on_kernel[next] == row.on_kernel[i]; ++next)
            kernels.append(", ").append(lm::kernel_versions[next].name);
        if (row.on_kernel[i] != "-") {
            what.resize(std::max(what.size(), what_width), ' ');
            kernels.resize(std::max(kernels.size(), kernels_width), ' ');
            out.line("    " + what + "  " + kernels + "  " + row.on_kernel[i]);
            what.clear();
        }
        i = next;
    }
}

}  // namespace detail

/// One stop of the tour. @returns whether all is as it says
inline bool show(examples::output& out, unsigned number, const told& each, std::string_view compiler) {
    using examples::style;
    const linux_side& in_linux = each.in_linux;
    out.heading(std::to_string(number) + ". " + std::string(each.what->title));
    detail::paragraph(out, each.what->about);

    out.line();
    out.line("  the C driver, on " + in_linux.device);
    detail::column(out, in_linux.steps);

    out.line();
    out.line("  Linux 6.1" + (in_linux.patch.empty() ? "" : " with patch " + in_linux.patch) + " (the model)");
    detail::column(out, in_linux.events);
    detail::column(out, {{"left", in_linux.left}, {"next probe", in_linux.next}});
    detail::paragraph(out,
                      "confirmed on 6.1 by " + in_linux.program + " on " + in_linux.device_of_program +
                          (in_linux.confirmed.empty() ? "" : ", " + in_linux.confirmed),
                      "    ");

    out.line();
    out.line("  on each kernel");
    for (const outcome_row& row : in_linux.rows)
        detail::rows(out, row);
    detail::rows(out, each.on_kernels);

    out.line();
    out.line("  with devres, refused by " + std::string(compiler));
    out.line("    " + each.header() + ":" + std::to_string(each.refused.line) + ":");
    out.line("    " + each.refused_line());
    for (const std::string& line : wrapped(each.refused.message, detail::page_width - 4))
        out.line("    " + line, style::bad);
    out.line();
    out.line("  the driver: with the lines marked - it is refused, with those marked + it runs");
    for (const source_line& line : each.driver.drivers) {
        const std::string text = line.text.empty() ? "" : "  " + std::string(1, line.sign) + " " + line.text;
        out.line(text, line.sign == '-' ? style::bad : line.sign == '+' ? style::good : style::plain);
    }
    out.line();
    detail::paragraph(out, each.what->with_devres);
    out.line();
    out.line("  it runs, on the same Linux 6.1");
    detail::column(out, each.in_devres.events);
    detail::column(out, {{"left", each.in_devres.faults.empty() ? "nothing" : each.in_devres.faults.front()},
                         {"next probe", each.in_devres.next}});
    const std::string& ledger = each.in_devres.ledger;
    out.line("    ledger: " + out.painted(ledger, ledger == "clean" ? style::good : style::bad));

    for (const std::string& wrong : each.untrue)
        out.problem("  not as told: " + wrong);
    return each.untrue.empty();
}

}  // namespace hazards
