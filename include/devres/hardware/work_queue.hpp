// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <devres/core/detail/exceptions.hpp>
#include <devres/hardware/function.hpp>
#include <devres/hardware/irq_slot.hpp>

namespace devres::hardware {

/// The work and the timers of a machine, and its clock. Nothing happens by itself: the program says when work is called, `run`, and
/// moves the time, `advance`, which has timers go off.
///
/// A piece of work is called on one thread at a time. Any thread may schedule and cancel; who runs and advances is the program's
/// business, on one thread or several.
class work_queue {
public:
    static constexpr std::uint64_t tick =
        1'000'000;  ///< a timer goes off with the next one at the earliest, in nanoseconds

    work_queue() = default;
    work_queue(const work_queue&) = delete;
    work_queue& operator=(const work_queue&) = delete;

    /// Calls the work that is due, that which is scheduled meanwhile not. @returns how many calls there were
    unsigned run() noexcept {
        std::unique_lock hold(lock_);
        const std::uint64_t last = scheduled_;
        unsigned calls = 0;
        while (!works_.empty() && works_.begin()->due <= now_ && works_.begin()->number <= last) {
            call(hold, works_.begin()->of);
            ++calls;
        }
        return calls;
    }

    /// Moves the time on, and has timers go off on the way, each at its time. @returns how many did
    unsigned advance(std::uint64_t nanoseconds) noexcept {
        std::unique_lock hold(lock_);
        const std::uint64_t until = later(now_, nanoseconds);
        unsigned calls = 0;
        while (!timers_.empty() && timers_.begin()->due <= until) {
            if (timers_.begin()->due > now_)
                now_ = timers_.begin()->due;
            call(hold, timers_.begin()->of);
            ++calls;
        }
        if (until > now_)
            now_ = until;
        return calls;
    }

    /// Nanoseconds since the machine began.
    [[nodiscard]] std::uint64_t now() const noexcept {
        const std::scoped_lock hold(lock_);
        return now_;
    }

    /// For an operating system: a platform's primitives, whose contract is in `pci::platform_archetype`.
    /// @{
    result<pci::work_id> add(function& owner, const pci::work_action& action) noexcept {
        if (action.entry == nullptr)
            return fail(errc::einval);
        return devres::detail::unless_out_of_memory([&]() -> result<pci::work_id> {
            auto added = std::make_shared<work>();
            added->action = action;
            added->slot.entry = [](void* context, pci::vector_index) noexcept {
                const auto& called = *static_cast<const pci::work_action*>(context);
                called.entry(called.context);
                return pci::irq_return::handled;
            };
            added->slot.context = &added->action;
            added->slot.owner = &owner;
            added->slot.youngest_mapping = owner.mappings().youngest();
            added->slot.keeps_off_bars = action.keeps_off_bars;
            added->slot.name.set(action.name);
            added->slot.arm();
            agenda made;
            added->place = made.extract(made.insert({.of = added.get()}).first);  // so that scheduling needs no memory
            const std::scoped_lock hold(lock_);
            const std::uint64_t id = ++ids_;
            added->slot.id.store(id);
            all_.emplace(id, std::move(added));
            return pci::work_id(id);
        });
    }
    result<bool> schedule(pci::work_id id, std::uint64_t nanoseconds, bool again) noexcept {
        const std::scoped_lock hold(lock_);
        work* const found = find(id);
        if (found == nullptr)
            return fail(errc::enoent);
        const bool was = found->pending();
        if (found->cancelling != 0)
            return !again;
        if (was && !again)
            return true;
        unschedule(*found);
        const bool timer = found->action.timer;
        found->place.value().due = later(now_, timer && nanoseconds < tick ? tick : nanoseconds);
        found->place.value().number = ++scheduled_;
        found->at = (timer ? timers_ : works_).insert(std::move(found->place)).position;
        return was;
    }
    result<bool> cancel(pci::work_id id, bool wait) noexcept {
        std::unique_lock hold(lock_);
        const auto found = all_.find(static_cast<std::uint64_t>(id));
        if (found == all_.end())
            return false;
        const auto kept = found->second;
        if (wait && kept->slot.running_here())
            return fail(errc::edeadlk);
        const bool was = unschedule(*kept);
        if (wait) {
            ++kept->cancelling;
            wait_for(hold, *kept);
            --kept->cancelling;
        }
        return was;
    }
    result<bool> flush(pci::work_id id) noexcept {
        std::unique_lock hold(lock_);
        const auto found = all_.find(static_cast<std::uint64_t>(id));
        if (found == all_.end())
            return false;
        const auto kept = found->second;
        const bool was = kept->pending();
        const bool ran = kept->calls != 0;
        if (was)
            call(hold, kept.get());
        wait_for(hold, *kept);
        return was || ran;
    }
    result<> remove(pci::work_id id) noexcept {
        std::unique_lock hold(lock_);
        const auto found = all_.find(static_cast<std::uint64_t>(id));
        if (found == all_.end())
            return {};
        const auto kept = found->second;
        if (kept->slot.running_here())
            return fail(errc::edeadlk);
        all_.erase(found);
        unschedule(*kept);
        wait_for(hold, *kept);
        return {};
    }
    /// @}

