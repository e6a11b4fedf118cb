// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include <devres/core/attributes.hpp>
#include <devres/pci/detail/io_order.hpp>

namespace devres::pci::detail {

/// A number whose bytes stand the other way round.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T swapped(T value) noexcept {
    if constexpr (sizeof(T) == 2)
        return __builtin_bswap16(value);
    else if constexpr (sizeof(T) == 4)
        return __builtin_bswap32(value);
    else
        return __builtin_bswap64(value);
}

/// The registers of `Place`, which has `get<T>(offset)` and `put(offset, value)`.
///
/// An offset is in bytes from the beginning of `Place`, a multiple of the register's size and below `size()`. A device that is
/// gone reads as all ones, and drops what is written.
///
/// Registers are accessed in the program's order. The plain forms also keep the memory that the device reaches in order: what
/// was written there before a register is written is there when the device sees that, and what is read there after a register
/// was read is not older (`readl()`, `writel()`). The relaxed forms do not (`readl_relaxed()`, `writel_relaxed()`). On x86
/// neither costs an instruction.
template <class Place>
class DEVRES_CONSUMABLE register_access : public Place {
public:
    using Place::Place;

    /// Reads a register, which is little-endian.
    /// @{
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint8_t read8(std::size_t offset) const noexcept {
        return read<std::uint8_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint16_t read16(std::size_t offset) const noexcept {
        return read<std::uint16_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint32_t read32(std::size_t offset) const noexcept {
        return read<std::uint32_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint64_t read64(std::size_t offset) const noexcept {
        return read<std::uint64_t>(offset);
    }
    /// @}
    /// Writes a register, which is little-endian.
    /// @{
    DEVRES_NOT_WHEN_EMPTY void write8(std::size_t offset, std::uint8_t value) const noexcept { write(offset, value); }
    DEVRES_NOT_WHEN_EMPTY void write16(std::size_t offset, std::uint16_t value) const noexcept { write(offset, value); }
    DEVRES_NOT_WHEN_EMPTY void write32(std::size_t offset, std::uint32_t value) const noexcept { write(offset, value); }
    DEVRES_NOT_WHEN_EMPTY void write64(std::size_t offset, std::uint64_t value) const noexcept { write(offset, value); }
    /// @}

    /// Reads a register that is big-endian (`ioread32be()`).
    /// @{
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint16_t read16be(std::size_t offset) const noexcept {
        return swapped(read<std::uint16_t>(offset));
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint32_t read32be(std::size_t offset) const noexcept {
        return swapped(read<std::uint32_t>(offset));
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint64_t read64be(std::size_t offset) const noexcept {
        return swapped(read<std::uint64_t>(offset));
    }
    /// @}
    /// Writes a register that is big-endian (`iowrite32be()`).
    /// @{
    DEVRES_NOT_WHEN_EMPTY void write16be(std::size_t offset, std::uint16_t value) const noexcept {
        write(offset, swapped(value));
    }
    DEVRES_NOT_WHEN_EMPTY void write32be(std::size_t offset, std::uint32_t value) const noexcept {
        write(offset, swapped(value));
    }
    DEVRES_NOT_WHEN_EMPTY void write64be(std::size_t offset, std::uint64_t value) const noexcept {
        write(offset, swapped(value));
    }
    /// @}

    /// Reads a register, in no order with memory.
    /// @{
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint8_t read8_relaxed(std::size_t offset) const noexcept {
        return this->template get<std::uint8_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint16_t read16_relaxed(std::size_t offset) const noexcept {
        return this->template get<std::uint16_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint32_t read32_relaxed(std::size_t offset) const noexcept {
        return this->template get<std::uint32_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint64_t read64_relaxed(std::size_t offset) const noexcept {
        return this->template get<std::uint64_t>(offset);
    }
    /// @}
    /// Writes a register, in no order with memory.
    /// @{
    DEVRES_NOT_WHEN_EMPTY void write8_relaxed(std::size_t offset, std::uint8_t value) const noexcept {
        this->put(offset, value);
    }
    DEVRES_NOT_WHEN_EMPTY void write16_relaxed(std::size_t offset, std::uint16_t value) const noexcept {
        this->put(offset, value);
    }
    DEVRES_NOT_WHEN_EMPTY void write32_relaxed(std::size_t offset, std::uint32_t value) const noexcept {
        this->put(offset, value);
    }
    DEVRES_NOT_WHEN_EMPTY void write64_relaxed(std::size_t offset, std::uint64_t value) const noexcept {
        this->put(offset, value);
    }
    /// @}

private:
    template <class T>
    [[nodiscard]] DEVRES_INLINE T read(std::size_t offset) const noexcept {
        const T value = this->template get<T>(offset);
        after_register_read();
        return value;
    }
    template <class T>
    DEVRES_INLINE void write(std::size_t offset, T value) const noexcept {
        before_register_write();
        this->put(offset, value);
    }
};

}  // namespace devres::pci::detail
