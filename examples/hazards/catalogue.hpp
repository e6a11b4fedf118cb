// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/c_program.hpp"
#include "hazards/driver_data.hpp"
#include "hazards/flag_set.hpp"
#include "hazards/group_around.hpp"
#include "hazards/hazard.hpp"
#include "hazards/late_interrupt.hpp"
#include "hazards/second_allocation.hpp"
#include "hazards/second_free.hpp"
#include "hazards/unmanaged_device.hpp"
#include "hazards/vector_lists.hpp"
#include "hazards/vectors_freed.hpp"

namespace hazards {

namespace detail {

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

inline linux_side flag_set() {
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
    const auto as_told = [](const kernel_version& kernel, const outcome& found) {
        if (kernel.bug_on_live_handler)
            return found.oops == "free_msi_irqs";
        return found.probe == 0 && found.warnings == std::vector{double_enable, rpe} && found.rebind == 0;
    };
    return run({.text = "EBA1QTi1TFTP:", .device = device_kind::edu, .rows = {{"none", as_told}}});
}

inline linux_side group_around() {
    const auto as_told = [](const kernel_version&, const outcome& found) {
        return found.probe == -22 && found.warnings == std::vector{double_enable} &&
               found.states.at(0).vectors_live == 4 && found.rebind == 0;
    };
    return run({.text = "EBA4FGA4QTgRPA4QTP:", .rows = {{"none", as_told}}});
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

}  // namespace detail

/// The tour, in its order.
inline constexpr hazard catalogue[] = {
    {.name = "vectors_freed",
     .title = "Vectors freed under live managed handlers",
     .about = "The device is enabled with pcim_enable_device(), so devres frees the vectors. remove() frees them as "
              "well, while devres still holds the handlers on them. Nothing looks: since 5.17 the number of each "
              "vector goes away under its handler, the handler's record leaks, and devres's own free_irq() of it "
              "finds nothing, in silence. Before that it was a BUG.",
     .with_devres = "A free of managed vectors does not compile, whoever has handlers on them. Vectors that are to "
                    "go before the unbind are allocated in a group, with their handlers.",
     .code = "D001",
     .device = replay::device_kind::rocker,
     .tell = detail::vectors_freed,
     .run = run_driver<vectors_freed::driver>},
    {.name = "flag_set",
     .title = "The flag set before the allocation (v1)",
     .about = "Patch 1 of the series (v1) has pcim_alloc_irq_vectors() set is_msi_managed and then call the plain "
              "function, which takes the flag for \"the release is installed already\". Nobody frees the vectors. "
              "The driver has no fault at all: the name of the function says that devres does.",
     .with_devres = "No flag on the device says who frees, so none can be set too early: each allocation that "
                    "succeeds has a record of its own. What is refused is the plain name on a managed device, the "
                    "one whose meaning a flag decides.",
     .code = "D003",
     .device = replay::device_kind::rocker,
     .tell = detail::flag_set,
     .run = run_driver<flag_set::driver>},
    {.name = "unmanaged_device",
     .title = "Managed by name, on an unmanaged device (v3)",
     .about = "In v3 of the series pcim_alloc_irq_vectors() is the plain function under another name, and that one "
              "is managed on devices of pcim_enable_device() only. A driver that enables and disables the device "
              "itself reads that devres frees its vectors, and nobody does.",
     .with_devres = "Managed vectors ask for a managed enable, by its type.",
     .code = "D005",
     .device = replay::device_kind::rocker,
     .tell = detail::unmanaged_device,
     .run = run_driver<unmanaged_device::driver>},
    {.name = "second_allocation",
     .title = "Double allocation, through INTx",
     .about = "While MSI or MSI-X is enabled, another allocation of them fails. One that allows INTx goes on to "
              "INTx and succeeds, with a warning, once. What it is given is no interrupt of its own: its vector 0 "
              "is the first owner's, and whoever frees first frees for both, under live handlers.",
     .with_devres = "A second allocation while one lives is EBUSY, INTx included. That is found when it runs: the "
                    "compiler does not count allocations. What it refuses is the plain name on a managed device, by "
                    "which the second owner asks.",
     .code = "D003",
     .device = replay::device_kind::edu,
     .tell = detail::second_allocation,
     .run = run_driver<second_allocation::driver>},
    {.name = "group_around",
     .title = "Vectors allocated in a group, owned from outside",
     .about = "Linux puts one record on the list, at the first attempt, and later allocations rely on it. If that "
              "attempt was made before a group was opened, and its vectors freed again, a release of the group "
              "frees the handlers in it and leaves the vectors. Here the driver then allocates again, and cannot.",
     .with_devres = "Each allocation has its own record, at its own place, so a group frees what was allocated in "
                    "it; a failed one leaves no record at all. What is refused is the free by hand of the first "
                    "attempt, which gets a group instead.",
     .code = "D001",
     .device = replay::device_kind::rocker,
     .tell = detail::group_around,
     .run = run_driver<group_around::driver>},
    {.name = "driver_data",
     .title = "Handlers that outlive the driver data (switchtec)",
     .about = "switchtec's handlers are managed, and called with driver data that is not. remove() and the error "
              "paths of probe drop the last reference to it; devres frees the handlers after that. In remove() bus "
              "mastering is off by then, so that no new message is sent (a handler that is running is not waited "
              "for). A probe that fails behind devm_request_irq() leaves it on.",
     .with_devres = "A managed handler takes a managed object, which devm_emplace makes from its parts. When the "
                    "driver goes, and when its probe fails, the handlers end first; then bus mastering goes off, and "
                    "the object after that.",
     .code = "D002",
     .device = replay::device_kind::rocker,
     .tell = tell_switchtec,
     .run = run_driver<driver_data::driver>},
    {.name = "vector_lists",
     .title = "Handlers that outlive the SRCU of their lists (VMD)",
     .about = "VMD's handlers are managed, and walk lists of child interrupts under SRCU. remove() cleans the SRCU "
              "of every list up; devres frees the handlers after that. The children are gone by then, and interrupt "
              "no more. Bus mastering is on, and an interrupt of VMD's that comes all the same takes a lock that is "
              "gone.",
     .with_devres = "A managed handler is taken to touch everything that its driver acquires. Of each line that is not "
                    "managed, the table says that handlers keep off it, irq_handler.without(...), or that the driver "
                    "sees to it, irq_handler.guarding(...). A table that says neither does not compile: to forget one "
                    "is safe.",
     .code = "D002",
     .device = replay::device_kind::rocker,
     .tell = tell_vmd,
     .run = run_driver<vector_lists::driver>},
    {.name = "second_free",
     .title = "The second free, which is benign",
     .about = "The driver frees its handlers, then the vectors, and devres frees the vectors again. This is the "
              "\"double free\" that the series was to remove, and it does no harm: pci_free_irq_vectors() finds "
              "msix_enabled and msi_enabled clear, and returns. It takes another fault for harm: a handler that is "
              "still registered (1), a second owner (4), a free by a later driver when the record of the vectors is "
              "gone.",
     .with_devres = "It is refused all the same, as the same call is the first fault as soon as one handler is "
                    "managed.",
     .code = "D001",
     .device = replay::device_kind::rocker,
     .tell = detail::second_free,
     .run = run_driver<second_free::driver>},
};

}  // namespace hazards
