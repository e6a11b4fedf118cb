// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cctype>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hazards/tour/markdown.hpp"
#include "hazards/tour/report.hpp"

/// The tour as docs/ownership.md.
namespace hazards {

namespace detail {

[[nodiscard]] inline std::string heading_of(unsigned number, const report& each) {
    return std::to_string(number) + ". " + std::string(each.what->title);
}

inline void text_block(std::ostream& out, const std::vector<phase_line>& lines) {
    constexpr std::size_t width = std::string_view("next probe").size() + 2;
    for (const phase_line& each : lines)
        out << each.phase << std::string(width - std::min(width, each.phase.size()), ' ') << each.text << '\n';
}

inline void table_head(std::ostream& out) {
    out << "| |";
    for (const lm::kernel_version& version : lm::kernel_versions)
        out << ' ' << version.name << " |";
    out << "\n|---|";
    for ([[maybe_unused]] const lm::kernel_version& version : lm::kernel_versions)
        out << "---|";
    out << '\n';
}

inline void table_row(std::ostream& out, const outcome_row& row) {
    out << "| " << row.what << " |";
    for (const std::string& cell : row.on_kernel)
        out << ' ' << cell << " |";
    out << '\n';
}

inline void section(std::ostream& out, unsigned number, const report& each) {
    const linux_side& in_linux = each.in_linux;
    out << "## " << heading_of(number, each) << "\n\n";
    markdown(out, each.what->about);

    out << "The C driver, on " << in_linux.device << ":\n\n```text\n";
    text_block(out, in_linux.steps);
    out << "```\n\nLinux 6.1" << (in_linux.patch.empty() ? "" : " with patch " + in_linux.patch) << ":\n\n```text\n";
    text_block(out, in_linux.events);
    text_block(out, {{"left", in_linux.left}, {"next probe", in_linux.next}});
    out << "```\n\n";
    markdown(out, "Confirmed on 6.1 by `" + in_linux.program + "` on " + in_linux.device_of_program +
                      (in_linux.confirmed.empty() ? "" : ", " + in_linux.confirmed) + ".");
    table_head(out);
    for (const outcome_row& row : in_linux.rows)
        table_row(out, row);
    table_row(out, each.on_kernels);

    const bool replaced = std::ranges::any_of(each.driver.drivers,
                                              [](const source_line& line) { return line.sign == '+'; });
    out << '\n';
    markdown(out, "**With devres** ([" + each.header() + "](../examples/" + each.header() +
                      ")) the lines marked `-` are refused" +
                      (replaced ? ", those marked `+` are in their place:" : ":"));
    out << "```diff\n";
    for (const source_line& line : each.driver.drivers)
        out << (line.text.empty() ? "" : line.sign + line.text) << '\n';
    out << "```\n\n```text\n" << each.refused_line() << '\n';
    for (const std::string& line : wrapped(each.refused.message, markdown_width - 4))
        out << "    " << line << '\n';
    out << "```\n\n";
    markdown(out, each.what->with_devres);
    out << "It runs, on the same Linux 6.1:\n\n```text\n";
    text_block(out, each.in_devres.events);
    text_block(out, {{"left", each.in_devres.faults.empty() ? "nothing" : each.in_devres.faults.front()},
                     {"next probe", each.in_devres.next}});
    out << "ledger: " << each.in_devres.ledger << "\n```\n\n";
}

constexpr std::string_view introduction =
    R"(# Ownership faults in Linux drivers

Eight faults that a C driver can have because nothing says who frees what: the driver's steps, what Linux does, and the
same driver written with devres, which the compiler refuses. This page is written by `examples/run hazards --markdown`
from runs: of C drivers on a model of Linux (`devres::linux_model`), of the drivers of this library on the same model,
and of the compiler. A test holds the page to them; `examples/run hazards` shows the same on a terminal, with the
compiler's name.

"Confirmed on 6.1" names a program that a real kernel was given in QEMU, with the same outcome as the model's:
[test/kernel](../test/kernel/README.md) has the language and the lab, and `examples/run replay --events PROGRAM` runs it
on the model. The kernels in the tables are the model's. The patches are versions of the series "Add Devres managed IRQ
vectors allocation" of 2026, which [conversion.md](conversion.md#the-series-of-2026) describes; there is none for 5.16.

)";

constexpr std::string_view ending =
    R"(## A driver of your own

The model is a header. What a C driver does can be tried on any of its kernels, with the functions' own names:

```cpp
#include <iostream>

#include <devres/linux_model.hpp>

namespace linux_model = devres::linux_model;

int main() {
    linux_model::kernel kernel(linux_model::linux_6_1);
    auto& dev = kernel.add({.msix_vectors = 4, .bar_sizes = {4096}});
    const linux_model::kernel::driver forgetful = {
        .name = "forgetful",
        .probe = [&](auto& pdev) {
            kernel.pci_enable_device(pdev);
            return kernel.pci_alloc_irq_vectors(pdev, 4, 4, linux_model::pci_irq::msix) < 0 ? -28 : 0;
        },
        .remove = [&](auto& pdev) { kernel.pci_disable_device(pdev); }};
    kernel.bind(dev, forgetful);
    kernel.unbind(dev);
    kernel.bind(dev, forgetful);
    for (const auto& event : kernel.log().events()) {
        if (event.kind == linux_model::event_kind::warning || event.kind == linux_model::event_kind::message)
            std::cout << event.text << '\n';
    }
}
```

```output
WARNING in msi_device_data_release
WARNING in __pci_enable_msix_range
probe of forgetful failed with error -28
```
)";

}  // namespace detail

/// Writes the page.
inline void write_page(std::ostream& out, std::span<const report> all) {
    out << detail::introduction << "| | Linux 6.1 | with devres |\n|---|---|---|\n";
    unsigned number = 0;
    for (const report& each : all) {
        const std::string heading = detail::heading_of(++number, each);
        const bool patched = !each.in_linux.patch.empty();
        const auto shown = std::ranges::find_if(each.in_linux.rows, [&](const outcome_row& row) {
            return !patched || row.what == "patch " + each.in_linux.patch;
        });
        std::string code(each.what->code);
        std::ranges::transform(code, code.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        out << "| [" << heading << "](#" << detail::anchor_of(heading) << ") | "
            << (patched ? "with patch " + each.in_linux.patch + ": " : "") << shown->on_kernel[1] << " | refused, ["
            << each.what->code << "](diagnostics.md#" << code << ") |\n";
    }
    out << '\n';
    number = 0;
    for (const report& each : all)
        detail::section(out, ++number, each);
    out << detail::ending;
}

}  // namespace hazards
