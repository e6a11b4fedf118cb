// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>

#include <devres/devres.hpp>

#include "commands.hpp"
#include "controller_access.hpp"
#include "identification.hpp"
#include "io_queue.hpp"
#include "queue_pair.hpp"
#include "registers.hpp"

namespace nvme {

/// An NVMe controller: for its users, who may call what is public on any thread, and for probe, remove and
/// `set_queue_count`, which are made of the rest and run on one thread at a time.
class controller : public controller_access {
public:
    /// Pairs of I/O queues that this driver can manage.
    static constexpr unsigned most_queues = 64;

    [[nodiscard]] const identification& info() const noexcept { return info_; }

    /// How many I/O queues there are now.
    [[nodiscard]] unsigned queue_count() const noexcept {
        const std::scoped_lock hold(lock_);
        return queue_count_;
    }
    /// A handle of an I/O queue: 0 to `queue_count() - 1`. @returns `einval` if there is no such queue
    [[nodiscard]] result<io_queue> queue(unsigned index) const noexcept {
        const std::scoped_lock hold(lock_);
        if (index >= queue_count_)
            return fail(errc::einval);
        return io_queue(queues_[index], info_);
    }

protected:
    using queue_handles = std::array<devres::revocable<queue_pair>, most_queues>;

    controller() = default;
    ~controller() = default;

    /// How long an admin command may take: 5 s unless said otherwise.
    void set_admin_timeout(std::chrono::milliseconds at_most) noexcept { admin_timeout_ = at_most; }

    /// Keeps the device from reaching memory, if nothing else does.
    virtual void stop_dma() noexcept = 0;

    [[nodiscard]] const capabilities& able() const noexcept { return able_; }

    /// Finds out what the controller can do. @returns `enodev` if it is gone, `eopnotsupp` if it cannot do what it has to
    result<> read_capabilities() noexcept {
        if (read32(registers::csts) == registers::all_ones)
            return fail(errc::enodev);
        able_ = capabilities(read32(registers::cap) | std::uint64_t{read32(registers::cap + 4)} << 32U);
        info_.version = read32(registers::vs);
        if (!able_.has_nvm_commands() || !able_.has_small_pages())
            return fail(errc::eopnotsupp);
        return {};
    }

    /// Stops the controller: afterwards there are no queues, and it does not reach memory.
    /// @returns `enodev` if it is gone, `etimedout` if it does not stop
    result<> disable() noexcept {
        const std::uint32_t before = read32(registers::cc);
        if (before != registers::all_ones)
            write32(registers::cc, before & ~(configuration::enable | configuration::shutdown_mask));
        return wait_for(status_bits::ready, 0, timeout());
    }

    /// Starts a controller that is stopped, with `admin` as its admin queue, which must have a handler.
    /// @returns as `disable`; `eio` if it says that it cannot
    result<> enable(queue_pair& admin) noexcept {
        const std::uint32_t entries = admin.layout().entries - 1;
        write32(registers::aqa, entries << 16U | entries);
        write64(registers::asq, admin.submissions());
        write64(registers::acq, admin.completions());
        write32(registers::cc, configuration::entry_sizes | configuration::enable);
        admin_ = &admin;
        return wait_for(status_bits::ready, status_bits::ready, timeout());
    }

    /// Has the controller finish what it has begun and write what it has to, before it is stopped. @returns as `disable`
    result<> shut_down() noexcept {
        const std::uint32_t before = read32(registers::cc);
        if (before != registers::all_ones)
            write32(registers::cc, (before & ~configuration::shutdown_mask) | configuration::shutdown_normal);
        return wait_for(status_bits::shutdown_mask, status_bits::shutdown_complete,
                        std::max(timeout(), std::chrono::milliseconds(5000)));
    }

    /// Stops a controller that does not answer any more, so that the memory of its queues can go. Users hear `eio`.
    void halt() noexcept {
        end(errc::eio);
        if (!halted_ && !disable())
            stop_dma();
        halted_ = true;
    }

