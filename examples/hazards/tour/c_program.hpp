// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hazards/tour/event_text.hpp"
#include "hazards/tour/linux_side.hpp"
#include "hazards/tour/outcome_text.hpp"
#include "replay/machine.hpp"

/// C drivers that are scenario programs (test/kernel/README.md), run on the model of Linux.
namespace hazards {

/// Whether what became of a program on a kernel is what the tour says.
using expectation = bool (*)(const lm::kernel_version&, const replay::outcome&);

/// A row of the table of outcomes.
struct c_row {
    const char* patch;
    expectation holds;
    const char* text = nullptr;  ///< another program
    const char* what = "";       ///< in what it differs
};

/// A program, and what to do with it.
struct c_program {
    const char* text;
    replay::device_kind device = replay::device_kind::rocker;
    const char* patch = "none";  ///< that the kernel has of which the events are shown
    std::vector<c_row> rows;
    const char* confirmed_by = nullptr;  ///< a program in test/kernel/scenarios.txt; null: the same
    const char* confirmed_how = "";      ///< what is to be said of that
};

namespace detail {

[[nodiscard]] inline replay::program parsed(const char* text) { return replay::parse(text).value(); }

/// The C function that an operation calls; empty if the driver has no part in it.
[[nodiscard]] inline std::string c_call(const replay::operation& of, std::string_view patch) {
    const std::string number = std::to_string(of.number);
    switch (of.code) {
    case 'E': return "pcim_enable_device(pdev)";
    case 'e': return "pci_enable_device(pdev)";
    case 'd': return "pci_disable_device(pdev)";
    case 'B': return "pci_set_master(pdev)";
    case 'A':
    case 'a':
        return std::string(of.code == 'a' || patch == "none" ? "pci" : "pcim") + "_alloc_irq_vectors(pdev, " + number +
               ", " + number + ", PCI_IRQ_MSIX | PCI_IRQ_MSI)";
    case 'i': return "pci_alloc_irq_vectors(pdev, 1, " + number + ", PCI_IRQ_ALL_TYPES)";
    case 'F': return "pci_free_irq_vectors(pdev)";
    case 'Q': return "devm_request_irq() on each vector";
    case 'q': return "request_irq() on each vector";
    case 'V': return "devm_free_irq() on each vector";
    case 'f': return "free_irq() on each vector";
    case 'G': return "devres_open_group()";
    case 'g': return "devres_close_group()";
    case 'R': return "devres_release_group()";
    default: return "";
    }
}

[[nodiscard]] inline std::vector<phase_line> steps_of(const replay::program& what, std::string_view patch) {
    std::vector<phase_line> out;
    std::string phase;
    for (const replay::driver& each : what.drivers) {
        for (const auto& [name, operations] : {std::pair{"probe", &each.probe}, std::pair{"remove", &each.remove}}) {
            for (const replay::operation& operation : *operations) {
                if (std::string call = c_call(operation, patch); !call.empty())
                    add_line(out, phase, name, std::move(call));
            }
        }
    }
    return out;
}

/// What happened: in probe, in remove, and by devres after it.
[[nodiscard]] inline std::vector<phase_line> phases_of(std::span<const lm::event> events) {
    std::vector<phase_line> out;
    std::string phase;
    std::string_view name = "probe";
    event_text text;
    auto begin = events.begin();
    const auto add_until = [&](auto end) {
        for (std::string& line : text.lines({begin, end}))
            add_line(out, phase, name, std::move(line));
        begin = end;
    };
    for (auto at = events.begin(); at != events.end(); ++at) {
        if (at->kind == lm::event_kind::unbind) {
            add_until(at);
            name = "remove";
        } else if (at->kind == lm::event_kind::release && name == "remove") {
            add_until(at);
            name = "devres";
        } else if (at->kind == lm::event_kind::probe && at->value < 0) {
            add_until(std::next(at));
            name = "devres";
        } else if (at->kind == lm::event_kind::unbound || at->kind == lm::event_kind::oops) {
            add_until(std::next(at));
        }
    }
    return out;
}

}  // namespace detail

[[nodiscard]] inline linux_side run(const c_program& what) {
    const replay::program program = detail::parsed(what.text);
    linux_side out;
    out.device = what.device == replay::device_kind::rocker ? "rocker (4 MSI-X vectors)" : "edu (1 MSI vector, INTx)";
    out.steps = detail::steps_of(program, what.patch);
    out.patch = std::string_view(what.patch) == "none" ? "" : what.patch;
    const auto result = [&](const lm::kernel_version& version, const lm::patch_version& patch, const char* text) {
        return replay::machine(version, patch, what.device).run(detail::parsed(text));
    };

    replay::machine shown(lm::linux_6_1, *lm::find_patch(what.patch), what.device);
    const replay::outcome seen = shown.run(program);
    out.events = detail::phases_of(seen.events);
    out.left = left_behind(seen);
    out.next = seen.rebind ? answer_named(*seen.rebind) : "nothing, the kernel has stopped";

    out.program = what.confirmed_by != nullptr ? what.confirmed_by : what.text;
    out.device_of_program = replay::name_of(what.device);
    out.confirmed = what.confirmed_how;
    if (in_words(result(lm::linux_6_1, lm::unpatched, out.program.c_str())) != in_words(seen))
        out.deviations.push_back(out.program + " does not do on 6.1 what this does");

    for (const c_row& each : what.rows) {
        const lm::patch_version& patch = *lm::find_patch(each.patch);
        outcome_row row{(&patch == &lm::unpatched ? "unpatched" : "patch " + std::string(each.patch)) + each.what, {}};
        for (const lm::kernel_version& version : lm::kernel_versions) {
            if (&version == &lm::linux_5_16 && &patch != &lm::unpatched) {
                row.on_kernel.emplace_back("-");  // it is no patch of that kernel
                continue;
            }
            const replay::outcome found = result(version, patch, each.text != nullptr ? each.text : what.text);
            row.on_kernel.push_back(in_words(found));
            if (!each.holds(version, found))
                out.deviations.push_back("Linux " + std::string(version.name) + ", " + row.what + ": " +
                                         in_words(found));
        }
        out.rows.push_back(std::move(row));
    }
    return out;
}

}  // namespace hazards