    /// Returns when no call of the function's work is running that had begun.
    void synchronize(const function& owner) noexcept {
        std::unique_lock hold(lock_);
        for (auto next = all_.begin(); next != all_.end();) {
            const auto [id, kept] = *next;
            hold.unlock();
            if (kept->slot.owner == &owner)
                kept->slot.synchronize();
            hold.lock();
            next = all_.upper_bound(id);
        }
    }

    /// Appends what there is of the function's, a line each.
    void describe(const function& owner, std::vector<std::string>& lines) const {
        const std::scoped_lock hold(lock_);
        for (const auto& [id, each] : all_) {
            if (each->slot.owner == &owner)
                lines.push_back((each->action.timer ? "timer of \"" : "work of \"") + each->slot.name.get() + '"');
        }
    }

private:
    struct work;
    /// When work is to be called: in the order of time, and of being scheduled.
    struct appointment {
        std::uint64_t due = 0;
        std::uint64_t number = 0;
        work* of = nullptr;

        friend bool operator<(const appointment& a, const appointment& b) noexcept {
            return a.due != b.due ? a.due < b.due : a.number < b.number;
        }
    };
    using agenda = std::set<appointment>;
    struct work {
        pci::work_action action;
        irq_slot slot;            // calls it, and says that this thread is inside it
        agenda::node_type place;  // while it is not to be called
        agenda::iterator at;      // while it is
        unsigned calls = 0;       // that are about to run, or run
        unsigned cancelling = 0;

        [[nodiscard]] bool pending() const noexcept { return place.empty(); }
    };

    [[nodiscard]] static std::uint64_t later(std::uint64_t now, std::uint64_t by) noexcept {
        return now + by < now ? ~std::uint64_t{0} : now + by;
    }
    [[nodiscard]] work* find(pci::work_id id) noexcept {
        const auto found = all_.find(static_cast<std::uint64_t>(id));
        return found == all_.end() ? nullptr : found->second.get();
    }
    bool unschedule(work& of) noexcept {
        const bool was = of.pending();
        if (was)
            of.place = (of.action.timer ? timers_ : works_).extract(of.at);
        return was;
    }
    /// Calls it without the lock; it may end meanwhile.
    void call(std::unique_lock<std::mutex>& hold, work* due) noexcept {
        const auto kept = all_.find(due->slot.id.load())->second;
        unschedule(*kept);
        ++kept->calls;
        hold.unlock();
        (void)kept->slot.deliver_edge();
        hold.lock();
        --kept->calls;
    }
    static void wait_for(std::unique_lock<std::mutex>& hold, const work& of) noexcept {
        while (of.calls != 0) {
            hold.unlock();
            std::this_thread::yield();
            hold.lock();
        }
    }

    mutable std::mutex lock_;
    std::map<std::uint64_t, std::shared_ptr<work>> all_;  // by age
    agenda works_;
    agenda timers_;
    std::uint64_t now_ = 0;
    std::uint64_t scheduled_ = 0;
    std::uint64_t ids_ = 0;
};

}  // namespace devres::hardware
