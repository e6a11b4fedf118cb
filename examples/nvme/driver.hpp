// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

#include <devres/devres.hpp>

#include "admin_queue.hpp"
#include "controller.hpp"
#include "queue_layout.hpp"
#include "registers.hpp"
#include "transport.hpp"

/// An NVMe driver in the small: reset, admin queue, Identify, I/O queues with an MSI-X vector each, reads and writes
/// that complete by interrupt. It is written against the guards of devres and knows no platform.
///
/// # Layers
/// Each is complete when it is made, and stands on those before it:
///
///     transport       the registers: what the controller can do, whether it is there; polled
///     admin queue     started, the controller is enabled; stopped, it is shut down
///     identification  what the controller says of itself, polled
///     controller      the driver data, as users see it
///     I/O queues      vectors, the admin queue's handler, and for each queue
///                         its memory, the queue, its handler, its start, its users' access
///
/// A function has one allocation of vectors at a time, so another count of I/O queues means other vectors, and with
/// them the whole last layer: that is a group, which `set_queue_count` releases and builds anew. The users' access goes
/// first (devres waits until they are out), then the queues are stopped, by admin commands whose completions the admin
/// queue's handler still hears of, then the handlers, the queues and their memory; vectors last. A step that fails and
/// a driver that is unbound take the same way; a device that is put to sleep has its queues stopped, and the admin
/// queue.
namespace nvme {

/// The module parameters.
struct parameters {
    unsigned queues = 2;  ///< I/O queues that probe makes
    queue_layout io{};    ///< each of them
    unsigned admin_timeout_ms = 5000;
};

/// The driver with other module parameters than the usual.
template <parameters Module>
struct configured_driver {
    // A copy, because clang 19 calls a function of Module.io on Module.
    static constexpr parameters settings = Module;

    /// NVMe controllers, whoever makes them.
    static constexpr pci::device_id ids[] = {{.class_code = 0x010802, .class_mask = 0xffffff}};

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::dma_coherent = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler = devres::managed);

    /// Resets the controller, starts it with an admin queue, identifies it and makes I/O queues.
    /// @returns the state; `enodev` if the device or its namespace is not there, `eopnotsupp` if it cannot do what it
    /// has to, `enospc` if there are no two vectors, `ebusy` if BAR 0 is taken, `enomem`, `etimedout` or `eio` if it
    /// has failed
    template <class Device>
    static devres::probed<controller<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0, registers::doorbells>(enabled, "nvme"));
        DEVRES_TRY(auto able, read_capabilities(bar, max_io_queues));
        DEVRES_TRY(auto of, devres::devm_emplace<transport<Device>>(dev, enabled, bar, able));

        constexpr queue_layout one_command{.slots = 1, .transfer = page_size};
        DEVRES_TRY(const queue_layout of_admin, one_command.limited_to(able.max_entries()));
        DEVRES_TRY(const queue_layout of_io, settings.io.limited_to(able.max_entries()));
        DEVRES_TRY(auto memory, pci::dmam_alloc_coherent(enabled, of_admin.size()));
        DEVRES_TRY(auto admin, devres::devm_emplace<admin_queue<Device>>(
                                   dev, of, of_admin, memory, std::chrono::milliseconds(settings.admin_timeout_ms)));
        devres::group to_identify(dev);  // QEMU's controllers only use vectors that were on when their queue was made
        DEVRES_TRY(pci::pcim_alloc_irq_vectors<1>(enabled, 1, pci::irq_type::msix));
        to_identify.keep();
        DEVRES_TRY(devres::devm_start(dev, admin));
        DEVRES_TRY(const identification info, admin->identify(of_io.transfer));
        DEVRES_TRY(to_identify.release());

        DEVRES_TRY(auto data, devres::devm_emplace<controller<Device>>(dev, enabled, of, admin, info, of_io));
        DEVRES_TRY(data->set_queue_count(settings.queues));
        return data;
    }

    /// Turns the users away, so that devres need not wait for their commands.
    template <class Device>
    static void remove(controller<Device>& data) noexcept {
        data.close_queues();
    }
};

struct driver : configured_driver<parameters{}> {};

}  // namespace nvme
