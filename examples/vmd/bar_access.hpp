// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace vmd {

/// A register of a BAR whose width is that of a type.
template <class T, class Bar>
[[nodiscard]] T read_register(const Bar& bar, std::size_t offset) noexcept {
    if constexpr (sizeof(T) == 1)
        return bar.read8(offset);
    else if constexpr (sizeof(T) == 2)
        return bar.read16(offset);
    else if constexpr (sizeof(T) == 4)
        return bar.read32(offset);
    else
        return bar.read64(offset);
}
template <class T, class Bar>
void write_register(const Bar& bar, std::size_t offset, T value) noexcept {
    if constexpr (sizeof(T) == 1)
        bar.write8(offset, value);
    else if constexpr (sizeof(T) == 2)
        bar.write16(offset, value);
    else if constexpr (sizeof(T) == 4)
        bar.write32(offset, value);
    else
        bar.write64(offset, value);
}

}  // namespace vmd
