// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <devres/hardware/detail/dump_reading.hpp>
#include <devres/hardware/detail/dumped_function.hpp>
#include <devres/hardware/detail/lspci_line.hpp>

/// How a reader of dumps counts and names, and what it makes of the sizes that it read.
namespace devres::hardware::detail {

[[nodiscard]] inline std::string counted(std::size_t count, std::string_view what) {
    return std::to_string(count).append(" ").append(what).append(count == 1 ? "" : "s");
}
/// "3 functions (00:00.0, 00:01.0, ...)"
[[nodiscard]] inline std::string some(std::string_view what, const std::vector<std::string>& names) {
    std::string out = counted(names.size(), what) + " (";
    for (std::size_t i = 0; i != std::min<std::size_t>(names.size(), 3); ++i)
        out += (i == 0 ? "" : ", ") + names[i];
    return out + (names.size() > 3 ? ", ...)" : ")");
}

/// Of places in `found`, the first with the most bytes.
[[nodiscard]] inline std::size_t longest(const std::vector<dumped_function>& found,
                                         const std::vector<std::size_t>& places) {
    const auto fewer = [&](std::size_t a, std::size_t b) { return found[a].config.size() < found[b].config.size(); };
    return static_cast<std::size_t>(std::max_element(places.begin(), places.end(), fewer) - places.begin());
}

/// Device and function `last` on the bus behind the bridge at `parent`, if its bytes were there.
[[nodiscard]] inline std::optional<pci::address> behind(pci::address parent, std::string_view last,
                                                        const std::vector<dumped_function>& found) {
    for (const dumped_function& each : found) {
        if (each.address != parent || each.config.size() < 0x40 ||
            (each.config[pci::registers::header_type] & pci::registers::header::layout) !=
                pci::registers::header::bridge)
            continue;
        const auto digit = [&](std::size_t i) { return static_cast<unsigned>(hex_digit(last[i])); };
        const unsigned device = digit(0) << 4U | digit(1);
        return pci::address(parent.domain(), each.config[pci::registers::secondary_bus],
                            static_cast<std::uint8_t>(device), static_cast<std::uint8_t>(digit(3)));
    }
    return std::nullopt;
}

/// Gives a function the sizes that -v said of its BARs.
inline void match_sizes(dumped_function& done, const std::vector<said_size>& sizes) {
    if (done.config.empty())
        return;
    const auto values = bars_of(done.config);
    for (const said_size& said : sizes) {
        for (unsigned i = 0; i != pci::bar_count; ++i) {
            if (said.region ? *said.region != i : !values[i].used || values[i].address != said.address)
                continue;
            done.bar_sizes[i] = said.bytes;
            done.io_bars |= said.io ? 1U << i : 0;
        }
    }
}

}  // namespace devres::hardware::detail
