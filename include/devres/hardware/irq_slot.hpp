// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include <devres/hardware/detail/fixed_name.hpp>
#include <devres/pci/platform.hpp>

/// Where an interrupt goes when it fires: a handler, one thread at a time.
namespace devres::hardware {

class function;
struct irq_slot;

namespace detail {

/// One handler that this thread is running, and the one it interrupted.
struct handler_frame {
    irq_slot* slot;
    handler_frame* outer;
};

inline constinit thread_local handler_frame* running_handlers = nullptr;

}  // namespace detail

/// What became of an interrupt.
enum class delivery { no_handler, held, running, none, handled };

/// Where an interrupt goes, a message or a line: whom the operating system has called when it fires. The bus has one for
/// each vector; so has every other system on the same hardware (`linux_model`).
///
/// Delivery takes no lock. As in Linux, a handler never runs on two threads at once: an interrupt that comes
/// while it runs makes the running thread call it again. Here each one counts; Linux merges them. What comes while nobody
/// may be called is one interrupt, however often it comes, if the slot holds it.
struct alignas(64) irq_slot {
    /// Parts of `state`: armed | running | holding | how many calls there have been | how many interrupts wait.
    /// @{
    static constexpr std::uint64_t armed = std::uint64_t{1} << 63U;
    static constexpr std::uint64_t running = std::uint64_t{1} << 62U;
    static constexpr std::uint64_t holding = std::uint64_t{1} << 61U;
    static constexpr std::uint64_t call = std::uint64_t{1} << 32U;
    static constexpr std::uint64_t calls = holding - call;
    static constexpr std::uint64_t count = call - 1;
    /// @}

    std::atomic<std::uint64_t> state{0};          ///< see above
    pci::irq_entry entry = nullptr;               ///< as context: only changed while neither armed nor running
    void* context = nullptr;                      ///< what `entry` is given
    function* owner = nullptr;                    ///< whose vector it is
    std::atomic<std::uint64_t> id{0};             ///< of the registration, 0 without one
    unsigned index = 0;                           ///< of the vector
    unsigned older = 0;                           ///< neighbours in the order of registration, as index + 1
    unsigned newer = 0;                           ///< likewise
    unsigned disables = 0;                        ///< that have not been undone
    std::atomic<std::uint64_t> affinity{0};       ///< the CPUs that it was sent to; 0: wherever it was
    std::atomic<std::uint64_t> affinity_hint{0};  ///< what the driver said of it; 0: nothing
    std::uint32_t youngest_mapping = 0;           ///< when the handler was registered
    std::uint8_t keeps_off_bars = 0;              ///< as in `pci::irq_action`
    std::atomic<std::uint32_t> told_younger{0};   ///< of which BARs
    std::atomic<std::uint32_t> told_kept_off{0};  ///< likewise
    fixed_name name;                              ///< what the driver calls the handler

    /// An edge: runs the handler here, or leaves it to the thread that is running it.
    delivery deliver_edge() noexcept {
        std::uint64_t old = state.load(std::memory_order_relaxed);
        std::uint64_t wanted = 0;
        do {
            if ((old & armed) != 0)
                wanted = (old & running) != 0 ? old + 1 : old | running;
            else if ((old & holding) != 0)
                wanted = (old & count) != 0 ? old : old + 1;
            else
                return delivery::no_handler;
        } while (!state.compare_exchange_weak(old, wanted, std::memory_order_acq_rel, std::memory_order_relaxed));
        if ((old & armed) == 0)
            return delivery::held;
        return (old & running) != 0 ? delivery::running : run();
    }

    /// A level: runs the handler here unless it is running, in which case that thread looks at the line again.
    delivery deliver_level() noexcept {
        std::uint64_t old = state.load();
        do {
            if ((old & armed) == 0)
                return delivery::no_handler;
            if ((old & running) != 0)
                return delivery::running;
        } while (!state.compare_exchange_weak(old, old | running));
        return run();
    }