    /// Finds out what there is behind the controller, and how many queues it gives us. Data of one command is at most
    /// `most_transfer` bytes of the driver's.
    /// @returns `enodev` if there is no namespace, `eopnotsupp` for one with blocks that cannot be used, or as `admin`
    result<> identify(std::size_t most_transfer) noexcept {
        using page = identify_page;
        page about;
        DEVRES_TRY(admin(commands::identify(identify_what::of_controller), about.bytes()));
        info_.serial_number = about.text<20>(page::serial_number);
        info_.model_number = about.text<40>(page::model_number);
        info_.firmware = about.text<8>(page::firmware);
        const unsigned exponent = about.get<std::uint8_t>(page::most_transfer);
        info_.most_transfer =
            exponent == 0 || exponent > 16 ? most_transfer : std::min(most_transfer, page_size << exponent);

        DEVRES_TRY(admin(commands::identify(identify_what::active_namespaces), about.bytes()));
        info_.nsid = about.get<namespace_id>(0);
        if (info_.nsid == namespace_id::none)
            return fail(errc::enodev);
        DEVRES_TRY(admin(commands::identify(identify_what::of_namespace, info_.nsid), about.bytes()));
        info_.blocks = about.get<std::uint64_t>(page::blocks);
        const unsigned format = about.get<std::uint8_t>(page::format) & 0xfU;
        const auto of_format = about.get<std::uint32_t>(page::formats + 4 * format);
        const unsigned block_exponent = of_format >> 16U & 0xffU;
        if ((of_format & 0xffffU) != 0 || block_exponent < 9 || block_exponent > 31 ||
            info_.most_transfer % (std::size_t{1} << block_exponent) != 0)
            return fail(errc::eopnotsupp);
        info_.block_size = 1U << block_exponent;

        DEVRES_TRY(const std::uint32_t granted, admin(commands::set_number_of_queues(most_queues), {}));
        info_.most_queues = std::min(commands::granted_queues(granted), most_queues);
        return {};
    }

    /// Has the controller use a pair of I/O queues, and interrupt with `vector`. @returns as `admin`: it does not use them
    result<> create(const queue_pair& queue, pci::vector_index vector) noexcept {
        const std::uint32_t entries = queue.layout().entries;
        DEVRES_TRY(admin(commands::create_completion_queue(queue.id(), entries, queue.completions(), vector), {}));
        const auto made = admin(commands::create_submission_queue(queue.id(), entries, queue.submissions()), {});
        if (made)
            return {};
        if (!admin(commands::delete_queue(admin_opcode::delete_io_completion_queue, queue.id()), {}))
            halt();
        return fail(made.error());
    }

    /// Has the controller forget a pair of I/O queues, with the commands that are in them.
    void destroy(const queue_pair& queue) noexcept {
        if (ended() || !admin(commands::delete_queue(admin_opcode::delete_io_submission_queue, queue.id()), {}) ||
            !admin(commands::delete_queue(admin_opcode::delete_io_completion_queue, queue.id()), {}))
            halt();
    }

    /// Publishes the I/O queues.
    void set_queues(const queue_handles& queues, unsigned count) noexcept {
        const std::scoped_lock hold(lock_);
        queues_ = queues;
        queue_count_ = count;
    }

    /// Turns the users of all I/O queues away.
    void close_queues() noexcept {
        const std::scoped_lock hold(lock_);
        for (unsigned i = 0; i != queue_count_; ++i) {
            if (const auto queue = queues_[i].try_access())
                queue->close();
        }
    }

private:
    /// Has an admin command executed. The controller is halted if it does not answer.
    /// @returns as `queue_pair::execute`
    result<std::uint32_t> admin(const command& what, std::span<std::byte> from_device) noexcept {
        const auto answer = admin_->execute(what, {}, from_device, clock::now() + admin_timeout_);
        if (!answer && answer.error() == errc::etimedout)
            halt();
        return answer;
    }

    void write64(std::size_t offset, pci::bus_address value) const noexcept {
        write32(offset, static_cast<std::uint32_t>(static_cast<std::uint64_t>(value)));
        write32(offset + 4, static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> 32U));
    }

    [[nodiscard]] std::chrono::milliseconds timeout() const noexcept {
        return std::chrono::milliseconds(std::max(able_.timeout_ms(), 500U));
    }

    /// Waits until CSTS has `wanted` in the bits of `mask`.
    result<> wait_for(std::uint32_t mask, std::uint32_t wanted, std::chrono::milliseconds at_most) noexcept {
        const auto deadline = clock::now() + at_most;
        for (;;) {
            const std::uint32_t now = read32(registers::csts);
            if (now == registers::all_ones) {
                end(errc::enodev);
                return fail(errc::enodev);
            }
            if ((now & mask) == wanted)
                return {};
            if (wanted != 0 && (now & status_bits::fatal) != 0)
                return fail(errc::eio);
            if (clock::now() >= deadline)
                return fail(errc::etimedout);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    capabilities able_;
    identification info_;
    queue_pair* admin_ = nullptr;
    std::chrono::milliseconds admin_timeout_{5000};
    bool halted_ = false;

    mutable std::mutex lock_;
    queue_handles queues_{};
    unsigned queue_count_ = 0;
};

}  // namespace nvme
