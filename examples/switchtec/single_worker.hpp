// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <thread>

namespace switchtec {

/// Has work done by one thread at a time, without a thread ever waiting for another to do it.
class single_worker {
public:
    /// Calls `pass` here, again and again until nobody has asked meanwhile; if another thread is at it (or this
    /// one, further up its stack), leaves a mark for it to make another pass, provided that `worthwhile()`.
    /// Without that condition, a device that interrupts at every register access would keep a pass going for ever.
    /// @returns what the passes returned, or-ed; true if the work is left to another thread, false if it was
    /// not worthwhile.
    template <class Pass, class Condition>
    bool ask(Pass pass, Condition worthwhile) noexcept {
        unsigned nobody = 0;
        if (asked_.compare_exchange_strong(nobody, 1, std::memory_order_acq_rel))
            return work(pass);
        if (!worthwhile())
            return false;
        return asked_.fetch_add(1, std::memory_order_acq_rel) != 0 || work(pass);
    }

    /// Waits until no pass is under way, calls `function` in its place, and then makes the passes that others
    /// asked for. Not from inside a pass or a handler.
    template <class Function, class Pass>
    void exclusively(Function function, Pass pass) noexcept {
        unsigned nobody = 0;
        while (!asked_.compare_exchange_weak(nobody, 1, std::memory_order_acq_rel)) {
            nobody = 0;
            std::this_thread::yield();
        }
        function();
        unsigned seen = 1;
        if (!asked_.compare_exchange_strong(seen, 0, std::memory_order_acq_rel))
            (void)work(pass);
    }

private:
    template <class Pass>
    bool work(Pass& pass) noexcept {
        bool happened = false;
        unsigned seen = asked_.load(std::memory_order_acquire);
        do
            happened |= pass();
        while (!asked_.compare_exchange_strong(seen, 0, std::memory_order_acq_rel, std::memory_order_acquire));
        return happened;
    }

    std::atomic<unsigned> asked_{0};
};

}  // namespace switchtec
