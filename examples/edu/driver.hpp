// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <devres/any_platform.hpp>

/// A driver for QEMU's educational device that is compiled once: this header is all that a program knows of it.
namespace edu {

/// An edu device with its driver on it, for one thread at a time. Each call waits for the device's interrupt.
class unit {
public:
    /// n!, modulo 2^32. @returns `etimedout` if the device does not interrupt, `enodev` if it is gone
    virtual devres::result<std::uint32_t> factorial(std::uint32_t n) noexcept = 0;

    /// Has the device copy bytes into its buffer, and out of it, by DMA.
    /// @returns `einval` for more than `buffer_size`, `etimedout`, `enodev`
    virtual devres::result<> store(std::span<const std::byte> bytes) noexcept = 0;
    virtual devres::result<> load(std::span<std::byte> bytes) noexcept = 0;

    /// How often the device has interrupted.
    [[nodiscard]] virtual std::uint64_t interrupts() noexcept = 0;

protected:
    ~unit() = default;
};

}  // namespace edu

/// Exported, so that a plugin made of driver.cpp has it too.
extern "C" const devres::pci::driver_entry<edu::unit> edu_driver;
