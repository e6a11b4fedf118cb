// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <devres/hardware/capabilities.hpp>
#include <devres/pci/types.hpp>

/// The Enhanced Allocation capability: what stands in for BARs whose registers are zero.
namespace devres::hardware::detail {

/// Of the capability and its entries.
namespace ea {
inline constexpr unsigned entries = 2;
inline constexpr unsigned entries_mask = 0x3fU;
inline constexpr unsigned entry_size = 7U;  // of an entry's first word: how many words follow it
inline constexpr unsigned bar_shift = 4;    // which BAR it stands in for, 4 bits; 6 and more are none
inline constexpr unsigned properties_shift = 8;
inline constexpr unsigned io = 2;  // of the properties: 0 is memory, 1 prefetchable memory
inline constexpr unsigned enable = 1U << 31U;
inline constexpr unsigned wide = 2U;  // of base and last offset: the upper half follows
}  // namespace ea

/// The address space that an entry stands for.
struct fixed_window {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    bool io = false;
    bool wide = false;
    bool prefetchable = false;
};

/// The entries for BARs 0 to 5 of the capability at `at`; a malformed entry ends them.
[[nodiscard]] inline std::array<std::optional<fixed_window>, pci::bar_count>
enhanced_allocation(std::span<const std::uint8_t> config, unsigned at) {
    std::array<std::optional<fixed_window>, pci::bar_count> out{};
    const unsigned layout = field(config, pci::registers::header_type, 1) & pci::registers::header::layout;
    const unsigned count = field(config, at + ea::entries, 1) & ea::entries_mask;
    unsigned entry = at + (layout == pci::registers::header::bridge ? 8U : 4U);
    for (unsigned i = 0; i != count && entry + 4 <= config.size(); ++i) {
        const std::uint32_t head = field(config, entry, 4);
        const unsigned words = head & ea::entry_size;
        const unsigned bar = head >> ea::bar_shift & 15U;
        const unsigned properties = head >> ea::properties_shift & 0xffU;
        if (words < 2 || entry + 4 * (words + 1) > config.size())
            return out;
        const std::uint32_t base = field(config, entry + 4, 4);
        const std::uint32_t last = field(config, entry + 8, 4);
        const bool wide_base = (base & ea::wide) != 0;
        const bool wide_last = (last & ea::wide) != 0;
        if (words < 2U + (wide_base ? 1U : 0U) + (wide_last ? 1U : 0U))
            return out;
        std::uint64_t address = base & ~3U;
        std::uint64_t offset = last | 3U;
        if (wide_base)
            address |= std::uint64_t{field(config, entry + 12, 4)} << 32U;
        if (wide_last)
            offset |= std::uint64_t{field(config, entry + (wide_base ? 16U : 12U), 4)} << 32U;
        if (bar < pci::bar_count && properties <= ea::io && (head & ea::enable) != 0 && offset + 1 != 0)
            out[bar] = fixed_window{address, offset + 1, properties == ea::io, wide_base, properties == 1};
        entry += 4 * (words + 1);
    }
    return out;
}

}  // namespace devres::hardware::detail
