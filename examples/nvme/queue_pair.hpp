// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>

#include <devres/devres.hpp>

#include "commands.hpp"
#include "controller_access.hpp"
#include "prp.hpp"
#include "queue_layout.hpp"
#include "registers.hpp"

namespace nvme {

using clock = std::chrono::steady_clock;

/// A submission queue, its completion queue, and the interrupt that says that there is something in it.
///
/// Any thread may execute commands, several at a time. The data of a command is in memory of the queue's, so a user who
/// stops waiting can go: the controller has the memory until it is done.
///
/// # Locks
/// Interrupts may arrive on a thread that is accessing a register. So no register is accessed with `lock_` held, which
/// the handler takes; only the handler looks for completions; and the handler does not take `submission_`, which makes
/// doorbells ring in the order of the entries.
class queue_pair {
public:
    /// `memory` and `address` are of a block as `layout`, which is valid, has it, and zeroed.
    queue_pair(controller_access& controller, queue_id id, std::size_t doorbell_stride, const queue_layout& layout,
               std::byte* memory, pci::bus_address address) noexcept
        : controller_(&controller), id_(id), submission_doorbell_(submission_doorbell(id, doorbell_stride)),
          completion_doorbell_(completion_doorbell(id, doorbell_stride)), layout_(layout), memory_(memory),
          address_(address) {
        for (unsigned i = 0; i != layout_.slots; ++i)
            write_page_list(reinterpret_cast<std::uint64_t*>(memory_ + layout_.list(i)),
                            bus(layout_.data(i) + page_size), layout_.transfer / page_size - 1);
    }

    [[nodiscard]] controller_access& controller() const noexcept { return *controller_; }
    [[nodiscard]] queue_id id() const noexcept { return id_; }
    [[nodiscard]] const queue_layout& layout() const noexcept { return layout_; }
    /// Where the controller finds the rings.
    [[nodiscard]] pci::bus_address submissions() const noexcept { return address_; }
    [[nodiscard]] pci::bus_address completions() const noexcept { return bus(layout_.completions()); }

    /// Has a command executed, with `to_device` or `from_device` as its data, and waits until an interrupt says that it
    /// is done.
    /// @returns its result; the error of its status (`to_result`); `einval` for more data than the layout has room for,
    /// `etimedout` if it is not done at `deadline`, `enodev` if the controller is gone or the queue closed, `eio` if the
    /// controller has failed
    [[nodiscard]] result<std::uint32_t> execute(command what, std::span<const std::byte> to_device,
                                                std::span<std::byte> from_device, clock::time_point deadline) noexcept {
        const std::size_t size = std::max(to_device.size(), from_device.size());
        if (size > layout_.transfer)
            return fail(errc::einval);
        DEVRES_TRY(const unsigned taken, take_slot(deadline));
        std::byte* const data = memory_ + layout_.data(taken);
        if (!to_device.empty())
            std::memcpy(data, to_device.data(), to_device.size());
        what.id = static_cast<std::uint16_t>(taken);
        if (size != 0)
            set_data(what, bus(layout_.data(taken)), size, bus(layout_.list(taken)));
        submit(what);
        DEVRES_TRY(const completion done, finish(taken, deadline));
        const auto outcome = to_result(done.outcome());
        if (outcome && !from_device.empty())
            std::memcpy(from_device.data(), data, from_device.size());
        put_slot(taken);
        DEVRES_TRY(outcome);
        return done.result;
    }

    /// Interrupt handler of the queue's vector: takes the completions, and wakes who waits for them.
    /// @returns none if there are none
    pci::irq_return on_interrupt() noexcept {
        std::uint32_t head = 0;
        {
            const std::scoped_lock hold(lock_);
            const std::uint64_t before = completed_;
            for (completion next = peek(); next.phase() == phase_; next = peek())
                take(next);
            if (completed_ == before)
                return pci::irq_return::none;
            ++interrupts_;
            head = head_;
        }
        controller_->write32(completion_doorbell_, head);
        changed_.notify_all();
        return pci::irq_return::handled;
    }

    /// Turns users away: those who wait hear `enodev`.
    void close() noexcept {
        {
            const std::scoped_lock hold(lock_);
            closed_ = true;
        }
        changed_.notify_all();
    }

    /// What has come through the queue so far.
    struct counters {
        std::uint64_t completed = 0;
        std::uint64_t interrupts = 0;  ///< that found completions
        std::uint64_t strays = 0;      ///< completions of commands that were not on their way
    };
    [[nodiscard]] counters count() noexcept {
        const std::scoped_lock hold(lock_);
        return {completed_, interrupts_, strays_};
    }

private:
    enum class slot_state { idle, on_its_way, done, abandoned };

