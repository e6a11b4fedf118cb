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
#include <thread>

#include <devres/devres.hpp>

#include "commands.hpp"
#include "prp.hpp"
#include "queue_layout.hpp"
#include "registers.hpp"
#include "transport.hpp"

namespace nvme {

/// How a command's completion is heard of: the queue has a handler, or who waits looks for it.
enum class completes { by_interrupt, by_polling };

/// What has come through a queue so far.
struct queue_counters {
    std::uint64_t completed = 0;
    std::uint64_t interrupts = 0;  ///< that found completions
    std::uint64_t strays = 0;      ///< completions of commands that were not on their way
};

/// A submission queue, its completion queue, and the interrupt that says that there is something in it. What it is a
/// queue of says when the controller has it: it admits commands from then on, and none any more when it is quiesced.
///
/// Any thread may execute commands, several at a time. The data of a command is in memory of the queue's, so a user who
/// stops waiting can go: the controller has the memory until it is done.
///
/// # Locks
/// Interrupts may arrive on a thread that is accessing a register. So no register is accessed with `lock_` held, which
/// the handler takes; only one at a time looks for completions, the handler or who polls; and the handler does not take
/// `access_`, under which the users of the queue access registers, so that doorbells ring in the order of the entries.
template <class Device>
class queue_pair {
public:
    /// The memory is as large as `layout`, which is valid, has it.
    queue_pair(const devres::managed_ref<transport<Device>>& controller, queue_id id, const queue_layout& layout,
               const pci::coherent_of<Device>& memory) noexcept
        : controller_(controller), id_(id),
          submission_doorbell_(submission_doorbell(id, controller->able().doorbell_stride())),
          completion_doorbell_(completion_doorbell(id, controller->able().doorbell_stride())), layout_(layout),
          memory_(memory) {
        for (unsigned i = 0; i != layout_.slots; ++i)
            write_page_list(reinterpret_cast<std::uint64_t*>(at(layout_.list(i))), bus(layout_.data(i) + page_size),
                            layout_.transfer / page_size - 1);
    }

    [[nodiscard]] queue_id id() const noexcept { return id_; }
    [[nodiscard]] const queue_layout& layout() const noexcept { return layout_; }
    /// Where the controller finds the rings.
    [[nodiscard]] pci::bus_address submissions() const noexcept { return memory_.address(); }
    [[nodiscard]] pci::bus_address completions() const noexcept { return bus(layout_.completions()); }

    /// Has a command executed, with `to_device` or `from_device` as its data, and waits until it is done. While the
    /// queue does not admit commands, it waits for that first.
    /// @returns its result; the error of its status (`to_result`); `einval` for more data than the layout has room for,
    /// `etimedout` if it is not done at `deadline`, `ecanceled` if the queue was taken from the controller meanwhile,
    /// `enodev` if the controller is gone or the queue closed, `eio` if the controller has failed
    [[nodiscard]] result<std::uint32_t> execute(command what, std::span<const std::byte> to_device,
                                                std::span<std::byte> from_device, clock::time_point deadline,
                                                completes how = completes::by_interrupt) noexcept {
        const std::size_t size = std::max(to_device.size(), from_device.size());
        if (size > layout_.transfer)
            return fail(errc::einval);
        DEVRES_TRY(const unsigned taken, take_slot(deadline));
        std::byte* const data = at(layout_.data(taken));
        if (!to_device.empty())
            std::memcpy(data, to_device.data(), to_device.size());
        what.id = static_cast<std::uint16_t>(taken);
        if (size != 0)
            set_data(what, bus(layout_.data(taken)), size, bus(layout_.list(taken)));
        submit(what, taken);
        DEVRES_TRY(const completion done, finish(taken, deadline, how));
        const auto outcome = to_result(done.outcome());
        if (outcome && !from_device.empty())
            std::memcpy(from_device.data(), data, from_device.size());
        put_slot(taken);
        DEVRES_TRY(outcome);
        return done.result;
    }

