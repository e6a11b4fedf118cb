// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/c_programs.hpp"
#include "hazards/drivers/driver_data.hpp"
#include "hazards/drivers/group_around.hpp"
#include "hazards/drivers/plain_name.hpp"
#include "hazards/drivers/second_allocation.hpp"
#include "hazards/drivers/second_free.hpp"
#include "hazards/drivers/unmanaged_device.hpp"
#include "hazards/drivers/vector_lists.hpp"
#include "hazards/drivers/vectors_freed.hpp"
#include "hazards/hazard.hpp"
#include "hazards/tour/late_interrupt_side.hpp"

namespace hazards {

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
     .run_in_linux = c_programs::vectors_freed,
     .run_with_devres = run_driver<vectors_freed::driver>},
    {.name = "plain_name",
     .title = "The flag set before the allocation (v1)",
     .about = "Patch 1 of the series (v1) has pcim_alloc_irq_vectors() set is_msi_managed and then call the plain "
              "function, which takes the flag for \"the release is installed already\". Nobody frees the vectors. "
              "The driver has no fault at all: the name of the function says that devres does.",
     .with_devres = "No flag on the device says who frees, so none can be set too early: each allocation that "
                    "succeeds has a record of its own. What is refused is the plain name on a managed device, the "
                    "one whose meaning a flag decides.",
     .code = "D003",
     .device = replay::device_kind::rocker,
     .run_in_linux = c_programs::plain_name,
     .run_with_devres = run_driver<plain_name::driver>},
    {.name = "unmanaged_device",
     .title = "Managed by name, on an unmanaged device (v3)",
     .about = "In v3 of the series pcim_alloc_irq_vectors() is the plain function under another name, and that one "
              "is managed on devices of pcim_enable_device() only. A driver that enables and disables the device "
              "itself reads that devres frees its vectors, and nobody does.",
     .with_devres = "Managed vectors ask for a managed enable, by its type.",
     .code = "D005",
     .device = replay::device_kind::rocker,
     .run_in_linux = c_programs::unmanaged_device,
     .run_with_devres = run_driver<unmanaged_device::driver>},
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
     .run_in_linux = c_programs::second_allocation,
     .run_with_devres = run_driver<second_allocation::driver>},
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
     .run_in_linux = c_programs::group_around,
     .run_with_devres = run_driver<group_around::driver>},
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
     .run_in_linux = switchtec_in_linux,
     .run_with_devres = run_driver<driver_data::driver>},
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
     .run_in_linux = vmd_in_linux,
     .run_with_devres = run_driver<vector_lists::driver>},
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
     .run_in_linux = c_programs::second_free,
     .run_with_devres = run_driver<second_free::driver>},
};

}  // namespace hazards
