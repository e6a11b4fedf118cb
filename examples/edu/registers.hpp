// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

/// QEMU's educational device: what the driver and the device model have to agree on.
namespace edu {

inline constexpr std::uint16_t vendor = 0x1234;
inline constexpr std::uint16_t device = 0x11e8;

/// Registers in BAR 0: of 32 bits, those of the DMA of 64.
namespace registers {
inline constexpr std::size_t size = 0x10'0000;  ///< of the BAR

inline constexpr std::size_t identification = 0x00;  ///< 0xRRrr00ed: the revision, and what it is
inline constexpr std::size_t liveness = 0x04;        ///< what is written reads back inverted
inline constexpr std::size_t factorial = 0x08;       ///< what is written becomes its factorial, modulo 2^32
inline constexpr std::size_t status = 0x20;          ///< `computing`, and `interrupt_when_computed`
inline constexpr std::size_t irq_status =
    0x24;  ///< why it interrupts: `factorial_computed`, `dma_done`, or what was raised
inline constexpr std::size_t irq_raise = 0x60;        ///< sets bits of irq_status, and interrupts if one is set
inline constexpr std::size_t irq_acknowledge = 0x64;  ///< clears them, and takes INTx back if none is left
inline constexpr std::size_t dma_source = 0x80;
inline constexpr std::size_t dma_destination = 0x88;
inline constexpr std::size_t dma_count = 0x90;    ///< in bytes
inline constexpr std::size_t dma_command = 0x98;  ///< bits of `dma`; `run` is set until the transfer is done

/// A register of a device that is gone reads as this.
inline constexpr std::uint32_t all_ones = 0xffff'ffff;
}  // namespace registers

/// Bits of `status`.
inline constexpr std::uint32_t computing = 0x01;
inline constexpr std::uint32_t interrupt_when_computed = 0x80;

/// Bits of `irq_status`.
inline constexpr std::uint32_t factorial_computed = 0x001;
inline constexpr std::uint32_t dma_done = 0x100;

/// Bits of `dma_command`.
namespace dma {
inline constexpr std::uint32_t run = 0x01;
inline constexpr std::uint32_t to_memory =
    0x02;  ///< from the device's buffer to the driver's memory; not set: the other way
inline constexpr std::uint32_t interrupt_when_done = 0x04;
}  // namespace dma

/// The device's own buffer, by the address that the DMA registers know it by.
inline constexpr std::uint64_t buffer_begin = 0x4'0000;
inline constexpr std::size_t buffer_size = 4096;

}  // namespace edu
