// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <devres/devres.hpp>

#include "commands.hpp"
#include "identification.hpp"
#include "io_queue_pair.hpp"

namespace nvme {

/// A user's handle of an I/O queue. It may outlive the queue, which goes when the count of queues changes or the driver
/// is unbound: then it answers `enodev`. It may be copied; any thread may use it.
template <class Device>
class io_queue {
public:
    using milliseconds = std::chrono::milliseconds;

    io_queue(devres::revocable<io_queue_pair<Device>> queue, const identification& of) noexcept
        : queue_(std::move(queue)), nsid_(of.nsid), block_size_(of.block_size), most_(of.max_transfer) {}

    /// How long a command may take: 10 s unless said otherwise.
    void set_timeout(milliseconds at_most) noexcept { timeout_ = at_most; }

    /// Reads (writes) whole blocks from `lba` on, with as many commands as it takes.
    /// @returns `einval` if the size is no multiple of the block size, `erange` if there are no such blocks,
    /// `etimedout`, `enodev` if the queue or the device is gone, `ecanceled` if it was put to sleep meanwhile, `eio`.
    /// Blocks may have been read (written) then.
    result<> read(std::uint64_t lba, std::span<std::byte> to) const noexcept {
        return each_part(
            lba, to, [&](const command& what, std::span<std::byte> part) { return execute(what, {}, part); },
            io_opcode::read);
    }
    result<> write(std::uint64_t lba, std::span<const std::byte> from) const noexcept {
        return each_part(
            lba, from, [&](const command& what, std::span<const std::byte> part) { return execute(what, part, {}); },
            io_opcode::write);
    }
    /// Has what was written survive a loss of power. @returns as above
    result<> flush() const noexcept { return execute(commands::flush(nsid_), {}, {}); }

    /// What has come through the queue so far. @returns `enodev` if it is gone
    [[nodiscard]] result<queue_counters> count() const noexcept {
        if (const auto queue = queue_.try_access())
            return queue->count();
        return fail(errc::enodev);
    }

private:
    result<> execute(const command& what, std::span<const std::byte> to_device,
                     std::span<std::byte> from_device) const noexcept {
        const auto queue = queue_.try_access();
        if (!queue)
            return fail(errc::enodev);
        DEVRES_TRY(queue->execute(what, to_device, from_device, clock::now() + timeout_));
        return {};
    }

    template <class Bytes, class Execute>
    result<> each_part(std::uint64_t lba, Bytes bytes, Execute execute, io_opcode what) const noexcept {
        if (bytes.size() % block_size_ != 0)
            return fail(errc::einval);
        while (!bytes.empty()) {
            const std::size_t size = std::min(bytes.size(), most_);
            const auto blocks = static_cast<std::uint32_t>(size / block_size_);
            DEVRES_TRY(execute(commands::transfer(what, nsid_, lba, blocks), bytes.first(size)));
            lba += blocks;
            bytes = bytes.subspan(size);
        }
        return {};
    }

    devres::revocable<io_queue_pair<Device>> queue_;
    namespace_id nsid_;
    std::uint32_t block_size_;
    std::size_t most_;
    milliseconds timeout_{10'000};
};

}  // namespace nvme
