// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include <devres/devres.hpp>

#include "admin_queue.hpp"
#include "identification.hpp"
#include "io_queue.hpp"
#include "io_queue_pair.hpp"
#include "queue_layout.hpp"
#include "transport.hpp"

namespace nvme {

/// The driver data: a controller as its users see it, who may ask for I/O queues on any thread, and how the queues are
/// made and made anew, on the thread of the device calls.
///
/// The I/O queues are younger than this object. So it refers to them weakly: by `managed_ptr` on the device's thread,
/// and by what it gives to users, a `revocable` each.
template <class Device>
class controller {
public:
    controller(const pci::enabled_of<Device>& enabled, const devres::managed_ref<transport<Device>>& of,
               const devres::managed_ref<admin_queue<Device>>& admin, const identification& info,
               const queue_layout& layout) noexcept
        : enabled_(enabled), transport_(of), admin_(admin), info_(info), layout_(layout) {}

    [[nodiscard]] const identification& info() const noexcept { return info_; }

    /// How many I/O queues there are now.
    [[nodiscard]] unsigned queue_count() const noexcept {
        const std::scoped_lock hold(lock_);
        return count_;
    }
    /// A handle of an I/O queue: 0 to `queue_count() - 1`. @returns `einval` if there is no such queue
    [[nodiscard]] result<io_queue<Device>> queue(unsigned index) const noexcept {
        const std::scoped_lock hold(lock_);
        if (index >= count_)
            return fail(errc::einval);
        return io_queue<Device>(handles_[index], info_);
    }

    /// Ends all I/O queues, waiting for the commands in them, and makes `count` new ones, or as many as the device has
    /// vectors and queues for. Handles of the old ones answer `enodev` from now on. On the thread of the device calls.
    /// @returns how many there are now; `einval` for more than `max_io_queues`, `edeadlk` if this thread is in a
    /// command of one: they stay then. On another error there are none, and another try may be made: `enospc` if there
    /// are no two vectors, `enomem`, `enodev` if the device is gone, `etimedout` or `eio` if it has failed
    result<unsigned> set_queue_count(unsigned count) {
        if (count > max_io_queues)
            return fail(errc::einval);
        DEVRES_TRY(group_.release());
        publish({}, 0);
        if (count == 0)
            return 0U;
        if (const auto why = transport_->ended())
            return fail(*why);
        devres::group building(enabled_.dev());
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<2>(enabled_, 1 + std::min(count, info_.max_queues),
                                                                pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "nvme-admin", admin_));
        queue_handles handles;
        for (unsigned i = 1; i != vectors.size(); ++i) {
            DEVRES_TRY(auto made, make_io_queue(vectors[i]));
            queues_[i - 1] = made;
            DEVRES_TRY(handles[i - 1], devres::devm_revocable(enabled_.dev(), made));
        }
        building.keep();
        group_ = std::move(building);
        publish(handles, vectors.size() - 1);
        return vectors.size() - 1;
    }

    /// Turns the users of all I/O queues away, those who wait included. On the thread of the device calls.
    void close_queues() noexcept {
        for (const auto& queue : queues_) {
            if (queue)
                queue->close();
        }
    }

private:
    using queue_handles = std::array<devres::revocable<io_queue_pair<Device>>, max_io_queues>;

    /// An I/O queue that the controller knows of: it interrupts with this vector.
    template <class Vector>
    devres::probed<io_queue_pair<Device>> make_io_queue(const Vector& vector) {
        auto& dev = enabled_.dev();
        DEVRES_TRY(auto memory, pci::dmam_alloc_coherent(enabled_, layout_.size()));
        DEVRES_TRY(auto queue, devres::devm_emplace<io_queue_pair<Device>>(dev, transport_, admin_, vector.index(),
                                                                           layout_, memory));
        DEVRES_TRY(pci::devm_request_irq(vector, "nvme-io", queue));
        DEVRES_TRY(devres::devm_start(dev, queue));
        return queue;
    }

    void publish(const queue_handles& handles, unsigned count) noexcept {
        const std::scoped_lock hold(lock_);
        handles_ = handles;
        count_ = count;
    }

    pci::enabled_of<Device> enabled_;
    devres::managed_ref<transport<Device>> transport_;
    devres::managed_ref<admin_queue<Device>> admin_;
    identification info_;
    queue_layout layout_;

    devres::group group_;  // of all that comes anew with another count of queues
    std::array<devres::managed_ptr<io_queue_pair<Device>>, max_io_queues> queues_;

    mutable std::mutex lock_;
    queue_handles handles_;
    unsigned count_ = 0;
};

}  // namespace nvme
