// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <devres/hardware/intx_line.hpp>
#include <devres/hardware/irq_slot.hpp>
#include <devres/hardware/msix_table.hpp>

namespace devres::hardware {

/// The interrupt controller of a bus: gives out interrupt numbers and routes messages to vectors.
///
/// Numbers 16 to 23 are the INTx lines; messages have those from 24. A message says its number: the low 16 bits
/// are its data, the rest is in its address, `0xfee0'0000 + (number / 65536) * 4096`. Allocation takes a lock,
/// once for a range; routing takes none.
class irq_domain {
public:
    static constexpr unsigned first_line = 16;                     ///< the first INTx line
    static constexpr unsigned lines = 8;                           ///< INTx lines
    static constexpr unsigned first_message = first_line + lines;  ///< the first number of messages
    static constexpr unsigned max_numbers = 1U << 23U;             ///< of which those above are part

    /// Takes `count` numbers in a row, the first a multiple of `alignment`, a power of two: the next free ones
    /// after those given out last, so that a number is not reused at once.
    /// @returns the first; nothing if there are none, or fewer than `count` are `available`.
    /// @throws std::bad_alloc and takes none
    [[nodiscard]] std::optional<unsigned> allocate(unsigned count, unsigned alignment) {
        const std::scoped_lock hold(lock_);
        if (count > limit_ - (used_ < limit_ ? used_ : limit_))
            return std::nullopt;
        for (;;) {
            auto base = find(next_, capacity(), count, alignment);
            if (!base)
                base = find(first_message, capacity(), count, alignment);
            if (base) {
                make_routes(*base, count);
                mark<true>(*base, count);
                used_ += count;
                next_ = *base + count;
                return base;
            }
            if (capacity() >= max_numbers)
                return std::nullopt;
            bitmap_.resize(bitmap_.size() * 2);
        }
    }

    /// Gives numbers back. Nothing is routed to them any more.
    void free(unsigned base, unsigned count) noexcept {
        for (unsigned i = 0; i != count; ++i)
            route(base + i, nullptr);
        const std::scoped_lock hold(lock_);
        mark<false>(base, count);
        used_ -= count;
    }

    /// Allows `count` message numbers to be in use at a time: a machine that is short of vectors.
    void limit(unsigned count) noexcept {
        const std::scoped_lock hold(lock_);
        limit_ = count;
    }

    /// How many message numbers can still be had.
    [[nodiscard]] unsigned available() const noexcept {
        const std::scoped_lock hold(lock_);
        return used_ < limit_ ? limit_ - used_ : 0;
    }

    /// Routes the messages of an allocated number to `slot`, null for nowhere.
    void route(unsigned number, irq_slot* slot) noexcept {
        chunk* const numbers = chunks_[number / chunk_size].load(std::memory_order_relaxed);
        numbers->slots[number % chunk_size].store(slot, std::memory_order_release);
    }

    /// The INTx line of a number, one from `first_line`.
    [[nodiscard]] intx_line& line(unsigned number) noexcept { return lines_[(number - first_line) % lines]; }

    /// The message of a number.
    [[nodiscard]] static constexpr interrupt_message message(unsigned number) noexcept {
        return {doorbell + std::uint64_t{number >> 16U} * 0x1000, number & 0xffffU};
    }

    /// Where a message goes; null if no vector is set up for it.
    [[nodiscard]] irq_slot* routed(const interrupt_message& message) const noexcept {
        const std::uint64_t page = message.address - doorbell;
        if (page >= std::uint64_t{max_numbers >> 16U} * 0x1000 || page % 0x1000 != 0 || message.data > 0xffff)
            return nullptr;
        const auto number = static_cast<unsigned>(page / 0x1000 << 16U) | message.data;
        const chunk* const numbers = chunks_[number / chunk_size].load(std::memory_order_acquire);
        return numbers == nullptr ? nullptr : numbers->slots[number % chunk_size].load(std::memory_order_acquire);
    }

private:
    static constexpr std::uint64_t doorbell = 0xfee0'0000;
    static constexpr unsigned chunk_size = 4096;
    struct chunk {
        std::atomic<irq_slot*> slots[chunk_size]{};
    };

    void make_routes(unsigned base, unsigned count) {
        for (unsigned i = base / chunk_size; i <= (base + count - 1) / chunk_size; ++i) {
            if (chunks_[i].load(std::memory_order_relaxed) == nullptr)
                chunks_[i].store(owned_.emplace_back(std::make_unique<chunk>()).get(), std::memory_order_release);
        }
    }

    [[nodiscard]] unsigned capacity() const noexcept { return static_cast<unsigned>(bitmap_.size() * 64); }

    /// The first number from `from` whose bit is `Set`, or `end`.
    template <bool Set>
    [[nodiscard]] unsigned next_bit(unsigned from, unsigned end) const noexcept {
        while (from < end) {
            const std::uint64_t word = (Set ? bitmap_[from / 64] : ~bitmap_[from / 64]) >> from % 64;
            if (word != 0) {
                const unsigned found = from + static_cast<unsigned>(std::countr_zero(word));
                return found < end ? found : end;
            }
            from = (from / 64 + 1) * 64;
        }
        return end;
    }

    [[nodiscard]] std::optional<unsigned> find(unsigned from, unsigned end, unsigned count,
                                               unsigned alignment) const noexcept {
        for (;;) {
            from = (next_bit<false>(from, end) + alignment - 1) / alignment * alignment;
            if (from + count > end)
                return std::nullopt;
            const unsigned taken = next_bit<true>(from, from + count);
            if (taken == from + count)
                return from;
            from = taken + 1;
        }
    }

    template <bool Taken>
    void mark(unsigned base, unsigned count) noexcept {
        while (count != 0) {
            const unsigned bit = base % 64;
            const unsigned part = count < 64 - bit ? count : 64 - bit;
            const std::uint64_t bits = (part == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << part) - 1) << bit;
            if constexpr (Taken)
                bitmap_[base / 64] |= bits;
            else
                bitmap_[base / 64] &= ~bits;
            base += part;
            count -= part;
        }
    }

    mutable std::mutex lock_;
    std::vector<std::uint64_t> bitmap_ = std::vector<std::uint64_t>(1024 / 64);
    unsigned next_ = first_message;
    unsigned used_ = 0;
    unsigned limit_ = max_numbers - first_message;
    std::atomic<chunk*> chunks_[max_numbers / chunk_size]{};
    std::vector<std::unique_ptr<chunk>> owned_;
    intx_line lines_[lines];
};

}  // namespace devres::hardware