    /// What drivers say of CPUs, as `pci::platform_archetype` has it.
    void hint(std::uint64_t cpus, bool apply) noexcept {
        affinity_hint.store(cpus, std::memory_order_relaxed);
        if (apply && cpus != 0)
            affinity.store(cpus, std::memory_order_relaxed);
    }
    /// Nothing has been said of CPUs.
    void forget_affinity() noexcept {
        affinity.store(0, std::memory_order_relaxed);
        affinity_hint.store(0, std::memory_order_relaxed);
    }

    /// Holds edges that come while it is not armed, from now on.
    void hold() noexcept { state.fetch_or(holding, std::memory_order_acq_rel); }
    /// Holds none any more, and forgets the one it holds.
    void let_go() noexcept {
        std::uint64_t old = state.load(std::memory_order_relaxed);
        while (!state.compare_exchange_weak(old, old & ~((old & armed) != 0 ? holding : holding | count))) {}
    }

    /// Lets interrupts in; entry and context are set. What was held is delivered here.
    void arm() noexcept {
        std::uint64_t old = state.load(std::memory_order_relaxed);
        std::uint64_t wanted = 0;
        do {
            wanted = old | armed;
            if ((old & running) == 0 && (old & count) != 0)
                wanted = (wanted - 1) | running;
        } while (!state.compare_exchange_weak(old, wanted, std::memory_order_acq_rel, std::memory_order_relaxed));
        if (((old ^ wanted) & running) != 0)
            (void)run();
    }

    /// As `arm`, but what was held is not delivered until `deliver_held`.
    void arm_quietly() noexcept { state.fetch_or(armed, std::memory_order_acq_rel); }
    /// Delivers here what was held, if it is armed and not running.
    void deliver_held() noexcept {
        std::uint64_t old = state.load(std::memory_order_relaxed);
        do {
            if ((old & armed) == 0 || (old & running) != 0 || (old & count) == 0)
                return;
        } while (!state.compare_exchange_weak(old, (old - 1) | running, std::memory_order_acq_rel,
                                              std::memory_order_relaxed));
        (void)run();
    }
    /// The handler will not run again until it is armed; it may be running.
    void disarm_quietly() noexcept { state.fetch_and(~armed, std::memory_order_acq_rel); }

    /// Returns when the handler is not running and will not run again until it is armed. Not from inside it.
    void disarm() noexcept {
        disarm_quietly();
        while ((state.load(std::memory_order_acquire) & running) != 0)
            std::this_thread::yield();
    }

    /// Returns when no call that had begun is running. Not from inside it.
    void synchronize() noexcept {
        const std::uint64_t begun = state.fetch_or(0, std::memory_order_acq_rel);  // a later call sees what was written
        if ((begun & running) == 0)
            return;
        for (;;) {
            const std::uint64_t now = state.load(std::memory_order_acquire);
            if ((now & running) == 0 || ((now ^ begun) & calls) != 0)
                return;
            std::this_thread::yield();
        }
    }

    /// True if this thread is inside the handler.
    [[nodiscard]] bool running_here() const noexcept {
        for (const detail::handler_frame* frame = detail::running_handlers; frame != nullptr; frame = frame->outer) {
            if (frame->slot == this)
                return true;
        }
        return false;
    }

private:
    /// What the state becomes when a call has ended: another one begins if one waits.
    static constexpr std::uint64_t after_call(std::uint64_t old) noexcept {
        const std::uint64_t ended = (old & ~calls) | ((old + call) & calls);
        if ((old & armed) != 0 && (old & count) != 0)
            return ended - 1;
        return ended & ~((old & holding) != 0 ? running : running | count);
    }

    delivery run() noexcept {
        detail::handler_frame frame{this, detail::running_handlers};
        detail::running_handlers = &frame;
        bool handled = false;
        std::uint64_t next = 0;
        do {
            handled |= entry(context, pci::vector_index(index)) == pci::irq_return::handled;
            std::uint64_t old = state.load(std::memory_order_relaxed);
            do
                next = after_call(old);
            while (!state.compare_exchange_weak(old, next));
        } while ((next & running) != 0);
        detail::running_handlers = frame.outer;
        return handled ? delivery::handled : delivery::none;
    }
};

}  // namespace devres::hardware
