// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hazards/tour/late_interrupt.hpp"
#include "hazards/tour/linux_side.hpp"

/// What the tour says of the C drivers whose handlers are called too late.
namespace hazards {

namespace detail {

/// A row of the table, which must say the same for every kernel. @param expected how many handlers are called too late
template <class Run>
void add_row(linux_side& to, std::string what, unsigned expected, Run run) {
    outcome_row row{std::move(what), {}};
    for (const lm::kernel_version& version : lm::kernel_versions) {
        const late_calls found = run(version);
        row.on_kernel.push_back(found.in_words());
        if (found.with_freed != expected || !found.nothing_left || found.next != 0)
            to.deviations.push_back("Linux " + std::string(version.name) + ", " + row.what + ": " + found.in_words());
    }
    to.rows.push_back(std::move(row));
}

/// What is the same for both: on a real kernel, the fault itself is a use after free.
inline linux_side side_of(const late_calls& shown) {
    linux_side out;
    out.device = "a function with 4 MSI-X vectors";
    out.steps = shown.steps;
    out.events = shown.events;
    out.left = shown.nothing_left ? "nothing" : "something";
    out.next = answer_named(shown.next);
    out.program = "EBA4QTP:";
    out.device_of_program = "rocker";
    out.confirmed = "for the order only: devres frees the handlers after remove(). The late interrupt is the model's "
                    "alone, as it would be a use after free";
    return out;
}

}  // namespace detail

/// Both ways, one after the other.
[[nodiscard]] inline linux_side switchtec_in_linux() {
    const late_calls failing = run_switchtec(lm::linux_6_1, switchtec_end::probe_error);
    const late_calls removed = run_switchtec(lm::linux_6_1, switchtec_end::remove);
    linux_side out = detail::side_of(failing);
    const auto append_from = [](std::vector<phase_line>& to, const std::vector<phase_line>& from,
                                std::string_view phase) {
        to.insert(to.end(), std::ranges::find(from, phase, &phase_line::phase), from.end());
    };
    append_from(out.steps, removed.steps, "remove");
    append_from(out.events, removed.events, "remove");
    detail::add_row(out, "a probe that fails", 1,
                    [](const auto& version) { return run_switchtec(version, switchtec_end::probe_error); });
    detail::add_row(out, "remove()", 0,
                    [](const auto& version) { return run_switchtec(version, switchtec_end::remove); });
    return out;
}

[[nodiscard]] inline linux_side vmd_in_linux() {
    linux_side out = detail::side_of(run_vmd(lm::linux_6_1));
    detail::add_row(out, "remove()", 4, [](const auto& version) { return run_vmd(version); });
    return out;
}

}  // namespace hazards
