// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <devres/devres.hpp>

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
        (void)ask({}, [] { return true; });
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
        (void)ask({.mrpc = true}, [] { return true; });  // in case it is only the interrupt that is missing
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
        event_summary out;
        bool there = false;
        const auto look = [&] {
            if (!alive())
                return;
            out.global = read32(summary_offset(event_scope::global, 0));
            out.partition = read32(summary_offset(event_scope::partition, info_.partition));
            for (const unsigned port : info_.port_functions())
                out.port_functions[port] = read32(summary_offset(event_scope::port_function, port));
            there = present();
        };
        worker_.exclusively(look, [this] { return pass(); });
        return there ? result<event_summary>(out) : fail(errc::enodev);
    }

    /// Looks at an event and changes it. `instance` is a port function's number, and 0 for other events: a
    /// partition's are always our own. Not from inside a handler.
    /// @returns the event as it was; `einval` if our partition has no such port function, `eperm` for a change of an
    /// event that is the driver's own (`mrpc_comp`, `link_state`), `enodev` if the device is gone or going.
    [[nodiscard]] result<event_status> control(event what, unsigned instance, const event_control& change) noexcept {
        namespace header = gas::event_header;
        const bool changes = change.clear || change.interrupt || change.log || change.cli || change.fatal;
        if (changes && (what == event::mrpc_comp || what == event::link_state))
            return fail(errc::eperm);
        if (what > event::link_state || !has_instance(what, instance))
            return fail(errc::einval);
        const bool ours = scope_of(what) == event_scope::partition;
        const std::size_t at = header_offset(what, ours ? info_.partition : instance);
        result<event_status> out = fail(errc::enodev);
        const auto look = [&] {
            const std::uint32_t before = alive() ? read32(at) : gas::all_ones;
            if (before == gas::all_ones)
                return;
            out = event_status{.occurred = (before & header::occurred) != 0,
                               .interrupt = (before & header::interrupt) != 0,
                               .log = (before & header::log) != 0,
                               .cli = (before & header::cli) != 0,
                               .fatal = (before & header::fatal) != 0,
                               .count = before >> header::count_shift & header::count_mask};
            for (unsigned i = 0; i != header::data_words; ++i)
                out->data[i] = read32(at + 4 * (i + 1));
            if (!changes)
                return;
            std::uint32_t after = before & ~header::occurred;
            const auto set = [&](const std::optional<bool>& wanted, std::uint32_t bit) {
                if (wanted)
                    after = *wanted ? after | bit : after & ~bit;
            };
            set(change.clear ? std::optional(true) : std::nullopt, header::occurred);
            set(change.interrupt, header::interrupt);
            set(change.log, header::log);
            set(change.cli, header::cli);
            set(change.fatal, header::fatal);
            write32(at, after);
        };
        worker_.exclusively(look, [this] { return pass(); });
        return out;
    }

    /// Interrupt handler of the event vector: looks for an answer, for link changes and for every other event,
    /// masks the events that have occurred, counts them and wakes who waits.
    /// @returns none if none of that has happened.
    pci::irq_return on_irq() noexcept {
        return interrupted({.events = true}, [this] { return has_fired(); });
    }

    /// Interrupt handler of the DMA-MRPC vector: the answer is in memory.
    /// @returns none if nobody waits for one.
    pci::irq_return on_dma_mrpc() noexcept {
        return interrupted({.mrpc = true}, [this] {
            return running_.load(std::memory_order_acquire) && read32(gas::mrpc::status) != gas::mrpc::in_progress;
        });
    }

    // For the driver, on one thread at a time.

    /// Lets users in, and the device interrupt and answer in memory. Its handlers are there.
    void start() noexcept {
        namespace header = gas::event_header;
        {
            const std::scoped_lock hold(lock_);
            alive_ = true;
        }
        write32(mrpc_header(), header::occurred | header::interrupt);
        for (const unsigned port : info_.port_functions())
            write32(header_offset(event::link_state, port), header::occurred | header::interrupt);
        if (answers_) {
            const auto address = static_cast<std::uint64_t>(answers_->address());
            write32(gas::mrpc::dma_address, static_cast<std::uint32_t>(address));
            write32(gas::mrpc::dma_address + 4, static_cast<std::uint32_t>(address >> 32U));
            write32(gas::mrpc::dma_enable, 1);
        }
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
        namespace header = gas::event_header;
        close();
        const auto mask = [this](std::size_t at) {
            if (const std::uint32_t now = read32(at); (now & header::interrupt) != 0)
                write32(at, now & ~(header::interrupt | header::occurred));
        };
        const auto quiet = [&] {
            if (current_ != nullptr)
                abandon(*current_);
            if (answers_)
                write32(gas::mrpc::dma_enable, 0);
            if (!present())
                return;
            each_block([&](event_scope scope, unsigned instance) {
                const event_range events = events_of(scope);
                for (unsigned i = 0; i != events.count(); ++i)
                    mask(block_offset(scope, instance, events.header + i * header::stride));
            });
        };
        worker_.exclusively(quiet, [this] { return pass(); });
    }

