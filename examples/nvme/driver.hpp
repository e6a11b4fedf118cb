// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <devres/devres.hpp>

#include "controller.hpp"
#include "queue_layout.hpp"
#include "queue_pair.hpp"
#include "registers.hpp"

/// An NVMe driver in the small: reset, admin queue, Identify, I/O queues with an MSI-X vector each, reads and writes that
/// complete by interrupt. It is written against the guards of devres and knows no platform.
///
/// # What the group is for
/// A function has one allocation of vectors at a time, so another count of I/O queues means other vectors, and with them
/// everything that is built on them. All that is a group, which `set_queue_count` releases and builds anew:
///
///     vectors, the admin queue's handler, and for each I/O queue
///         its memory, the queue, its handler, "the controller has forgotten it", its users' access
///
/// Released newest first, that is the order in which it has to go: the users' access (devres waits until they are
/// out), the queue in the controller (by an admin command, whose interrupt still has its handler), the handler, the
/// memory that the controller knew of; vectors last. A step that fails takes the same way back.
///
/// The admin queue itself, its memory and the controller that uses it, outlives the groups. There are no admin commands
/// while there is no group: without vectors, nobody would hear of their completion.
namespace nvme {

/// The module parameters.
struct parameters {
    unsigned queues = 2;  ///< I/O queues that probe makes
    queue_layout io{};    ///< each of them
    unsigned admin_timeout_ms = 5000;
};

/// The driver data: a controller, and what it stands on.
template <class P, class Driver>
class device_state final : public controller {
    friend Driver;
    template <parameters>
    friend struct configured_driver;

public:
    /// Ends all I/O queues, waiting for the commands in them, and makes `count` new ones, or as many as the device has
    /// vectors and queues for. Handles of the old ones answer `enodev` from now on. On the thread of the device calls.
    /// @returns how many there are now; on an error, none, and another try may be made: `einval` for more than
    /// `most_queues`, `enospc` if there are no two vectors, `enomem`, `enodev` if the device is gone, `etimedout` or `eio`
    /// if it has failed
    result<unsigned> set_queue_count(unsigned count) {
        if (count > most_queues)
            return fail(errc::einval);
        end_queues();
        if (count == 0)
            return 0U;
        if (const auto why = ended())
            return fail(*why);
        devres::group building(enabled_.dev());
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<2>(enabled_, 1 + std::min(count, info().most_queues),
                                                                 pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq<&queue_pair::on_interrupt>(vectors.template get<0>(), "nvme-admin", *admin_queue_));
        queue_handles handles;
        for (unsigned i = 1; i != vectors.size(); ++i) {
            DEVRES_TRY(handles[i - 1], make_io_queue(vectors[i]));
        }
        building.keep();
        queues_ = std::move(building);
        set_queues(handles, vectors.size() - 1);
        return vectors.size() - 1;
    }

private:
    [[nodiscard]] std::uint32_t read32(std::size_t offset) const noexcept override { return registers_.read32(offset); }
    void write32(std::size_t offset, std::uint32_t value) const noexcept override { registers_.write32(offset, value); }
    void stop_dma() noexcept override { (void)pci::pci_clear_master(enabled_); }

    void end_queues() noexcept {
        set_queues({}, 0);
        queues_.release();
    }

    /// A pair of queues of which the controller does not know yet.
    result<devres::managed_ref<queue_pair>> make_queue(queue_id id, queue_layout layout) {
        layout.entries = std::min(layout.entries, able().most_entries());
        layout.slots = std::min(layout.slots, layout.entries - 1);
        if (!layout.valid())
            return fail(errc::einval);
        DEVRES_TRY(auto memory, pci::dmam_alloc_coherent(enabled_, layout.size()));
        return devres::devm_emplace<queue_pair>(enabled_.dev(), *this, id, able().doorbell_stride(), layout,
                                                static_cast<std::byte*>(memory.data()), memory.address());
    }

