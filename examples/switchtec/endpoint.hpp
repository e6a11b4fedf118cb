// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <devres/devres.hpp>

#include "event_registers.hpp"
#include "mrpc_registers.hpp"
#include "mrpc_request.hpp"
#include "partition.hpp"
#include "registers.hpp"
#include "reports.hpp"
#include "single_worker.hpp"

namespace switchtec {

namespace pci = devres::pci;
using devres::errc;
using devres::fail;
using devres::result;

using clock = std::chrono::steady_clock;

/// A management endpoint as its users and its interrupts see it, between `start` and `stop`. Any thread may call any
/// function unless it says otherwise.
///
/// `Registers` is what BAR 0 is accessed through, `Memory` what the firmware answers in, if it can.
template <class Registers, class Memory>
class endpoint {
public:
    endpoint(const Registers& registers, const partition_info& info, const std::optional<Memory>& answers) noexcept
        : registers_(registers), info_(info), answers_(answers) {}

    [[nodiscard]] const partition_info& info() const noexcept { return info_; }

    /// Queues a command.
    /// @returns `enodev` if the device is gone or going.
    result<> submit(std::shared_ptr<mrpc_request> request) noexcept {
        {
            const std::scoped_lock hold(lock_);
            if (!alive_)
                return fail(errc::enodev);
            queue_.push(std::move(request));
        }
        (void)ask(0, [] { return true; });
        return {};
    }

    /// Waits for a command that was submitted.
    /// @returns the answer; `enodev` if the device goes meanwhile, `etimedout` if there is none at `deadline`.
    /// The command is abandoned then: if the device is still at it, it is left to finish, and only then given
    /// the next one.
    [[nodiscard]] result<mrpc_reply> wait_for(mrpc_request& request, clock::time_point deadline) noexcept {
        const auto finished = [&] { return !alive_ || request.state == mrpc_request::phase::done; };
        {
            std::unique_lock hold(lock_);
            if (changed_.wait_until(hold, deadline, finished))
                return alive_ ? request.outcome : fail(errc::enodev);
        }
        (void)ask(due_mrpc, [] { return true; });  // in case it is only the interrupt that is missing
        const std::scoped_lock hold(lock_);
        if (finished())
            return alive_ ? request.outcome : fail(errc::enodev);
        forget(request);
        return fail(errc::etimedout);
    }

    /// Nobody wants the answer to this command any more.
    void abandon(mrpc_request& request) noexcept {
        const std::scoped_lock hold(lock_);
        forget(request);
    }

    /// Waits until there has been more than `seen`, or `deadline`.
    /// @returns what there has been so far; `enodev` if the device goes meanwhile, `etimedout` if there was
    /// nothing new.
    [[nodiscard]] result<occurrences> wait_beyond(const occurrences& seen, clock::time_point deadline) noexcept {
        std::unique_lock hold(lock_);
        const bool something = changed_.wait_until(hold, deadline, [&] { return !alive_ || happened_ != seen; });
        if (!alive_)
            return fail(errc::enodev);
        if (!something)
            return fail(errc::etimedout);
        return happened_;
    }

    /// What has happened so far; `enodev` if the device is gone or going.
    [[nodiscard]] result<occurrences> happened() noexcept {
        const std::scoped_lock hold(lock_);
        if (!alive_)
            return fail(errc::enodev);
        return happened_;
    }

    /// True if the answer to a submitted command is there; `enodev` as above.
    [[nodiscard]] result<bool> answered(const mrpc_request& request) noexcept {
        const std::scoped_lock hold(lock_);
        if (!alive_)
            return fail(errc::enodev);
        return request.state == mrpc_request::phase::done;
    }

    /// Which events have occurred. Not from inside a handler. @returns `enodev` if the device is gone or going.
    [[nodiscard]] result<event_summary> summary() noexcept {
        result<event_summary> out = fail(errc::enodev);
        const auto look = [&] {
            if (alive())
                out = events().summary();
        };
        worker_.exclusively(look, [this] { return pass(); });
        return out;
    }

    /// Looks at an event and changes it. `instance` is a port function's number, and 0 for other events: a
    /// partition's are always our own. Not from inside a handler.
    /// @returns the event as it was; `einval` if our partition has no such port function, `eperm` for a change of an
    /// event that is the driver's own (`mrpc_comp`, `link_state`), `enodev` if the device is gone or going.
    [[nodiscard]] result<event_status> control(event what, unsigned instance, const event_control& change) noexcept {
        if (change.any() && is_drivers_own(what))
            return fail(errc::eperm);
        if (!events().has(what, instance))
            return fail(errc::einval);
        result<event_status> out = fail(errc::enodev);
        const auto look = [&] {
            if (alive())
                out = events().control(what, instance, change);
        };
        worker_.exclusively(look, [this] { return pass(); });
        return out;
    }

    /// Interrupt handler of the event vector: looks for an answer, for link changes and for every other event,
    /// masks the events that have occurred, counts them and wakes who waits.
    /// @returns none if none of that has happened.
    pci::irq_return on_irq() noexcept {
        return interrupted(due_events, [this] { return events().has_fired(); });
    }