    /// Interrupt handler of the queue's vector: takes the completions, and wakes who waits for them.
    /// @returns none if there are none
    pci::irq_return on_irq() noexcept {
        if (!take_completions())
            return pci::irq_return::none;
        interrupts_.fetch_add(1, std::memory_order_relaxed);
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

    [[nodiscard]] queue_counters count() noexcept {
        const std::scoped_lock hold(lock_);
        return {completed_, interrupts_.load(std::memory_order_relaxed), strays_};
    }

protected:
    ~queue_pair() = default;

    /// Both rings are empty again, for a controller that does not have the queue.
    void rewind() noexcept {
        const std::scoped_lock hold(access_, lock_);
        std::memset(at(0), 0, layout_.list(0));
        tail_ = head_ = 0;
        phase_ = true;
    }

    /// The controller has the queue: commands may begin.
    void admit() noexcept {
        {
            const std::scoped_lock hold(access_, lock_);
            awake_ = admits_ = true;
        }
        changed_.notify_all();
    }

    /// Keeps commands from beginning, and waits for those that are on their way, until `deadline`. Afterwards no user
    /// of the queue accesses a register.
    void quiesce(clock::time_point deadline) noexcept {
        {
            std::unique_lock hold(lock_);
            admits_ = false;
            (void)wait(hold, deadline, completes::by_interrupt, [this] {
                return std::ranges::find(slots_, slot_state::on_its_way, &slot::state) == slots_.end();
            });
        }
        {
            const std::scoped_lock hold(access_);
            awake_ = false;
        }
        while (taking_.test(std::memory_order_acquire))  // who has taken the last completion rings a doorbell
            std::this_thread::yield();
    }

    /// The controller has forgotten the queue, and the commands that are left: who waits for one hears `ecanceled`.
    void forget() noexcept {
        {
            const std::scoped_lock hold(lock_);
            for (slot& each : slots_) {
                if (each.state == slot_state::on_its_way)
                    each = {slot_state::done, completion::of(status::abort_queue_deleted)};
                else if (each.state == slot_state::abandoned)
                    each.state = slot_state::idle;
            }
        }
        changed_.notify_all();
    }

private:
    enum class slot_state { idle, on_its_way, done, abandoned };

    struct slot {
        slot_state state = slot_state::idle;
        completion outcome{};
    };

    [[nodiscard]] pci::bus_address bus(std::size_t offset) const noexcept {
        return pci::bus_address{static_cast<std::uint64_t>(memory_.address()) + offset};
    }
    [[nodiscard]] std::byte* at(std::size_t offset) const noexcept {
        return static_cast<std::byte*>(memory_.data()) + offset;
    }

    /// Waits for `done()`, and looks at the controller now and then. @returns as `execute`
    template <class Condition>
    result<> wait(std::unique_lock<std::mutex>& hold, clock::time_point deadline, completes how,
                  Condition done) noexcept {
        const std::chrono::milliseconds between_looks(how == completes::by_interrupt ? 10 : 1);
        while (!done()) {
            if (how == completes::by_polling) {
                hold.unlock();
                const bool some = take_completions();
                hold.lock();
                if (some)
                    continue;
            }
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
            look();
            hold.lock();
        }
        return {};
    }
    void look() noexcept {
        const std::scoped_lock hold(access_);
        if (awake_)
            controller_->look();
    }

    result<unsigned> take_slot(clock::time_point deadline) noexcept {
        unsigned found = layout_.slots;
        const auto is_one_idle = [&] {
            found = 0;
            while (found != layout_.slots && slots_[found].state != slot_state::idle)
                ++found;
            return admits_ && found != layout_.slots;
        };
        std::unique_lock hold(lock_);
        if (closed_)
            return fail(errc::enodev);
        if (const auto why = controller_->ended())
            return fail(*why);
        DEVRES_TRY(wait(hold, deadline, completes::by_interrupt, is_one_idle));
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

    /// There is room in the ring, because there are fewer slots than entries. A command that was canceled meanwhile is
    /// not submitted.
    void submit(const command& what, unsigned taken) noexcept {
        const auto words = std::bit_cast<std::array<std::uint64_t, sizeof(command) / 8>>(what);
        const std::scoped_lock hold(access_);
        if (!awake_ || !is_on_its_way(taken))
            return;
        auto* const entry = reinterpret_cast<std::uint64_t*>(at(tail_ * sizeof(command)));
        for (std::size_t i = 0; i != words.size(); ++i)  // released: the data is in memory before the doorbell rings
            std::atomic_ref(entry[i]).store(words[i], std::memory_order_release);
        tail_ = tail_ + 1 == layout_.entries ? 0 : tail_ + 1;
        controller_->write32(submission_doorbell_, tail_);
    }
    [[nodiscard]] bool is_on_its_way(unsigned taken) noexcept {
        const std::scoped_lock hold(lock_);
        return slots_[taken].state == slot_state::on_its_way;
    }

    /// Waits for the completion of a slot's command. On an error, the slot is taken until it comes.
    result<completion> finish(unsigned taken, clock::time_point deadline, completes how) noexcept {
        std::unique_lock hold(lock_);
        slot& mine = slots_[taken];
        if (const auto waited = wait(hold, deadline, how, [&] { return mine.state == slot_state::done; }); !waited) {
            mine.state = slot_state::abandoned;
            return fail(waited.error());
        }
        return mine.outcome;
    }

    /// Takes the completions that there are, and wakes who waits for them. @returns false if there are none, or another
    /// is at it
    bool take_completions() noexcept {
        if (taking_.test_and_set(std::memory_order_acquire))
            return false;
        std::uint32_t head = 0;
        bool some = false;
        {
            const std::scoped_lock hold(lock_);
            for (completion next = peek(); next.phase() == phase_; next = peek()) {
                take(next);
                some = true;
            }
            head = head_;
        }
        if (some)
            controller_->write32(completion_doorbell_, head);
        taking_.clear(std::memory_order_release);
        if (some)
            changed_.notify_all();
        return some;
    }

    /// The next entry of the completion queue, which is there if it has the phase of this round.
    [[nodiscard]] completion peek() const noexcept {
        auto* const entry = reinterpret_cast<std::uint64_t*>(at(layout_.completions() + head_ * sizeof(completion)));
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

    devres::managed_ref<transport<Device>> controller_;
    queue_id id_;
    std::size_t submission_doorbell_;
    std::size_t completion_doorbell_;
    queue_layout layout_;
    pci::coherent_of<Device> memory_;

    std::mutex access_;
    std::uint32_t tail_ = 0;
    bool awake_ = false;

    std::mutex lock_;
    std::condition_variable changed_;
    bool admits_ = false;
    bool closed_ = false;
    std::uint32_t head_ = 0;
    bool phase_ = true;
    std::array<slot, queue_layout::most_slots> slots_{};
    std::uint64_t completed_ = 0;
    std::uint64_t strays_ = 0;

    std::atomic_flag taking_;
    std::atomic<std::uint64_t> interrupts_{0};
};

}  // namespace nvme
