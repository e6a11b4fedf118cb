// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

/// Registers in memory.
namespace devres::pci {

/// What of a mapped BAR is in the program's memory, so that a register there is read and written without a call.
///
/// A platform that has such memory may say so by `register_window direct_registers(const region_type&) noexcept`, and
/// `any_platform` uses it. It is good as long as the mapping, and what is read and written there is what `read` and `write` would.
struct register_window {
    std::byte* base = nullptr;  ///< where the BAR begins in memory, or would
    std::size_t begin = 0;      ///< the first byte of the BAR that is there
    std::size_t length = 0;     ///< bytes from `begin`; 0: none is in memory
};

}  // namespace devres::pci
