// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <devres/hardware/config_space.hpp>
#include <devres/pci/registers.hpp>

namespace devres::hardware {

/// What a function writes to interrupt: a 32-bit value to an address that the interrupt controller listens on.
struct interrupt_message {
    std::uint64_t address = 0;  ///< where it is written
    std::uint32_t data = 0;     ///< what is written

    friend bool operator==(const interrupt_message&, const interrupt_message&) noexcept = default;
};

/// The MSI-X table and the pending bit array of a function: the bytes that its BAR shows.
///
/// Entry: address (8 bytes), data (4), control (4, bit 0 masks). Masked entries keep their interrupt as a
/// pending bit. Drivers read and write the table in units of any width; the pending bits are read-only to them.
class msix_table {
public:
    static constexpr unsigned entry_size = pci::registers::msix::entry_size;  ///< in bytes
    static constexpr unsigned max_entries = pci::registers::msix::size + 1;   ///< of a function

    msix_table() noexcept = default;

    /// A table of `entries`, all masked and zero.
    explicit msix_table(unsigned entries)
        : entries_(entries), table_(std::make_unique<std::atomic<std::uint32_t>[]>(entries * 4U)),
          pending_(std::make_unique<std::atomic<std::uint64_t>[]>(words())) {
        reset();
    }

    [[nodiscard]] unsigned size() const noexcept { return entries_; }  ///< entries
    /// How many bytes of a BAR it takes; of the pending bits, whole words of 8.
    /// @{
    [[nodiscard]] std::uint64_t table_bytes() const noexcept { return std::uint64_t{entries_} * entry_size; }
    [[nodiscard]] std::uint64_t pending_bytes() const noexcept { return std::uint64_t{words()} * 8; }
    /// @}

    /// What the entry sends.
    [[nodiscard]] interrupt_message message(unsigned entry) const noexcept {
        const auto* const e = &table_[entry * 4U];
        return {e[1].load(std::memory_order_relaxed) * std::uint64_t{0x1'0000'0000} |
                    e[0].load(std::memory_order_relaxed),
                e[2].load(std::memory_order_relaxed)};
    }

    /// Whether the entry is masked by itself.
    [[nodiscard]] bool masked(unsigned entry) const noexcept {
        return (table_[entry * 4U + 3].load(std::memory_order_seq_cst) & 1U) != 0;
    }

    /// Sets an entry up, masked.
    void program(unsigned entry, const interrupt_message& message) noexcept {
        auto* const e = &table_[entry * 4U];
        e[3].store(1);
        e[0].store(static_cast<std::uint32_t>(message.address), std::memory_order_relaxed);
        e[1].store(static_cast<std::uint32_t>(message.address >> 32U), std::memory_order_relaxed);
        e[2].store(message.data, std::memory_order_release);
    }

    /// Masks or unmasks the entry; what is pending is not sent by this.
    void mask(unsigned entry, bool on) noexcept { table_[entry * 4U + 3].store(on ? 1 : 0); }

    /// Masks an entry and zeroes it.
    void clear(unsigned entry) noexcept {
        auto* const e = &table_[entry * 4U];
        e[3].store(1, std::memory_order_release);
        for (unsigned i = 0; i != 3; ++i)
            e[i].store(0, std::memory_order_relaxed);
    }

    /// Notes that the entry has something to send.
    void set_pending(unsigned entry) noexcept { pending_[entry / 64].fetch_or(std::uint64_t{1} << entry % 64); }

    /// Whether it has.
    [[nodiscard]] bool pending(unsigned entry) const noexcept {
        return (pending_[entry / 64].load() >> entry % 64 & 1U) != 0;
    }

    /// Clears a pending bit. @returns whether it was set: of several threads, one gets true.
    [[nodiscard]] bool take_pending(unsigned entry) noexcept {
        const std::uint64_t bit = std::uint64_t{1} << entry % 64;
        return (pending_[entry / 64].fetch_and(~bit) & bit) != 0;
    }

    /// Forgets all that is pending.
    void clear_pending() noexcept {
        for (unsigned i = 0; i != words(); ++i)
            pending_[i].store(0, std::memory_order_relaxed);
    }

    /// All entries masked and zero, and nothing pending.
    void reset() noexcept {
        for (unsigned i = 0; i != entries_; ++i)
            clear(i);
        clear_pending();
    }

    /// What a BAR access of 1, 2, 4 or 8 bytes reads at `offset` of the table.
    [[nodiscard]] std::uint64_t read(std::uint64_t offset, unsigned width) const noexcept {
        const auto dword = [&](std::uint64_t i) {
            return table_[static_cast<unsigned>(i)].load(std::memory_order_relaxed);
        };
        if (width == 8)
            return dword(offset / 4) | std::uint64_t{dword(offset / 4 + 1)} << 32U;
        return dword(offset / 4) >> offset % 4 * 8 & config_space::ones(width);
    }

    /// A BAR write to the table.
    void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
        if (width == 8) {
            write(offset, 4, value & 0xffff'ffffU);
            write(offset + 4, 4, value >> 32U);
            return;
        }
        const auto shift = static_cast<unsigned>(offset % 4 * 8);
        std::uint32_t lanes = config_space::ones(width) << shift;
        if (offset / 4 % 4 == 3)
            lanes &= 1U;  // of the control word, only the mask bit exists
        auto& dword = table_[static_cast<unsigned>(offset / 4)];
        std::uint32_t old = dword.load(std::memory_order_relaxed);
        const auto bits = static_cast<std::uint32_t>(value) << shift;
        while (!dword.compare_exchange_weak(old, (old & ~lanes) | (bits & lanes))) {}
    }

    /// What a BAR access reads at `offset` of the pending bit array.
    [[nodiscard]] std::uint64_t read_pending(std::uint64_t offset, unsigned width) const noexcept {
        const std::uint64_t word = pending_[static_cast<unsigned>(offset / 8)].load();
        return width == 8 ? word : word >> offset % 8 * 8 & config_space::ones(width);
    }

    /// The table's bytes as 32-bit words, to be saved or compared.
    [[nodiscard]] std::vector<std::uint32_t> words_of_table() const {
        std::vector<std::uint32_t> out(entries_ * std::size_t{4});
        for (std::size_t i = 0; i != out.size(); ++i)
            out[i] = table_[i].load(std::memory_order_relaxed);
        return out;
    }

    /// The pending bits, to be compared.
    [[nodiscard]] std::vector<std::uint64_t> words_of_pending() const {
        std::vector<std::uint64_t> out(words());
        for (std::size_t i = 0; i != out.size(); ++i)
            out[i] = pending_[i].load(std::memory_order_relaxed);
        return out;
    }

    /// Puts back what `words_of_table` gave.
    void restore(const std::vector<std::uint32_t>& words) noexcept {
        for (std::size_t i = 0; i != words.size(); ++i)
            table_[i].store(words[i]);
    }

private:
    [[nodiscard]] unsigned words() const noexcept { return (entries_ + 63) / 64; }

    unsigned entries_ = 0;
    std::unique_ptr<std::atomic<std::uint32_t>[]> table_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> pending_;
};

}  // namespace devres::hardware
