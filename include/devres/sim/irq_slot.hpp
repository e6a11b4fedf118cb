// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include <devres/pci/platform.hpp>
#include <devres/sim/fixed_name.hpp>

namespace devres::sim {

class function;
struct irq_slot;

namespace detail {

/// One handler that this thread is running, and the one it interrupted.
struct handler_frame {
    const irq_slot* slot;
    handler_frame* outer;
};

inline constinit thread_local handler_frame* running_handlers = nullptr;

}  // namespace detail

/// What became of an interrupt.
enum class delivery { no_handler, running, none, handled };

/// Where an interrupt goes, a message or a line: whom the operating system has called when it fires. The bus has one for
/// each vector; so has every other system on the same hardware (`linux_model`).
///
/// Delivery takes no lock. As in Linux, a handler never runs on two threads at once: an interrupt that comes
/// while it runs makes the running thread call it again. Here each one counts; Linux merges them.
struct alignas(64) irq_slot {
    // state: armed | running | how many came while it ran
    static constexpr std::uint64_t armed = std::uint64_t{1} << 63U;
    static constexpr std::uint64_t running = std::uint64_t{1} << 62U;
    static constexpr std::uint64_t count = running - 1;

    std::atomic<std::uint64_t> state{0};
    pci::irq_entry entry = nullptr;  // as context: only changed while neither armed nor running
    void* context = nullptr;
    function* owner = nullptr;
    std::atomic<std::uint64_t> id{0};  // of the registration, 0 without one
    unsigned index = 0;
    unsigned older = 0;  // neighbours in the order of registration, as index + 1
    unsigned newer = 0;
    fixed_name name;

    [[nodiscard]] bool has_handler() const noexcept { return (state.load(std::memory_order_acquire) & armed) != 0; }

    /// An edge: runs the handler here, or leaves it to the thread that is running it.
    delivery deliver_edge() noexcept {
        std::uint64_t old = state.load(std::memory_order_relaxed);
        for (;;) {
            if ((old & armed) == 0)
                return delivery::no_handler;
            const std::uint64_t wanted = (old & running) != 0 ? old + 1 : old | running;
            if (state.compare_exchange_weak(old, wanted, std::memory_order_acq_rel, std::memory_order_relaxed))
                break;
        }
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

    /// Lets interrupts in; entry and context are set.
    void arm() noexcept { state.store(armed, std::memory_order_release); }

    /// Returns when the handler is not running and will not run again. Not from inside it.
    void disarm() noexcept {
        state.fetch_and(~armed, std::memory_order_acq_rel);
        while ((state.load(std::memory_order_acquire) & running) != 0)
            std::this_thread::yield();
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
    delivery run() noexcept {
        detail::handler_frame frame{this, detail::running_handlers};
        detail::running_handlers = &frame;
        bool handled = false;
        std::uint64_t next = 0;
        do {
            handled |= entry(context, pci::vector_index(index)) == pci::irq_return::handled;
            std::uint64_t old = state.load(std::memory_order_relaxed);
            do
                next = (old & armed) != 0 && (old & count) != 0 ? old - 1 : old & armed;
            while (!state.compare_exchange_weak(old, next));
        } while ((next & running) != 0);
        detail::running_handlers = frame.outer;
        return handled ? delivery::handled : delivery::none;
    }
};

}  // namespace devres::sim
