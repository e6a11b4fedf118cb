// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vector>

#include "hazards/tour/c_program.hpp"

/// What the C driver of each hazard does, and what must become of it on each kernel.
namespace hazards::c_programs {

using lm::kernel_version;
using replay::device_kind, replay::outcome;
using enum lm::warning_kind;

inline bool is_clean(const kernel_version&, const outcome& found) { return clean(found); }

/// Nobody frees the vectors: from 6.1 on with a warning; MSI-X stays enabled.
inline bool leaks(const kernel_version& kernel, const outcome& found) {
    const unsigned warned = kernel.vectors_in_pcim_release ? 0U : 1U;
    return found.probe == 0 && found.after.vectors_live == 4 && found.after.msix_enabled &&
           count(found, msi_data) == warned && found.rebind == -22;
}

/// The vectors go under their handlers: a BUG once, then a warning for each, and the records of the handlers leak.
inline bool freed_under_handlers(const kernel_version& kernel, const outcome& found) {
    if (kernel.bug_on_live_handler)
        return found.oops == "free_msi_irqs";
    return count(found, rpe) == 4 && found.warnings.size() == 4 && found.after.vectors_live == 0 && found.rebind == 0;
}

inline linux_side vectors_freed() { return run({.text = "EBA4QTP:F", .rows = {{"none", freed_under_handlers}}}); }

inline linux_side plain_name() {
    return run({.text = "EBA4QTP:",
                .patch = "v1-1",
                .rows = {{"none", is_clean},
                         {"v1-1", leaks},
                         {"v1-full", is_clean},
                         {"v1-full", leaks, "EBa4QTP:", ", plain name"},
                         {"v3", is_clean}},
                .confirmed_by = "MEBA4QTP:",
                .confirmed_how = "which sets the flag by hand"});
}

inline linux_side unmanaged_device() {
    return run({.text = "eBA4QTP:d",
                .patch = "v3",
                .rows = {{"none", leaks}, {"v1-1", leaks}, {"v1-full", is_clean}, {"v3", leaks}},
                .confirmed_how = "unpatched, where the plain function does the same"});
}

inline linux_side second_allocation() {
    const auto expected = [](const kernel_version& kernel, const outcome& found) {
        if (kernel.bug_on_live_handler)
            return found.oops == "free_msi_irqs";
        return found.probe == 0 && found.warnings == std::vector{double_enable, rpe} && found.rebind == 0;
    };
    return run({.text = "EBA1QTi1TFTP:", .device = device_kind::edu, .rows = {{"none", expected}}});
}

inline linux_side group_around() {
    const auto expected = [](const kernel_version&, const outcome& found) {
        return found.probe == -22 && found.warnings == std::vector{double_enable} &&
               found.states.at(0).vectors_live == 4 && found.rebind == 0;
    };
    return run({.text = "EBA4FGA4QTgRPA4QTP:", .rows = {{"none", expected}}});
}

inline linux_side second_free() {
    const auto stops = [](const kernel_version& kernel, const outcome& found) {
        return kernel.vectors_in_pcim_release ? clean(found) : found.oops == "mutex_lock";
    };
    return run({.text = "EBA4qTP:fF",
                .rows = {{"none", is_clean},
                         {"none", freed_under_handlers, "EBA4qTP:F", ", handlers forgotten"},
                         {"none", stops, "eBA4: eF:", ", vectors of another"}}});
}

}  // namespace hazards::c_programs
