// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <span>
#include <thread>
#include <utility>

#include <devres/devres.hpp>

#include "platform_array.hpp"
#include "registers.hpp"

/// How interrupts of children get through VMD: many of theirs arrive on one vector of VMD's.
///
/// Upstream, each vector of VMD's has a list of the child interrupts on it. Handlers walk it under SRCU,
/// and whoever takes an interrupt off waits for the walkers before its memory is freed. The SRCU structures
/// are the driver's and are cleaned up in remove(), the handlers are devres's and are freed after it: in
/// between, an interrupt walks a list under a lock that no longer exists.
///
/// Here nobody walks memory that may be freed. Every interrupt that a child can have is made before the
/// first handler is registered and lives until the last one has ended, because `child_interrupts` is a
/// managed object, which no handler can be registered without. What is on a list is a bit, set and cleared in place;
/// what may be called is decided by the interrupt itself (`child_irq`), and its end waits for the call that
/// is running. Delivery takes no lock and no memory.
namespace vmd {

namespace pci = devres::pci;
using devres::errc;
using devres::fail;
using devres::result;

/// One interrupt of a child: the handler that is called for it, if there is one (`struct vmd_irq`).
///
/// The handler never runs on two threads at once: an interrupt that comes while it runs makes the running
/// thread call it again. What comes while it may not be called waits, as one.
class alignas(64) child_irq {
public:
    /// Calls the handler; or leaves that to the thread that is running it, or to `allow`.
    void dispatch() noexcept {
        std::uint64_t seen = state_.load(std::memory_order_relaxed);
        std::uint64_t wanted = 0;
        do {
            if ((seen & armed) == 0)
                wanted = (seen & waiting) != 0 ? seen : seen + 1;
            else
                wanted = (seen & running) != 0 ? seen + 1 : seen | running;
        } while (!state_.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel, std::memory_order_relaxed));
        if ((seen & (armed | running)) == armed)
            run();
    }

    /// Gives it a handler; it has none, and none is running.
    void give(const pci::irq_action& action, pci::vector_index index, pci::handler_id id) noexcept {
        entry_ = action.entry;
        context_ = action.context;
        index_ = index;
        id_.store(id, std::memory_order_relaxed);
    }
    /// Takes it away again.
    void take() noexcept {
        disables_ = 0;
        id_.store(pci::handler_id::none, std::memory_order_relaxed);
    }

    /// Lets the handler be called, first for what has waited.
    void allow() noexcept {
        std::uint64_t seen = state_.load(std::memory_order_relaxed);
        std::uint64_t wanted = 0;
        do {
            wanted = seen | armed;
            if ((seen & running) == 0 && (seen & waiting) != 0)
                wanted = (wanted - 1) | running;
        } while (!state_.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel, std::memory_order_relaxed));
        if (((seen ^ wanted) & running) != 0)
            run();
    }
    /// Returns when the handler is not running, and will not run until it is allowed to. Not from inside it.
    template <class Platform>
    void hold(Platform& platform) noexcept {
        state_.fetch_and(~armed, std::memory_order_acq_rel);
        while ((state_.load(std::memory_order_acquire) & running) != 0)
            platform.relax();
    }
    /// Forgets what has waited. It is on no list any more.
    void forget() noexcept { state_.store(0, std::memory_order_release); }

    /// Returns when no call is running that had begun. Not from inside it.
    template <class Platform>
    void wait(Platform& platform) noexcept {
        const std::uint64_t begun = state_.fetch_or(0, std::memory_order_acq_rel);
        for (std::uint64_t now = begun; (now & running) != 0 && ((now ^ begun) & calls) == 0;) {
            platform.relax();
            now = state_.load(std::memory_order_acquire);
        }
    }

    /// How many disables have not been undone; for the thread of the function's calls.
    [[nodiscard]] unsigned& disables() noexcept { return disables_; }

    /// The registration, or none.
    [[nodiscard]] pci::handler_id id() const noexcept { return id_.load(std::memory_order_relaxed); }
    /// True if this thread is inside the handler.
    [[nodiscard]] bool is_running_here() const noexcept {
        return runner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

    unsigned vector = 0;  ///< of VMD's, that it arrives on; under the child bus's lock

private:
    // state: armed | running | how many calls there have been | how many wait for one
    static constexpr std::uint64_t armed = std::uint64_t{1} << 63U;
    static constexpr std::uint64_t running = std::uint64_t{1} << 62U;
    static constexpr std::uint64_t call = std::uint64_t{1} << 32U;
    static constexpr std::uint64_t calls = running - call;
    static constexpr std::uint64_t waiting = call - 1;

    /// What the state becomes when a call has ended: another one begins if one waits.
    static constexpr std::uint64_t after_call(std::uint64_t seen) noexcept {
        const std::uint64_t ended = (seen & ~calls) | ((seen + call) & calls);
        return (seen & armed) != 0 && (seen & waiting) != 0 ? ended - 1 : ended & ~running;
    }

    void run() noexcept {
        runner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
        std::uint64_t seen = 0;
        std::uint64_t next = 0;
        do {
            (void)entry_(context_, index_);
            seen = state_.load(std::memory_order_relaxed);
            do {
                next = after_call(seen);
                if ((next & running) == 0)
                    runner_.store({}, std::memory_order_relaxed);
            } while (!state_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_relaxed));
            if ((next & running) != 0)
                runner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
        } while ((next & running) != 0);
    }

    std::atomic<std::uint64_t> state_{0};
    pci::irq_entry entry_ = nullptr;  // as context_ and index_: only changed while neither armed nor running
    void* context_ = nullptr;
    pci::vector_index index_;
    unsigned disables_ = 0;
    std::atomic<pci::handler_id> id_{pci::handler_id::none};
    std::atomic<std::thread::id> runner_{};
};

