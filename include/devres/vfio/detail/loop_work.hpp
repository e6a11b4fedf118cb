// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/vfio/event_loop.hpp>

/// Work in an event loop.
namespace devres::vfio {

template <class System>
result<bool> event_loop<System>::schedule_work(pci::work_id id, std::uint64_t nanoseconds, bool again) noexcept {
    const std::uint64_t before = work_.next();
    const auto was = work_.with(
        id,
        [&](timed_work::item& item) -> result<bool> {
            const bool pending = item.due != timed_work::never;
            if (item.cancelling != 0)
                return !again;
            if (pending && !again)
                return true;
            const std::uint64_t now = timed_work::now();
            item.due = nanoseconds < timed_work::never - now ? now + nanoseconds : timed_work::never - 1;
            return pending;
        },
        result<bool>(fail(errc::enoent)));
    if (work_.next() < before && !is_dispatcher())
        wake();
    return was;
}

template <class System>
result<bool> event_loop<System>::cancel_work(pci::work_id id, bool wait) noexcept {
    const event_source* mark = nullptr;
    auto was = work_.with(
        id,
        [&](timed_work::item& item) -> result<bool> {
            if (wait && inside(item.mark))
                return fail(errc::edeadlk);
            if (wait) {
                mark = &item.mark;
                ++item.cancelling;
            }
            return std::exchange(item.due, timed_work::never) != timed_work::never;
        },
        result<bool>(false));
    if (mark != nullptr) {
        wait_for(*mark);
        (void)work_.with(id, [](timed_work::item& item) { return --item.cancelling != 0; }, false);
    }
    return was;
}

template <class System>
result<bool> event_loop<System>::flush_work(pci::work_id id) noexcept {
    if (is_dispatcher())
        return fail(errc::edeadlk);
    const event_source* mark = nullptr;
    const bool was = work_.with(
        id,
        [&](timed_work::item& item) {
            mark = &item.mark;
            if (item.due == timed_work::never)
                return false;
            item.due = 0;
            return true;
        },
        false);
    if (mark == nullptr)
        return false;
    const bool ran = running_.load() == mark;
    const auto waits = [&] {
        return work_.with(id, [](const timed_work::item& item) { return item.due == 0; }, false);
    };
    wake();
    while (was && waits()) {
        std::thread::id nobody;
        if (!thread_.joinable() && dispatcher_.compare_exchange_strong(nobody, std::this_thread::get_id())) {
            (void)call_work(0);
            running_.store(nullptr, std::memory_order_release);
            dispatcher_.store({});
        } else {
            std::this_thread::yield();
        }
    }
    wait_for(*mark);
    return was || ran;
}

template <class System>
result<> event_loop<System>::remove_work(pci::work_id id) noexcept {
    bool inside_it = false;
    const auto taken = work_.take(id, [&](const timed_work::item& item) { return inside_it = inside(item.mark); });
    if (inside_it)
        return fail(errc::edeadlk);
    if (taken != nullptr)
        wait_for(taken->mark);
    return {};
}

template <class System>
void event_loop<System>::wait_for_work_of(const void* owner) noexcept {
    std::uint64_t after = 0;
    while (const event_source* const mark = work_.next_of(owner, after))
        wait_for(*mark);
}

/// What was due at that time; what is scheduled meanwhile is due later.
template <class System>
unsigned event_loop<System>::call_work(std::uint64_t time) noexcept {
    unsigned called = 0;
    const auto begin = [&](const timed_work::item& item) { (void)running_.exchange(&item.mark); };
    for (;; ++called) {
        const pci::work_action due = work_.next_due(time, begin);
        if (due.entry == nullptr)
            return called;
        due.entry(due.context);
    }
}

}  // namespace devres::vfio
