// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <thread>

#include <devres/devres.hpp>

#include "command_slots.hpp"
#include "commands.hpp"
#include "queue_layout.hpp"
#include "queue_memory.hpp"
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
          completion_doorbell_(completion_doorbell(id, controller->able().doorbell_stride())), memory_(layout, memory),
          slots_(layout.slots) {}

    [[nodiscard]] queue_id id() const noexcept { return id_; }
    [[nodiscard]] const queue_layout& layout() const noexcept { return memory_.layout(); }
    /// Where the controller finds the rings.
    [[nodiscard]] pci::bus_address submissions() const noexcept { return memory_.submissions(); }
    [[nodiscard]] pci::bus_address completions() const noexcept { return memory_.completions(); }

    /// Has a command executed, with `to_device` or `from_device` as its data, and waits until it is done. While the
    /// queue does not admit commands, it waits for that first.
    /// @returns its result; the error of its status (`to_result`); `einval` for more data than the layout has room for,
    /// `etimedout` if it is not done at `deadline`, `ecanceled` if the queue was taken from the controller meanwhile,
    /// `enodev` if the controller is gone or the queue closed, `eio` if the controller has failed
    [[nodiscard]] result<std::uint32_t> execute(command what, std::span<const std::byte> to_device,
                                                std::span<std::byte> from_device, clock::time_point deadline,
                                                completes how = completes::by_interrupt) noexcept {
        const std::size_t size = std::max(to_device.size(), from_device.size());
        if (size > layout().transfer)
            return fail(errc::einval);
        DEVRES_TRY(const unsigned taken, take_slot(deadline));
        std::byte* const data = memory_.data(taken);
        if (!to_device.empty())
            std::memcpy(data, to_device.data(), to_device.size());
        what.id = static_cast<std::uint16_t>(taken);
        if (size != 0)
            memory_.describe_data(what, taken, size);
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
        memory_.rewind();
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
            (void)wait(hold, deadline, completes::by_interrupt, [this] { return !slots_.any_on_its_way(); });
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
            slots_.cancel(completion::of(status::abort_queue_deleted));
        }
        changed_.notify_all();
    }

private:
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
        unsigned found = slots_.count();
        const auto is_one_idle = [&] {
            found = slots_.find_idle();
            return admits_ && found != slots_.count();
        };
        std::unique_lock hold(lock_);
        if (closed_)
            return fail(errc::enodev);
        if (const auto why = controller_->ended())
            return fail(*why);
        DEVRES_TRY(wait(hold, deadline, completes::by_interrupt, is_one_idle));
        slots_.take(found);
        return found;
    }

    void put_slot(unsigned taken) noexcept {
        {
            const std::scoped_lock hold(lock_);
            slots_.put(taken);
        }
        changed_.notify_all();
    }

    /// There is room in the ring, because there are fewer slots than entries. A command that was canceled meanwhile is
    /// not submitted.
    void submit(const command& what, unsigned taken) noexcept {
        const std::scoped_lock hold(access_);
        if (awake_ && is_on_its_way(taken))
            controller_->write32(submission_doorbell_, memory_.put(what));
    }
    [[nodiscard]] bool is_on_its_way(unsigned taken) noexcept {
        const std::scoped_lock hold(lock_);
        return slots_.is_on_its_way(taken);
    }

    /// Waits for the completion of a slot's command. On an error, the slot is taken until it comes.
    result<completion> finish(unsigned taken, clock::time_point deadline, completes how) noexcept {
        std::unique_lock hold(lock_);
        const auto waited = wait(hold, deadline, how, [&] { return slots_.is_done(taken); });
        if (waited)
            return slots_.outcome(taken);
        slots_.abandon(taken);
        return fail(waited.error());
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
            some = memory_.take([this](const completion& next) {
                ++completed_;
                strays_ += slots_.complete(next) ? 0U : 1U;
            });
            head = memory_.head();
        }
        if (some)
            controller_->write32(completion_doorbell_, head);
        taking_.clear(std::memory_order_release);
        if (some)
            changed_.notify_all();
        return some;
    }

    devres::managed_ref<transport<Device>> controller_;
    queue_id id_;
    std::size_t submission_doorbell_;
    std::size_t completion_doorbell_;
    queue_memory<Device> memory_;  // what is submitted: under `access_`, what has completed: under `lock_`

    std::mutex access_;
    bool awake_ = false;

    std::mutex lock_;
    std::condition_variable changed_;
    bool admits_ = false;
    bool closed_ = false;
    command_slots slots_;
    std::uint64_t completed_ = 0;
    std::uint64_t strays_ = 0;

    std::atomic_flag taking_;
    std::atomic<std::uint64_t> interrupts_{0};
};

}  // namespace nvme
