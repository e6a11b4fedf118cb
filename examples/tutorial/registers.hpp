// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The Kestrel, as its data sheet has it: an engine that computes the CRC-32 of memory.
namespace kestrel {

inline constexpr std::uint16_t vendor = 0x1234;
inline constexpr std::uint16_t device = 0xc32c;

/// Registers in BAR 0, 32 bits each.
namespace registers {
inline constexpr std::size_t identity = 0x00;   ///< reads as `kestrel::identity`
inline constexpr std::size_t control = 0x04;    ///< 1: run; 0: stop, and forget the ring
inline constexpr std::size_t status = 0x08;     ///< 1: runs
inline constexpr std::size_t ring_low = 0x10;   ///< the bus address of the ring
inline constexpr std::size_t ring_high = 0x14;  ///< its upper half
inline constexpr std::size_t entries = 0x18;    ///< descriptors in the ring
inline constexpr std::size_t submitted = 0x1c;  ///< how many requests there were since it runs; a write is a doorbell
inline constexpr std::size_t size = 0x20;
}  // namespace registers

inline constexpr std::uint32_t identity = 0x4b53'0001;
inline constexpr std::uint32_t all_ones = ~0U;  ///< what a device that is gone reads as

/// MSI-X vectors.
namespace vectors {
inline constexpr unsigned done = 0;   ///< requests were completed
inline constexpr unsigned fault = 1;  ///< memory could not be reached: the engine has stopped
inline constexpr unsigned count = 2;
}  // namespace vectors

enum class request_state : std::uint32_t { empty = 0, done = 1 };

/// An entry of the ring; request n is in entry n % entries. The device sets `state` last.
struct descriptor {
    std::uint64_t address;
    std::uint32_t length;
    request_state state;
    std::uint32_t checksum;
    std::uint32_t reserved[3];
};
static_assert(sizeof(descriptor) == 32);

}  // namespace kestrel