    struct slot {
        slot_state state = slot_state::idle;
        completion outcome{};
    };

    [[nodiscard]] pci::bus_address bus(std::size_t offset) const noexcept {
        return pci::bus_address{static_cast<std::uint64_t>(address_) + offset};
    }

    /// Waits for `done()`, and looks at the controller now and then. @returns as `execute`
    template <class Condition>
    result<> wait(std::unique_lock<std::mutex>& hold, clock::time_point deadline, Condition done) noexcept {
        constexpr std::chrono::milliseconds between_looks(10);
        while (!done()) {
            if (closed_)
                return fail(errc::enodev);
            if (const auto why = controller_->ended())
                return fail(*why);
            const auto now = clock::now();
            if (now >= deadline)
                return fail(errc::etimedout);
            if (changed_.wait_until(hold, std::min(deadline, now + between_looks), [&] { return done() || closed_; }))
                continue;
            hold.unlock();
            controller_->look();
            hold.lock();
        }
        return {};
    }

    result<unsigned> take_slot(clock::time_point deadline) noexcept {
        unsigned found = layout_.slots;
        const auto is_one_idle = [&] {
            found = 0;
            while (found != layout_.slots && slots_[found].state != slot_state::idle)
                ++found;
            return found != layout_.slots;
        };
        std::unique_lock hold(lock_);
        if (closed_)
            return fail(errc::enodev);
        if (const auto why = controller_->ended())
            return fail(*why);
        DEVRES_TRY(wait(hold, deadline, is_one_idle));
        slots_[found].state = slot_state::on_its_way;
        return found;
    }

    void put_slot(unsigned taken) noexcept {
        {
            const std::scoped_lock hold(lock_);
            slots_[taken].state = slot_state::idle;
        }
        changed_.notify_all();
    }

    /// There is room in the ring, because there are fewer slots than entries.
    void submit(const command& what) noexcept {
        const auto words = std::bit_cast<std::array<std::uint64_t, sizeof(command) / 8>>(what);
        const std::scoped_lock hold(submission_);
        auto* const entry = reinterpret_cast<std::uint64_t*>(memory_ + tail_ * sizeof(command));
        for (std::size_t i = 0; i != words.size(); ++i)  // released: the data is in memory before the doorbell rings
            std::atomic_ref(entry[i]).store(words[i], std::memory_order_release);
        tail_ = tail_ + 1 == layout_.entries ? 0 : tail_ + 1;
        controller_->write32(submission_doorbell_, tail_);
    }

    /// Waits for the completion of a slot's command. On an error, the slot is taken until it comes.
    result<completion> finish(unsigned taken, clock::time_point deadline) noexcept {
        std::unique_lock hold(lock_);
        slot& mine = slots_[taken];
        if (const auto waited = wait(hold, deadline, [&] { return mine.state == slot_state::done; }); !waited) {
            mine.state = slot_state::abandoned;
            return fail(waited.error());
        }
        return mine.outcome;
    }

    /// The next entry of the completion queue, which is there if it has the phase of this round.
    [[nodiscard]] completion peek() const noexcept {
        auto* const entry =
            reinterpret_cast<std::uint64_t*>(memory_ + layout_.completions() + head_ * sizeof(completion));
        std::array<std::uint64_t, 2> words{};
        words[1] = std::atomic_ref(entry[1]).load(std::memory_order_acquire);  // the phase, which is written last
        words[0] = std::atomic_ref(entry[0]).load(std::memory_order_relaxed);
        return std::bit_cast<completion>(words);
    }

    void take(const completion& next) noexcept {
        ++completed_;
        if (++head_ == layout_.entries) {
            head_ = 0;
            phase_ = !phase_;
        }
        slot* const owner = next.command_id < layout_.slots ? &slots_[next.command_id] : nullptr;
        if (owner != nullptr && owner->state == slot_state::on_its_way)
            *owner = {slot_state::done, next};
        else if (owner != nullptr && owner->state == slot_state::abandoned)
            owner->state = slot_state::idle;
        else
            ++strays_;
    }

    controller_access* controller_;
    queue_id id_;
    std::size_t submission_doorbell_;
    std::size_t completion_doorbell_;
    queue_layout layout_;
    std::byte* memory_;
    pci::bus_address address_;

    std::mutex submission_;
    std::uint32_t tail_ = 0;

    std::mutex lock_;
    std::condition_variable changed_;
    bool closed_ = false;
    std::uint32_t head_ = 0;
    bool phase_ = true;
    std::array<slot, queue_layout::most_slots> slots_{};
    std::uint64_t completed_ = 0;
    std::uint64_t interrupts_ = 0;
    std::uint64_t strays_ = 0;
};

}  // namespace nvme
