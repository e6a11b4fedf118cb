// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <climits>
#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include <devres/core/detail/exceptions.hpp>
#include <devres/vfio/event_source.hpp>

namespace devres::vfio {

/// Work that is to be called at some time, for a loop that calls it. Any thread may schedule; times are of CLOCK_MONOTONIC.
class timed_work {
public:
    /// A piece of work. The loop tells by `mark` that it runs, as of the source of an event.
    struct item {
        event_source mark;          ///< never armed
        pci::work_action action;    ///< what is called
        std::uint64_t due = never;  ///< when; `never` unless it is to be called
        unsigned cancelling = 0;    ///< it cannot be scheduled just now
    };
    static constexpr std::uint64_t never = ~std::uint64_t{0};  ///< after the end of time

    /// Now, in nanoseconds.
    [[nodiscard]] static std::uint64_t now() noexcept {
        std::timespec at{};
        (void)::clock_gettime(CLOCK_MONOTONIC, &at);
        return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(at.tv_nsec);
    }

    /// Adds work of an owner's. @returns `einval` for none, `enomem`
    result<pci::work_id> add(const void* owner, const pci::work_action& action) noexcept {
        if (action.entry == nullptr)
            return fail(errc::einval);
        return devres::detail::unless_out_of_memory([&]() -> result<pci::work_id> {
            auto added = std::make_unique<item>();
            added->mark.owner = owner;
            added->action = action;
            const std::scoped_lock hold(lock_);
            all_.emplace(++ids_, std::move(added));
            return pci::work_id(ids_);
        });
    }

    /// Does something with a piece of work, which stays meanwhile, and then sees which is the next. @returns what `act` does;
    /// `without` if there is none of that name
    template <class Act, class Answer>
    Answer with(pci::work_id id, Act act, Answer without) noexcept {
        const std::scoped_lock hold(lock_);
        const auto found = all_.find(static_cast<std::uint64_t>(id));
        if (found == all_.end())
            return without;
        const Answer answer = act(*found->second);
        find_next();
        return answer;
    }
    /// Takes a piece of work out; null if there is none of that name, or if `stays(item)`.
    template <class Stays>
    std::unique_ptr<item> take(pci::work_id id, Stays stays) noexcept {
        const std::scoped_lock hold(lock_);
        const auto found = all_.find(static_cast<std::uint64_t>(id));
        if (found == all_.end() || stays(*found->second))
            return nullptr;
        auto taken = std::move(found->second);
        all_.erase(found);
        find_next();
        return taken;
    }
    /// The next piece of work that was due at `time`, which is not to be called any more once `begin(item)` has been told: its
    /// function and argument; nothing if there is none.
    template <class Begin>
    pci::work_action next_due(std::uint64_t time, Begin begin) noexcept {
        const std::scoped_lock hold(lock_);
        item* next = nullptr;
        for (auto& [id, each] : all_) {
            if (each->due <= time && (next == nullptr || each->due < next->due))
                next = each.get();
        }
        if (next == nullptr)
            return {};
        next->due = never;
        begin(*next);
        find_next();
        return next->action;
    }
    /// The first piece of work of the owner's with a number above `after`, which becomes its; null if there is none.
    [[nodiscard]] const event_source* next_of(const void* owner, std::uint64_t& after) const noexcept {
        const std::scoped_lock hold(lock_);
        for (auto at = all_.upper_bound(after); at != all_.end(); ++at) {
            after = at->first;
            if (at->second->mark.owner == owner)
                return &at->second->mark;
        }
        return nullptr;
    }
    /// How many pieces of work of the owner's there are.
    [[nodiscard]] unsigned count_of(const void* owner) const noexcept {
        std::uint64_t after = 0;
        unsigned count = 0;
        while (next_of(owner, after) != nullptr)
            ++count;
        return count;
    }

    /// When the next one is due.
    [[nodiscard]] std::uint64_t next() const noexcept { return next_.load(); }
    /// Whether one is due.
    [[nodiscard]] bool any_due() const noexcept {
        const std::uint64_t next = next_.load(std::memory_order_relaxed);
        return next != never && next <= now();
    }
    /// A timeout in milliseconds, -1 for none, or less if the next one is due before it is over.
    [[nodiscard]] int at_most(int timeout) const noexcept {
        const std::uint64_t next = next_.load();
        if (next == never) [[likely]]
            return timeout;
        const std::uint64_t time = now();
        const std::uint64_t left = next <= time ? 0 : (next - time) / 1'000'000 + 1;
        const int wait = left > INT_MAX ? INT_MAX : static_cast<int>(left);
        return timeout < 0 || wait < timeout ? wait : timeout;
    }

private:
    void find_next() noexcept {
        std::uint64_t next = never;
        for (const auto& [id, each] : all_)
            next = each->due < next ? each->due : next;
        next_.store(next);
    }

    mutable std::mutex lock_;
    std::map<std::uint64_t, std::unique_ptr<item>> all_;  // by age
    std::uint64_t ids_ = 0;
    std::atomic<std::uint64_t> next_{never};
};

}  // namespace devres::vfio
