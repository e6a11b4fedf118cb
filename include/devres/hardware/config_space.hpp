// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>

namespace devres::hardware {

/// The 4 KiB configuration space of a function: bytes, and which of them a driver may change.
///
/// Any number of threads may read and write it; each register is consistent by itself. What a write sets off
/// (interrupts, power states) is the function's business.
class config_space {
public:
    static constexpr unsigned size = 4096;  ///< in bytes

    /// What a write did to the 32-bit register it fell into.
    struct change {
        std::uint32_t before = 0;  ///< what it was
        std::uint32_t after = 0;   ///< what it is
    };

    /// True if a read or write of `width` bytes at `offset` is one that PCI knows: 1, 2 or 4 bytes, aligned.
    [[nodiscard]] static constexpr bool valid(unsigned offset, unsigned width) noexcept {
        return (width == 1 || width == 2 || width == 4) && offset < size && offset % width == 0;
    }

    /// All ones in `width` bytes: what there is where nothing answers.
    [[nodiscard]] static constexpr std::uint32_t ones(unsigned width) noexcept {
        return width == 4 ? ~0U : (1U << 8 * width) - 1;
    }

    /// The register of `width` bytes at `offset`; both must be `valid`.
    [[nodiscard]] std::uint32_t read(unsigned offset, unsigned width) const noexcept {
        return dwords_[offset / 4].load(std::memory_order_acquire) >> shift(offset) & ones(width);
    }

    /// A driver's write: changes the bits that are writable and clears those that are cleared by writing one.
    change write(unsigned offset, unsigned width, std::uint32_t value) noexcept {
        if (offset / 4 >= controlled)
            return {read(offset & ~3U, 4), read(offset & ~3U, 4)};
        const std::uint32_t lanes = ones(width) << shift(offset);
        const std::uint32_t bits = value << shift(offset);
        const std::uint32_t writable = writable_[offset / 4] & lanes;
        const std::uint32_t clears = cleared_by_one_[offset / 4] & lanes & bits;
        return update(offset / 4, [=](std::uint32_t old) { return (old & ~writable & ~clears) | (bits & writable); });
    }

    /// The function's own change: any bits.
    change set(unsigned offset, unsigned width, std::uint32_t value) noexcept {
        return set_bits(offset, width, ones(width), value);
    }

    /// The function's own change of the bits in `mask`.
    change set_bits(unsigned offset, unsigned width, std::uint32_t mask, std::uint32_t value) noexcept {
        const std::uint32_t lanes = (mask & ones(width)) << shift(offset);
        const std::uint32_t bits = value << shift(offset);
        return update(offset / 4, [=](std::uint32_t old) { return (old & ~lanes) | (bits & lanes); });
    }

    /// Lets drivers write the bits of `mask`. Like `cleared_by_one`, for the first 256 bytes and before the
    /// function is used.
    void writable(unsigned offset, unsigned width, std::uint32_t mask) noexcept {
        writable_[offset / 4] |= (mask & ones(width)) << shift(offset);
    }

    /// Makes the bits of `mask` such that writing one clears them.
    void cleared_by_one(unsigned offset, unsigned width, std::uint32_t mask) noexcept {
        cleared_by_one_[offset / 4] |= (mask & ones(width)) << shift(offset);
    }

    /// Fills the space from its start, before the function is used; also what `reset` goes back to.
    void load(std::span<const std::uint8_t> bytes) noexcept {
        for (unsigned i = 0; i < bytes.size() && i < size; i += 4) {
            std::uint32_t dword = 0;
            for (unsigned byte = 0; byte != 4 && i + byte < bytes.size(); ++byte)
                dword |= std::uint32_t{bytes[i + byte]} << shift(byte);
            dwords_[i / 4].store(dword, std::memory_order_relaxed);
        }
        power_on_ = first_registers();
    }

    static constexpr unsigned controlled = 64;  ///< registers of 32 bits that drivers may change: the first 256 bytes
    /// The registers in the first 256 bytes: the header and the capability list.
    using registers = std::array<std::uint32_t, controlled>;

    /// These registers as they are now: for `restore`.
    [[nodiscard]] registers first_registers() const noexcept {
        registers out{};
        for (unsigned i = 0; i != controlled; ++i)
            out[i] = dwords_[i].load(std::memory_order_relaxed);
        return out;
    }

    /// Puts back the writable bits of the first 256 bytes.
    void restore(const registers& saved) noexcept {
        for (unsigned i = 0; i != controlled; ++i)
            set_bits(i * 4, 4, writable_[i], saved[i]);
    }

    /// Everything as it was after `load`.
    void reset() noexcept {
        for (unsigned i = 0; i != controlled; ++i)
            dwords_[i].store(power_on_[i], std::memory_order_release);
    }

    /// All of it as it is now, little-endian.
    [[nodiscard]] std::array<std::uint8_t, size> bytes() const noexcept {
        std::array<std::uint8_t, size> out{};
        for (unsigned i = 0; i != size; ++i)
            out[i] = static_cast<std::uint8_t>(dwords_[i / 4].load(std::memory_order_relaxed) >> shift(i));
        return out;
    }

private:
    static constexpr unsigned shift(unsigned offset) noexcept { return offset % 4 * 8; }

    template <class Function>
    change update(unsigned index, Function changed) noexcept {
        std::uint32_t before = dwords_[index].load(std::memory_order_relaxed);
        std::uint32_t after = changed(before);
        while (!dwords_[index].compare_exchange_weak(before, after))
            after = changed(before);
        return {before, after};
    }

    std::array<std::atomic<std::uint32_t>, size / 4> dwords_{};
    registers writable_{};
    registers cleared_by_one_{};
    registers power_on_{};
};

}  // namespace devres::hardware
