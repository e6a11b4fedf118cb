// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Where things are in configuration space: offsets in bytes, bits as masks of the register they are in.
namespace devres::pci::registers {

/// An offset in configuration space, in bytes.
/// @{
inline constexpr unsigned vendor_id = 0x00;
inline constexpr unsigned device_id = 0x02;
inline constexpr unsigned command = 0x04;
inline constexpr unsigned status = 0x06;
inline constexpr unsigned revision = 0x08;  // the three bytes above it are the class code
inline constexpr unsigned cache_line_size = 0x0c;
inline constexpr unsigned latency_timer = 0x0d;
inline constexpr unsigned header_type = 0x0e;
inline constexpr unsigned bar = 0x10;
inline constexpr unsigned subsystem_vendor_id = 0x2c;
inline constexpr unsigned subsystem_id = 0x2e;
inline constexpr unsigned rom_bar = 0x30;
inline constexpr unsigned capabilities = 0x34;
inline constexpr unsigned cardbus_capabilities = 0x14;  // in header type 2
inline constexpr unsigned interrupt_line = 0x3c;
inline constexpr unsigned interrupt_pin = 0x3d;
inline constexpr unsigned bridge_windows = 0x18;  // header type 1: bus numbers and address windows, to 0x33
inline constexpr unsigned secondary_bus = 0x19;   // of them
inline constexpr unsigned bridge_control = 0x3e;
inline constexpr unsigned first_capability = 0x40;
inline constexpr unsigned first_extended_capability = 0x100;
/// @}

/// A bit of COMMAND.
namespace command_bits {
inline constexpr unsigned io = 1U << 0U;
inline constexpr unsigned memory = 1U << 1U;
inline constexpr unsigned master = 1U << 2U;
inline constexpr unsigned invalidate = 1U << 4U;  // memory write and invalidate
inline constexpr unsigned parity = 1U << 6U;
inline constexpr unsigned serr = 1U << 8U;
inline constexpr unsigned intx_disable = 1U << 10U;
}  // namespace command_bits

/// Of HEADER_TYPE.
namespace header {
inline constexpr unsigned layout = 0x7fU;         // of header_type
inline constexpr unsigned multifunction = 0x80U;  // of header_type
inline constexpr unsigned device = 0;
inline constexpr unsigned bridge = 1;
inline constexpr unsigned cardbus = 2;
}  // namespace header

/// A bit of a BAR.
namespace bar_bits {
inline constexpr unsigned io = 1U << 0U;
inline constexpr unsigned type = 3U << 1U;      // of memory
inline constexpr unsigned wide = 2U << 1U;      // of type: 64 bits, the upper half in the next register
inline constexpr unsigned memory_flags = 0xfU;  // the rest is the address
}  // namespace bar_bits

/// A bit of STATUS.
namespace status_bits {
inline constexpr unsigned interrupt = 1U << 3U;
inline constexpr unsigned capabilities = 1U << 4U;
inline constexpr unsigned errors = 0xf900U;  // write one to clear
}  // namespace status_bits

/// The id of a capability.
namespace capability_id {
inline constexpr unsigned power_management = 0x01;
inline constexpr unsigned msi = 0x05;
inline constexpr unsigned vendor_specific = 0x09;
inline constexpr unsigned pcie = 0x10;
inline constexpr unsigned msix = 0x11;
inline constexpr unsigned enhanced_allocation = 0x14;
}  // namespace capability_id

/// An offset in the capability, or a bit of it.
namespace power_management {  // from the start of the capability
inline constexpr unsigned capabilities = 2;
inline constexpr unsigned pme_from = 1U << 11U;  // of capabilities: in D0; then D1, D2, D3hot, D3cold
inline constexpr unsigned control = 4;
inline constexpr unsigned state = 3U;  // bits of control: 0 is D0, 3 is D3hot
inline constexpr unsigned no_soft_reset = 1U << 3U;
inline constexpr unsigned pme_enable = 1U << 8U;
inline constexpr unsigned pme_status = 1U << 15U;  // write one to clear
}  // namespace power_management

/// An offset in the capability, or a bit of it.
namespace msi {
inline constexpr unsigned control = 2;
inline constexpr unsigned address = 4;
inline constexpr unsigned enable = 1U << 0U;
inline constexpr unsigned capable_shift = 1;  // Multiple Message Capable: log2 of the vectors, 3 bits
inline constexpr unsigned enabled_shift = 4;  // Multiple Message Enable
inline constexpr unsigned multiple_enable = 7U << enabled_shift;
inline constexpr unsigned wide = 1U << 7U;
inline constexpr unsigned maskable = 1U << 8U;
}  // namespace msi

/// An offset in the capability, in an entry of the table, or a bit.
namespace msix {
inline constexpr unsigned control = 2;
inline constexpr unsigned table = 4;
inline constexpr unsigned pba = 8;
inline constexpr unsigned size = 0x7ffU;  // entries minus one
inline constexpr unsigned function_mask = 1U << 14U;
inline constexpr unsigned enable = 1U << 15U;
inline constexpr unsigned bir = 7U;  // bits of table and pba: which BAR; the rest is the offset

inline constexpr unsigned entry_size = 16;    // of the table
inline constexpr unsigned entry_address = 0;  // 8 bytes
inline constexpr unsigned entry_data = 8;
inline constexpr unsigned entry_control = 12;
inline constexpr unsigned entry_masked = 1U << 0U;
}  // namespace msix

/// An offset in the capability, or a bit of it.
namespace pcie {
inline constexpr unsigned device_capabilities = 4;
inline constexpr unsigned device_control = 8;
inline constexpr unsigned device_status = 10;
inline constexpr unsigned link_control = 16;
inline constexpr unsigned device_control_2 = 40;
inline constexpr unsigned function_level_reset_capable = 1U << 28U;
inline constexpr unsigned function_level_reset = 1U << 15U;  // of device_control
}  // namespace pcie

}  // namespace devres::pci::registers