/// The child interrupts that arrive on one vector of VMD's (`struct vmd_irq_list`).
class irq_list {
public:
    /// A list for `irqs`, of which those are on it whose bits are set in `members`.
    irq_list(std::span<child_irq> irqs, std::span<std::atomic<std::uint64_t>> members) noexcept
        : irqs_(irqs), members_(members) {}

    /// The vector fired: any child on the list may have meant it, so each is asked.
    void dispatch() noexcept {
        for (std::size_t word = 0; word != members_.size(); ++word) {
            std::uint64_t bits = members_[word].load(std::memory_order_acquire);
            for (; bits != 0; bits &= bits - 1)
                irqs_[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))].dispatch();
        }
    }

    void add(const child_irq& irq) noexcept { word_of(irq).fetch_or(bit_of(irq), std::memory_order_release); }
    void remove(const child_irq& irq) noexcept { word_of(irq).fetch_and(~bit_of(irq), std::memory_order_release); }

    /// How many child interrupts are on the list now.
    [[nodiscard]] unsigned size() const noexcept {
        unsigned found = 0;
        for (const auto& word : members_)
            found += static_cast<unsigned>(std::popcount(word.load(std::memory_order_relaxed)));
        return found;
    }

    unsigned load = 0;  ///< see child_interrupts::take and give_back

private:
    [[nodiscard]] std::size_t index_of(const child_irq& irq) const noexcept {
        return static_cast<std::size_t>(&irq - irqs_.data());
    }
    [[nodiscard]] std::atomic<std::uint64_t>& word_of(const child_irq& irq) const noexcept {
        return members_[index_of(irq) / 64];
    }
    [[nodiscard]] std::uint64_t bit_of(const child_irq& irq) const noexcept {
        return std::uint64_t{1} << index_of(irq) % 64;
    }

    std::span<child_irq> irqs_;
    std::span<std::atomic<std::uint64_t>> members_;
};

/// Every interrupt that children can have, and a list for each vector of VMD's: what VMD's handlers are
/// called with. A managed object, so devres ends the handlers before it.
class child_interrupts {
public:
    /// `irqs` interrupts on `vectors` vectors, of which those below `first_vector` carry none.
    child_interrupts(const devres::memory_hooks& memory, std::size_t irqs, unsigned vectors,
                     unsigned first_vector) noexcept
        : memory_(memory), wanted_(irqs), vectors_(vectors), first_vector_(first_vector) {}

    /// Makes room for them. @returns `enomem`
    result<> init() noexcept {
        const std::size_t words = (wanted_ + 63) / 64;
        DEVRES_TRY(irqs_, platform_array<child_irq>::make(memory_, wanted_));
        DEVRES_TRY(members_, platform_array<std::atomic<std::uint64_t>>::make(memory_, words * vectors_));
        DEVRES_TRY(lists_, platform_array<irq_list>::make(memory_, vectors_, [&](std::size_t i) {
                       return irq_list(irqs(), {members_.data() + i * words, words});
                   }));
        return {};
    }

    /// The handler of every vector.
    pci::irq_return on_irq(pci::vector_index vector) noexcept {
        lists_[vector.value()].dispatch();
        return pci::irq_return::handled;
    }

    [[nodiscard]] std::span<child_irq> irqs() noexcept { return {irqs_.data(), irqs_.size()}; }
    [[nodiscard]] unsigned vectors() const noexcept { return vectors_; }
    [[nodiscard]] unsigned first_vector() const noexcept { return first_vector_; }
    [[nodiscard]] irq_list& list(unsigned vector) noexcept { return lists_[vector]; }

    /// Chooses the vector of a child's interrupt: for NVMe the one that has been given the fewest, of those
    /// above the first; all others share the first, which is slow. Without any above it, all do.
    [[nodiscard]] unsigned take(bool is_nvme) noexcept {
        const unsigned end = std::min(vectors(), message::vectors);
        if (end == first_vector_ + 1 || !is_nvme)
            return first_vector_;
        unsigned best = first_vector_ + 1;
        for (unsigned vector = best; vector != end; ++vector) {
            if (lists_[vector].load < lists_[best].load)
                best = vector;
        }
        ++lists_[best].load;
        return best;
    }

    /// The child gives the vector back. As upstream, that of the slow vector, which was not counted up, is
    /// counted down too and wraps: nothing looks at its load.
    void give_back(unsigned vector) noexcept { --lists_[vector].load; }

private:
    devres::memory_hooks memory_;
    std::size_t wanted_;
    unsigned vectors_;
    unsigned first_vector_;
    platform_array<child_irq> irqs_;
    platform_array<std::atomic<std::uint64_t>> members_;  // as many words for each list
    platform_array<irq_list> lists_;
};

}  // namespace vmd
