// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <devres/devres.hpp>

/// The registers of the functions that the examples put behind a VMD, in their BAR 0. Not those of real
/// devices.
namespace vmd {

namespace pci = devres::pci;
using devres::errc;
using devres::fail;
using devres::result;

namespace nvme::registers {
inline constexpr std::size_t bar_size = 0x4000;
inline constexpr std::size_t msix_table = 0x3000;
inline constexpr unsigned max_queues = 16;

inline constexpr std::size_t capabilities = 0x00;
inline constexpr std::uint32_t queue_mask = 0xff;  ///< of capabilities: how many queues, minus one
inline constexpr std::size_t control = 0x14;
inline constexpr std::uint32_t enable = 1;
inline constexpr std::size_t completions = 0x30;  ///< 64 bits: where it counts what has completed
inline constexpr std::size_t completion_stride = 64;

/// Which vector a queue interrupts with.
[[nodiscard]] constexpr std::size_t queue_vector(unsigned queue) noexcept { return 0x100 + queue * std::size_t{4}; }
/// How many commands a queue has been given since the start.
[[nodiscard]] constexpr std::size_t doorbell(unsigned queue) noexcept { return 0x1000 + queue * std::size_t{8}; }
}  // namespace nvme::registers

namespace ethernet::registers {
inline constexpr std::size_t bar_size = 0x1000;
inline constexpr std::size_t msix_table = 0x0;  // of BAR 1

inline constexpr std::size_t cause = 0x10;  ///< writing ones clears them
inline constexpr std::size_t mask = 0x14;
inline constexpr std::size_t vectors = 0x18;  ///< how many are in use: cause n interrupts with n % vectors
inline constexpr std::uint32_t link_changed = 1U << 0U;
inline constexpr std::uint32_t frame_received = 1U << 1U;
}  // namespace ethernet::registers

}  // namespace vmd
