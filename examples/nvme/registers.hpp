// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The registers of an NVMe controller, as BAR 0 shows them (NVM Express 1.4, section 3.1), by the names that they have
/// there: what the driver and the device model have to agree on. Offsets are in bytes; those of 64 bits may be
/// accessed in two halves.
namespace nvme {

/// Memory pages of 4096 bytes: the size that every controller has to support, and the only one used here.
inline constexpr std::size_t page_size = 4096;

namespace registers {
inline constexpr std::size_t cap = 0x00;    ///< controller capabilities, 64 bits
inline constexpr std::size_t vs = 0x08;     ///< version
inline constexpr std::size_t intms = 0x0c;  ///< interrupt mask set: not with MSI-X
inline constexpr std::size_t intmc = 0x10;  ///< interrupt mask clear: not with MSI-X
inline constexpr std::size_t cc = 0x14;     ///< controller configuration
inline constexpr std::size_t csts = 0x1c;   ///< controller status
inline constexpr std::size_t aqa = 0x24;    ///< admin queue attributes: both sizes
inline constexpr std::size_t asq = 0x28;    ///< where the admin submission queue is, 64 bits
inline constexpr std::size_t acq = 0x30;    ///< where the admin completion queue is, 64 bits
inline constexpr std::size_t doorbells = 0x1000;

/// A register of a device that is gone reads as this.
inline constexpr std::uint32_t all_ones = 0xffff'ffff;
}  // namespace registers

/// What a controller is capable of: the register CAP.
class capabilities {
public:
    constexpr capabilities() noexcept = default;
    explicit constexpr capabilities(std::uint64_t value) noexcept : value_(value) {}

    [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }
    /// How many entries a queue can have at most (MQES).
    [[nodiscard]] constexpr std::uint32_t max_entries() const noexcept { return bits(0, 0xffff) + 1; }
    /// How long enabling and disabling can take, in milliseconds (TO).
    [[nodiscard]] constexpr unsigned timeout_ms() const noexcept { return bits(24, 0xff) * 500; }
    /// From one doorbell to the next, in bytes (DSTRD).
    [[nodiscard]] constexpr std::size_t doorbell_stride() const noexcept { return std::size_t{4} << bits(32, 0xf); }
    /// Whether the NVM command set is there (CSS).
    [[nodiscard]] constexpr bool has_nvm_commands() const noexcept { return bits(37, 1) != 0; }
    /// Whether pages of `page_size` are supported (MPSMIN).
    [[nodiscard]] constexpr bool has_small_pages() const noexcept { return bits(48, 0xf) == 0; }

private:
    [[nodiscard]] constexpr std::uint32_t bits(unsigned shift, std::uint32_t mask) const noexcept {
        return static_cast<std::uint32_t>(value_ >> shift) & mask;
    }
    std::uint64_t value_ = 0;
};

/// CC. The entries of queues have 64 and 16 bytes: IOSQES and IOCQES are the exponents.
namespace configuration {
inline constexpr std::uint32_t enable = 1;
inline constexpr std::uint32_t shutdown_mask = 3U << 14U;
inline constexpr std::uint32_t shutdown_normal = 1U << 14U;
inline constexpr std::uint32_t entry_sizes = 6U << 16U | 4U << 20U;
inline constexpr std::uint32_t entry_sizes_mask = 0xffU << 16U;
}  // namespace configuration

/// CSTS.
namespace status_bits {
inline constexpr std::uint32_t ready = 1;
inline constexpr std::uint32_t fatal = 1U << 1U;
inline constexpr std::uint32_t shutdown_mask = 3U << 2U;
inline constexpr std::uint32_t shutdown_complete = 2U << 2U;
}  // namespace status_bits

/// Which queue, or pair of queues of the same number.
enum class queue_id : std::uint16_t { admin = 0 };

[[nodiscard]] constexpr std::size_t submission_doorbell(queue_id queue, std::size_t stride) noexcept {
    return registers::doorbells + 2 * static_cast<std::size_t>(queue) * stride;
}
[[nodiscard]] constexpr std::size_t completion_doorbell(queue_id queue, std::size_t stride) noexcept {
    return submission_doorbell(queue, stride) + stride;
}

}  // namespace nvme