private:
    /// What a pass is to look at, besides the queue.
    struct due {
        bool events = false;
        bool mrpc = false;
    };
    static constexpr unsigned due_events = 1;
    static constexpr unsigned due_mrpc = 2;

    template <class Condition>
    bool ask(due what, Condition worthwhile) noexcept {
        due_.fetch_or((what.events ? due_events : 0U) | (what.mrpc ? due_mrpc : 0U), std::memory_order_acq_rel);
        return worker_.ask([this] { return pass(); }, worthwhile);
    }
    template <class Condition>
    pci::irq_return interrupted(due what, Condition worthwhile) noexcept {
        return ask(what, worthwhile) ? pci::irq_return::handled : pci::irq_return::none;
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
            run(*current_);
        }
        return news;
    }

    bool take_events(bool& answer_due) noexcept {
        namespace header = gas::event_header;
        const std::uint32_t mrpc = read32(mrpc_header());
        if (mrpc == gas::all_ones)
            return false;
        occurrences now;
        const bool answered = fired(mrpc);
        if (answered) {
            // Acknowledged before the status is read: an answer that comes in between interrupts again.
            write32(mrpc_header(), header::occurred | header::interrupt);
            answer_due = true;
        }
        for (const unsigned port : info_.port_functions()) {
            const std::size_t at = header_offset(event::link_state, port);
            if (fired(read32(at))) {
                write32(at, header::occurred | header::interrupt);
                ++now.link_changes;
            }
        }
        each_block([&](event_scope scope, unsigned instance) { now.events += mask_fired(scope, instance); });
        if (now != occurrences{}) {
            const std::scoped_lock hold(lock_);
            happened_.events += now.events;
            happened_.link_changes += now.link_changes;
            changed_.notify_all();
        }
        return answered || now != occurrences{};
    }

    /// Whether there is anything for `take_events`.
    bool has_fired() noexcept {
        bool any = fired(read32(mrpc_header()));
        for (const unsigned port : info_.port_functions())
            any = any || fired(read32(header_offset(event::link_state, port)));
        each_block([&](event_scope scope, unsigned instance) {
            each_fired(scope, instance, [&](std::size_t, std::uint32_t) { any = true; });
        });
        return any;
    }

    /// Keeps the events of a block that have occurred from interrupting again, until their users have looked.
    unsigned mask_fired(event_scope scope, unsigned instance) noexcept {
        namespace header = gas::event_header;
        unsigned masked = 0;
        each_fired(scope, instance, [&](std::size_t at, std::uint32_t now) {
            write32(at, now & ~(header::interrupt | header::occurred));
            ++masked;
        });
        return masked;
    }

    /// The users' events of a block that interrupt: where the header is, and what it says.
    template <class Visit>
    void each_fired(event_scope scope, unsigned instance, Visit visit) noexcept {
        const std::uint32_t occurred = read32(summary_offset(scope, instance));
        const event_range events = events_of(scope);
        for (unsigned i = 0; i != events.count(); ++i) {
            if ((occurred >> i & 1U) == 0 || is_drivers_own(scope, i))
                continue;
            const std::size_t at = block_offset(scope, instance, events.header + i * gas::event_header::stride);
            if (const std::uint32_t now = read32(at); fired(now))
                visit(at, now);
        }
    }

    /// Takes the answer to the current command, if one is due and there.
    bool take_answer(bool answer_due) noexcept {
        if (current_ == nullptr || !(answer_due || is_abandoned(*current_)))
            return false;
        const std::uint32_t status = read32(gas::mrpc::status);
        if (status == gas::mrpc::in_progress)
            return false;
        current_->outcome = answer(*current_, status);
        {
            const std::scoped_lock hold(lock_);
            current_->state = mrpc_request::phase::done;
        }
        changed_.notify_all();
        running_.store(false, std::memory_order_release);
        current_.reset();
        return true;
    }

    result<mrpc_reply> answer(mrpc_request& request, std::uint32_t status) noexcept {
        switch (status) {
        case gas::mrpc::done:
        case gas::mrpc::error: break;
        case gas::mrpc::interrupted: return fail(errc::enxio);
        case gas::all_ones: return fail(errc::enodev);
        default: return fail(errc::ebadmsg);
        }
        mrpc_reply reply{.failed = status == gas::mrpc::error, .size = request.output_size};
        if (answers_) {  // what was read from the status register made sure that it has arrived
            const gas::mrpc::dma_output& output = answer_in_memory();
            reply.return_code = output.return_code;
            reply.size = std::min<std::size_t>(reply.size, output.size);
            std::memcpy(request.data.data(), output.data, std::min(reply.size, gas::mrpc::max_data));
        } else {
            reply.return_code = read32(gas::mrpc::return_code);
            for (std::size_t i = 0; i < reply.size; i += 4) {
                const std::uint32_t word = read32(gas::mrpc::output + i);
                std::memcpy(request.data.data() + i, &word, sizeof(word));
            }
        }
        return present() ? result<mrpc_reply>(reply) : fail(errc::enodev);
    }

    /// Gives the device a command, which is current: only one pass at a time is made.
    void run(const mrpc_request& request) noexcept {
        if (answers_)
            answer_in_memory() = {};
        for (std::size_t i = 0; i < request.input_size; i += 4) {
            std::uint32_t word = 0;
            std::memcpy(&word, request.data.data() + i, sizeof(word));
            write32(gas::mrpc::input + i, word);
        }
        write32(gas::mrpc::command, request.command);
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

    /// Whether the device still answers.
    [[nodiscard]] bool present() const noexcept { return is_present(registers_); }

    [[nodiscard]] static bool fired(std::uint32_t header) noexcept {
        constexpr std::uint32_t both = gas::event_header::occurred | gas::event_header::interrupt;
        return header != gas::all_ones && (header & both) == both;
    }

    [[nodiscard]] static bool is_drivers_own(event_scope scope, unsigned bit) noexcept {
        const auto what = static_cast<event>(static_cast<unsigned>(events_of(scope).first) + bit);
        return what == event::mrpc_comp || what == event::link_state;
    }

    [[nodiscard]] bool has_instance(event what, unsigned instance) const noexcept {
        if (scope_of(what) != event_scope::port_function)
            return instance == 0;
        for (const unsigned port : info_.port_functions()) {
            if (port == instance)
                return true;
        }
        return false;
    }

    /// The blocks of registers whose events are ours.
    template <class Visit>
    void each_block(Visit visit) noexcept {
        visit(event_scope::global, 0U);
        visit(event_scope::partition, info_.partition);
        for (const unsigned port : info_.port_functions())
            visit(event_scope::port_function, port);
    }

    [[nodiscard]] std::size_t mrpc_header() const noexcept { return header_offset(event::mrpc_comp, info_.partition); }

    [[nodiscard]] std::uint32_t read32(std::size_t offset) const noexcept { return registers_.read32(offset); }
    void write32(std::size_t offset, std::uint32_t value) const noexcept { registers_.write32(offset, value); }
    [[nodiscard]] gas::mrpc::dma_output& answer_in_memory() const noexcept {
        return *static_cast<gas::mrpc::dma_output*>(answers_->data());
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
