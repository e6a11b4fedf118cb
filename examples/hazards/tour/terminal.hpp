// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hazards/tour/report.hpp"
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

/// A row for each outcome: kernels with the same one share it.
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

/// What the C driver does, and Linux with it.
inline void linux_part(examples::output& out, const linux_side& in_linux) {
    out.line();
    out.line("  the C driver, on " + in_linux.device);
    column(out, in_linux.steps);

    out.line();
    out.line("  Linux 6.1" + (in_linux.patch.empty() ? "" : " with patch " + in_linux.patch) + " (the model)");
    column(out, in_linux.events);
    column(out, {{"left", in_linux.left}, {"next probe", in_linux.next}});
    paragraph(out,
              "confirmed on 6.1 by " + in_linux.program + " on " + in_linux.device_of_program +
                  (in_linux.confirmed.empty() ? "" : ", " + in_linux.confirmed),
              "    ");
}

inline void kernels_part(examples::output& out, const report& each) {
    out.line();
    out.line("  on each kernel");
    for (const outcome_row& row : each.in_linux.rows)
        rows(out, row);
    rows(out, each.on_kernels);
}

/// What the compiler says to the driver of this library, and both versions of that.
inline void refusal_part(examples::output& out, const report& each, std::string_view compiler) {
    out.line();
    out.line("  with devres, refused by " + std::string(compiler));
    out.line("    " + each.header() + ":" + std::to_string(each.refused.line) + ":");
    out.line("    " + each.refused_line());
    for (const std::string& line : wrapped(each.refused.message, page_width - 4))
        out.line("    " + line, style::bad);
    out.line();
    out.line("  the driver: with the lines marked - it is refused, with those marked + it runs");
    for (const source_line& line : each.driver.drivers) {
        const std::string text = line.text.empty() ? "" : "  " + std::string(1, line.sign) + " " + line.text;
        out.line(text, line.sign == '-' ? style::bad : line.sign == '+' ? style::good : style::plain);
    }
    out.line();
    paragraph(out, each.what->with_devres);
}

inline void devres_part(examples::output& out, const devres_run& in_devres) {
    out.line();
    out.line("  it runs, on the same Linux 6.1");
    column(out, in_devres.events);
    column(out,
           {{"left", in_devres.faults.empty() ? "nothing" : in_devres.faults.front()}, {"next probe", in_devres.next}});
    out.line("    ledger: " + out.painted(in_devres.ledger, in_devres.ledger == "clean" ? style::good : style::bad));
}

}  // namespace detail

/// The fault, what Linux 6.1 makes of it and who refuses it here, in a few lines of 80 columns.
inline void show_briefly(examples::output& out, const report& each) {
    constexpr std::size_t width = 80, indent = 12;
    const auto entry = [&](std::string_view head, const std::string& text,
                           examples::style as = examples::style::plain) {
        std::string first = "  " + std::string(head);
        first.append(indent - first.size(), ' ');
        for (const std::string& line : wrapped(text, width - indent)) {
            out.line(first + line, as);
            first.assign(indent, ' ');
        }
    };
    out.heading("A fault of ownership: " + std::string(each.what->title));
    for (std::size_t i = 0; i != each.in_linux.steps.size();) {
        const std::string phase = each.in_linux.steps[i].phase;
        std::string calls = each.in_linux.steps[i].text;
        for (++i; i != each.in_linux.steps.size() && each.in_linux.steps[i].phase.empty(); ++i)
            calls += "; " + each.in_linux.steps[i].text;
        entry(phase, calls);
    }
    for (const phase_line& event : each.in_linux.events) {
        if (event.text.starts_with("WARNING"))
            entry("Linux 6.1", event.text, examples::style::bad);
    }
    entry("left", each.in_linux.left);
    entry("here", each.refused_line());
    entry("", each.refused.message, examples::style::bad);
}

/// One stop of the tour. @returns whether all is as it says
inline bool show(examples::output& out, unsigned number, const report& each, std::string_view compiler) {
    out.heading(std::to_string(number) + ". " + std::string(each.what->title));
    detail::paragraph(out, each.what->about);
    detail::linux_part(out, each.in_linux);
    detail::kernels_part(out, each);
    detail::refusal_part(out, each, compiler);
    detail::devres_part(out, each.in_devres);
    for (const std::string& wrong : each.deviations)
        out.problem("  not as expected: " + wrong);
    return each.deviations.empty();
}

}  // namespace hazards
