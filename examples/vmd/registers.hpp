// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The registers of Intel's Volume Management Device: what the driver and the device model have to agree
/// on.
namespace vmd {

/// What a VMD can do, by its device id: `driver_data` of the driver's ids.
namespace feature {
inline constexpr std::uint64_t membar_shadow = 1U << 0U;         ///< host addresses of the windows in MEMBAR2
inline constexpr std::uint64_t bus_restrictions = 1U << 1U;      ///< its buses may begin at 128 or 224
inline constexpr std::uint64_t membar_shadow_vscap = 1U << 2U;   ///< and, in a guest, in a capability
inline constexpr std::uint64_t offset_first_vector = 1U << 3U;   ///< vector 0 carries no child interrupts
inline constexpr std::uint64_t can_bypass_remapping = 1U << 4U;  ///< children may interrupt without its help
inline constexpr std::uint64_t bios_pm_quirk = 1U << 5U;         ///< links' power is left to the driver
inline constexpr std::uint64_t client = membar_shadow_vscap | bus_restrictions | offset_first_vector | bios_pm_quirk;
}  // namespace feature

/// BARs: the configuration spaces of the children (ECAM), and two windows to their BARs.
inline constexpr unsigned cfgbar = 0;
inline constexpr unsigned membar1 = 2;
inline constexpr unsigned membar2 = 4;

inline constexpr std::size_t bus_ecam_size = 1U << 20U;  ///< of one bus: 256 functions, 4 KiB each

namespace config {
inline constexpr unsigned capabilities = 0x40;  ///< VMCAP, 16 bits
inline constexpr unsigned control = 0x44;       ///< VMCONFIG, 16 bits
inline constexpr unsigned lock = 0x70;          ///< VMLOCK

inline constexpr std::uint16_t bus_restrict_capable = 1U << 0U;   // of VMCAP
inline constexpr std::uint16_t remapping_off = 1U << 1U;          // of VMCONFIG: messages pass unchanged
inline constexpr unsigned bus_restrict_shift = 8;                 // of VMCONFIG, 2 bits: from bus 0, 128, 224
inline constexpr std::uint32_t membar2_shadow_enable = 1U << 1U;  // of VMLOCK
}  // namespace config

/// The shadow registers: two 64-bit host addresses, of MEMBAR1 and MEMBAR2.
namespace shadow {
inline constexpr std::size_t offset = 0x2000;  ///< in MEMBAR2, behind VMD's own MSI-X table
inline constexpr std::size_t size = 16;
inline constexpr std::uint32_t signature = 0x5348'4457;  ///< "SHDW", in the vendor capability at 4
inline constexpr unsigned capability_addresses = 8;      ///< where they are in the vendor capability
}  // namespace shadow

/// The message by which a child interrupts while VMD remaps: it names an entry of VMD's own MSI-X table
/// where other messages name a CPU. The data does not matter.
namespace message {
inline constexpr std::uint32_t base = 0xfee0'0000;
inline constexpr unsigned vector_shift = 12;
inline constexpr unsigned vectors = 256;  ///< that it can name

[[nodiscard]] constexpr std::uint32_t address(unsigned vector) noexcept { return base | vector << vector_shift; }
[[nodiscard]] constexpr unsigned vector(std::uint64_t address) noexcept {
    return static_cast<unsigned>(address >> vector_shift) & (vectors - 1);
}
}  // namespace message

}  // namespace vmd
