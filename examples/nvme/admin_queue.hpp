// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include <devres/devres.hpp>

#include "commands.hpp"
#include "identification.hpp"
#include "queue_pair.hpp"
#include "registers.hpp"
#include "transport.hpp"

namespace nvme {

/// Pairs of I/O queues that this driver can manage.
inline constexpr unsigned max_io_queues = 64;

/// The admin queue, and with it the controller: enabled by `start`, shut down by `stop`. It lasts as long as the driver
/// is bound, while I/O queues and vectors come and go. Its commands are for the device's thread. Those that need no I/O
/// queue are polled, as it has no handler then; the others are heard of by interrupt.
template <class Device>
class admin_queue : public queue_pair<Device> {
public:
    admin_queue(const devres::managed_ref<transport<Device>>& controller, const queue_layout& layout,
                const pci::coherent_of<Device>& memory, std::chrono::milliseconds timeout) noexcept
        : queue_pair<Device>(controller, queue_id::admin, layout, memory), controller_(controller), timeout_(timeout) {}

    /// Resets the controller, enables it, and asks it for I/O queues.
    /// @returns `enodev` if it is gone, `etimedout` or `eio` if it has failed: it is stopped then
    result<> start() noexcept {
        auto started = enable();
        if (!started)
            controller_->halt();
        return started;
    }

    /// Has the controller shut down, and stops it: the memory of its queues can go.
    void stop() noexcept {
        this->quiesce(clock::now());
        if (controller_->ended() || !controller_->shut_down() || !controller_->disable())
            controller_->halt();
        this->forget();
    }

    /// How long a command may take.
    [[nodiscard]] std::chrono::milliseconds timeout() const noexcept { return timeout_; }

    /// Finds out what there is behind the controller. Data of one command is at most `max_transfer` bytes of the
    /// driver's.
    /// @returns `enodev` if there is no namespace, `eopnotsupp` for one with blocks that cannot be used, or as
    /// `queue_pair::execute`
    [[nodiscard]] result<identification> identify(std::size_t max_transfer) noexcept {
        using page = identify_page;
        identification info;
        info.version = controller_->read32(registers::vs);
        info.max_queues = granted_;
        page about;
        DEVRES_TRY(admin(commands::identify(identify_what::of_controller), completes::by_polling, about.bytes()));
        info.serial_number = about.text<20>(page::serial_number);
        info.model_number = about.text<40>(page::model_number);
        info.firmware = about.text<8>(page::firmware);
        const unsigned exponent = about.get<std::uint8_t>(page::max_transfer);
        info.max_transfer = exponent == 0 || exponent > 16 ? max_transfer
                                                           : std::min(max_transfer, page_size << exponent);

        DEVRES_TRY(admin(commands::identify(identify_what::active_namespaces), completes::by_polling, about.bytes()));
        info.nsid = about.get<namespace_id>(0);
        if (info.nsid == namespace_id::none)
            return fail(errc::enodev);
        DEVRES_TRY(
            admin(commands::identify(identify_what::of_namespace, info.nsid), completes::by_polling, about.bytes()));
        info.blocks = about.get<std::uint64_t>(page::blocks);
        const unsigned format = about.get<std::uint8_t>(page::format) & 0xfU;
        const auto of_format = about.get<std::uint32_t>(page::formats + 4 * format);
        const unsigned block_exponent = of_format >> 16U & 0xffU;
        if ((of_format & 0xffffU) != 0 || block_exponent < 9 || block_exponent > 31 ||
            info.max_transfer % (std::size_t{1} << block_exponent) != 0)
            return fail(errc::eopnotsupp);
        info.block_size = 1U << block_exponent;
        return info;
    }

    /// Has the controller use a pair of I/O queues, and interrupt with `vector`. The admin queue has a handler.
    /// @returns as `queue_pair::execute`: it does not use them
    result<> create(const queue_pair<Device>& queue, pci::vector_index vector) noexcept {
        const std::uint32_t entries = queue.layout().entries;
        DEVRES_TRY(admin(commands::create_completion_queue(queue.id(), entries, queue.completions(), vector)));
        const auto made = admin(commands::create_submission_queue(queue.id(), entries, queue.submissions()));
        if (made)
            return {};
        if (!admin(commands::delete_queue(admin_opcode::delete_io_completion_queue, queue.id())))
            controller_->halt();
        return fail(made.error());
    }

    /// Has the controller forget a pair of I/O queues, with the commands that are in them. The admin queue has a
    /// handler.
    void destroy(const queue_pair<Device>& queue) noexcept {
        const auto deleted = [&](admin_opcode which) {
            return admin(commands::delete_queue(which, queue.id())).has_value();
        };
        if (controller_->ended() || !deleted(admin_opcode::delete_io_submission_queue) ||
            !deleted(admin_opcode::delete_io_completion_queue))
            controller_->halt();
    }

private:
    [[nodiscard]] result<> enable() noexcept {
        if (const auto why = controller_->ended())
            return fail(*why);
        DEVRES_TRY(controller_->disable());
        this->rewind();
        DEVRES_TRY(controller_->enable(this->layout().entries, this->submissions(), this->completions()));
        this->admit();
        DEVRES_TRY(const std::uint32_t granted,
                   admin(commands::set_number_of_queues(max_io_queues), completes::by_polling));
        granted_ = std::min(commands::granted_queues(granted), max_io_queues);
        return {};
    }

    /// Has an admin command executed. The controller is halted if it does not answer.
    /// @returns as `queue_pair::execute`
    result<std::uint32_t> admin(const command& what, completes how = completes::by_interrupt,
                                std::span<std::byte> from_device = {}) noexcept {
        const auto answer = this->execute(what, {}, from_device, clock::now() + timeout_, how);
        if (!answer && answer.error() == errc::etimedout)
            controller_->halt();
        return answer;
    }

    devres::managed_ref<transport<Device>> controller_;
    std::chrono::milliseconds timeout_;
    unsigned granted_ = 0;
};

}  // namespace nvme
