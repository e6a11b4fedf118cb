// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/devres.hpp>

#include "admin_queue.hpp"
#include "queue_pair.hpp"

namespace nvme {

/// A pair of I/O queues, which the controller has between `start` and `stop`: both are admin commands, so the admin
/// queue has a handler, before and after. Its number is that of its vector.
template <class Device>
class io_queue_pair : public queue_pair<Device> {
public:
    io_queue_pair(const devres::managed_ref<transport<Device>>& controller,
                  const devres::managed_ref<admin_queue<Device>>& admin, pci::vector_index vector,
                  const queue_layout& layout, const pci::coherent_of<Device>& memory) noexcept
        : queue_pair<Device>(controller, static_cast<queue_id>(vector.value()), layout, memory), admin_(admin),
          vector_(vector) {}

    /// Creates the queues in the controller, and lets users in. @returns as `admin_queue::create`
    result<> start() noexcept {
        this->rewind();
        DEVRES_TRY(admin_->create(*this, vector_));
        this->admit();
        return {};
    }

    /// Keeps users from beginning commands, waits for those that are on their way, but not for ever, and has the
    /// controller forget the queues. What is left ends as canceled.
    void stop() noexcept {
        this->quiesce(clock::now() + admin_->timeout());
        admin_->destroy(*this);
        this->forget();
    }

private:
    devres::managed_ref<admin_queue<Device>> admin_;
    pci::vector_index vector_;
};

}  // namespace nvme