    /// Interrupt handler of the DMA-MRPC vector: the answer is in memory.
    /// @returns none if nobody waits for one.
    pci::irq_return on_dma_mrpc() noexcept {
        return interrupted(due_mrpc, [this] {
            return running_.load(std::memory_order_acquire) && mrpc().status() != gas::mrpc::in_progress;
        });
    }

    // For the driver, on one thread at a time.

    /// Lets users in, and the device interrupt and answer in memory. Its handlers are there.
    void start() noexcept {
        {
            const std::scoped_lock hold(lock_);
            alive_ = true;
        }
        events().enable();
        mrpc().enable();
    }

    /// Turns users away, and wakes those who wait.
    void close() noexcept {
        {
            const std::scoped_lock hold(lock_);
            alive_ = false;
            while (queue_.pop() != nullptr) {}
        }
        changed_.notify_all();
    }

    /// Turns users away, and makes the device stop interrupting and answering in memory. Nobody touches it then, until
    /// it is started again. The command that it is at, if any, is nobody's any more.
    void stop() noexcept {
        close();
        const auto quiet = [&] {
            if (current_ != nullptr)
                abandon(*current_);
            mrpc().disable();
            if (events().present())
                events().disable();
        };
        worker_.exclusively(quiet, [this] { return pass(); });
    }

private:
    // What a pass is to look at, besides the queue.
    static constexpr unsigned due_events = 1U << 0U;
    static constexpr unsigned due_mrpc = 1U << 1U;

    [[nodiscard]] event_registers<Registers> events() const noexcept { return {registers_, info_}; }
    [[nodiscard]] mrpc_registers<Registers, Memory> mrpc() const noexcept { return {registers_, answers_}; }

    template <class Condition>
    bool ask(unsigned due, Condition worthwhile) noexcept {
        due_.fetch_or(due, std::memory_order_acq_rel);
        return worker_.ask([this] { return pass(); }, worthwhile);
    }
    template <class Condition>
    pci::irq_return interrupted(unsigned due, Condition worthwhile) noexcept {
        return ask(due, worthwhile) ? pci::irq_return::handled : pci::irq_return::none;
    }

    /// One pass of work. @returns whether there was anything to do that the device is the reason of.
    bool pass() noexcept {
        const unsigned asked = due_.exchange(0, std::memory_order_acq_rel);
        if (!alive())
            return false;
        bool answer_due = (asked & due_mrpc) != 0;
        bool news = (asked & due_events) != 0 && take_events(answer_due);
        news |= take_answer(answer_due);
        while (current_ == nullptr) {
            current_ = next_request();
            if (current_ == nullptr)
                break;
            running_.store(true, std::memory_order_release);
            mrpc().run(*current_);
        }
        return news;
    }

    bool take_events(bool& answer_due) noexcept {
        const auto news = events().take();
        if (news.gone)
            return false;
        answer_due = answer_due || news.answered;
        if (news.now != occurrences{}) {
            const std::scoped_lock hold(lock_);
            happened_.events += news.now.events;
            happened_.link_changes += news.now.link_changes;
            changed_.notify_all();
        }
        return news.answered || news.now != occurrences{};
    }

    /// Takes the answer to the current command, if one is due and there.
    bool take_answer(bool answer_due) noexcept {
        if (current_ == nullptr || !(answer_due || is_abandoned(*current_)))
            return false;
        const std::uint32_t status = mrpc().status();
        if (status == gas::mrpc::in_progress)
            return false;
        current_->outcome = mrpc().answer(*current_, status);
        {
            const std::scoped_lock hold(lock_);
            current_->state = mrpc_request::phase::done;
        }
        changed_.notify_all();
        running_.store(false, std::memory_order_release);
        current_.reset();
        return true;
    }

    [[nodiscard]] std::shared_ptr<mrpc_request> next_request() noexcept {
        const std::scoped_lock hold(lock_);
        std::shared_ptr<mrpc_request> oldest = queue_.pop();
        if (oldest != nullptr)
            oldest->state = mrpc_request::phase::running;
        return oldest;
    }

    /// Under the lock: takes a command out of the queue; one that runs is left to finish.
    void forget(mrpc_request& request) noexcept {
        request.abandoned = true;
        queue_.remove(request);
    }

    [[nodiscard]] bool is_abandoned(const mrpc_request& request) noexcept {
        const std::scoped_lock hold(lock_);
        return request.abandoned;
    }

    [[nodiscard]] bool alive() noexcept {
        const std::scoped_lock hold(lock_);
        return alive_;
    }

    Registers registers_;
    partition_info info_;
    std::optional<Memory> answers_;  // none: answers are read from the registers

    std::mutex lock_;  // never held across a register access
    std::condition_variable changed_;
    bool alive_ = false;
    occurrences happened_;
    mrpc_queue queue_;

    single_worker worker_;
    std::atomic<unsigned> due_{0};
    std::shared_ptr<mrpc_request> current_;  // the worker's
    std::atomic<bool> running_{false};       // there is a current one
};

}  // namespace switchtec