    /// An I/O queue that is ready for users. Its number is that of its vector.
    template <class Vector>
    result<devres::revocable<queue_pair>> make_io_queue(const Vector& vector) {
        DEVRES_TRY(auto queue, make_queue(static_cast<queue_id>(vector.index().value()), Driver::settings.io));
        DEVRES_TRY(pci::devm_request_irq<&queue_pair::on_interrupt>(vector, "nvme-io", queue));
        DEVRES_TRY(create(*queue, vector.index()));
        DEVRES_TRY(devres::devm_add_action_or_reset(
            enabled_.dev(),
            [](void* created) {
                const auto& of = *static_cast<queue_pair*>(created);
                static_cast<device_state&>(of.controller()).destroy(of);
            },
            &queue.get()));
        return devres::devm_revocable(enabled_.dev(), queue);
    }

    // Views: devres owns what they show, and frees it before this object.
    pci::enabled_device<devres::managed_t, P, Driver> enabled_;
    pci::bar_mapping<devres::managed_t, P, Driver> registers_;
    std::optional<devres::managed_ref<queue_pair>> admin_queue_;
    devres::group queues_;
};

/// The driver with other module parameters than the usual.
template <parameters Module>
struct configured_driver {
    static constexpr parameters settings = Module;

    /// NVMe controllers, whoever makes them.
    static constexpr pci::device_id ids[] = {{.class_code = 0x010802, .class_mask = 0xffffff}};

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::dma_coherent = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler(devres::driver_data, pci::bar<0>, pci::dma_coherent) = devres::managed);

    /// Resets the controller, starts it with an admin queue, identifies it and makes I/O queues. If a step fails, those
    /// before it are undone, newest first.
    /// @returns the state; `enodev` if the device or its namespace is not there, `eopnotsupp` if it cannot do what it has
    /// to, `enospc` if there are no two vectors, `ebusy` if BAR 0 is taken, `enomem`, `etimedout` or `eio` if it has failed
    template <class P, class Driver>
    static result<devres::managed_ref<device_state<P, Driver>>> probe(pci::device<P, Driver>& dev,
                                                                      const pci::device_id&) {
        using state = device_state<P, Driver>;
        DEVRES_TRY(auto data, devres::devm_emplace<state>(dev));  // first, so that it goes last
        data->set_admin_timeout(std::chrono::milliseconds(settings.admin_timeout_ms));
        DEVRES_TRY(data->enabled_, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(data->enabled_));
        DEVRES_TRY(data->registers_, pci::pcim_iomap_region<0>(data->enabled_, "nvme"));
        DEVRES_TRY(data->read_capabilities());
        if (data->registers_.size() < completion_doorbell(static_cast<queue_id>(controller::most_queues),
                                                          data->able().doorbell_stride()) + 4)
            return fail(errc::enodev);
        DEVRES_TRY(data->disable());

        DEVRES_TRY(data->admin_queue_, data->make_queue(queue_id::admin, {.slots = 1, .transfer = page_size}));
        DEVRES_TRY(devres::devm_add_action_or_reset(  // before the memory of the admin queue goes
            dev, [](void* started) { static_cast<state*>(started)->halt(); }, &data.get()));
        {
            const devres::group to_identify(dev);  // as the I/O queues' groups, but without any
            DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(data->enabled_, 1, pci::irq_type::msix));
            DEVRES_TRY(pci::devm_request_irq<&queue_pair::on_interrupt>(vectors.template get<0>(), "nvme-admin",
                                                                        *data->admin_queue_));
            DEVRES_TRY(data->enable(**data->admin_queue_));
            DEVRES_TRY(data->identify(settings.io.transfer));
        }
        DEVRES_TRY(data->set_queue_count(settings.queues));
        return data;
    }

    /// Turns the users away, ends the I/O queues while admin commands still work, and has the controller shut down.
    template <class P, class Driver>
    static void remove(device_state<P, Driver>& data) noexcept {
        data.close_queues();
        data.end_queues();
        if (!data.ended())
            (void)data.shut_down();
    }
};

struct driver : configured_driver<parameters{}> {};

}  // namespace nvme
