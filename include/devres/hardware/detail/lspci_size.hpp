// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include <devres/hardware/detail/dump_reading.hpp>
#include <devres/hardware/detail/dumped_function.hpp>

/// The sizes of BARs that -v says.
namespace devres::hardware::detail {

/// "Memory at fe800000 (64-bit, non-prefetchable) [size=16K]", with -vv after "Region 0: ".
struct said_size {
    std::optional<unsigned> region;
    bool io = false;
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
};

[[nodiscard]] inline std::optional<said_size> find_size(std::string_view text) {
    const std::size_t size = text.find("[size=");
    const std::size_t at = text.find(" at ");
    if (size == std::string_view::npos || at == std::string_view::npos || at > size || text.find("Expansion") < at)
        return std::nullopt;
    said_size out;
    const char* const end = text.data() + text.size();
    const auto digits = std::from_chars(text.data() + size + 6, end, out.bytes);
    if (digits.ec != std::errc())
        return std::nullopt;
    const std::string_view units = "KMGT";
    if (const std::size_t unit = digits.ptr != end ? units.find(*digits.ptr) : std::string_view::npos;
        unit != std::string_view::npos && out.bytes >> (54 - 10 * unit) == 0)
        out.bytes <<= 10 * (unit + 1);
    (void)std::from_chars(text.data() + at + 4, text.data() + size, out.address, 16);  // "<ignored>" stays 0
    if (const std::size_t region = text.find("Region ");
        region < at && text[region + 7] >= '0' && text[region + 7] <= '5')
        out.region = static_cast<unsigned>(text[region + 7] - '0');
    out.io = text.find("I/O ports") < at;
    return out;
}

/// Gives a function the sizes that -v said of its BARs; with `same_address`, only of those that were where its own are.
inline void match_sizes(dumped_function& done, const std::vector<said_size>& sizes, bool same_address) {
    const auto values = bars_of(done.config);
    for (const said_size& said : sizes) {
        for (unsigned i = 0; i != pci::bar_count; ++i) {
            const bool same = values[i].used && values[i].address == said.address;
            const bool meant = said.region ? *said.region == i && (same || !same_address) : same;
            if (!meant || done.bar_sizes[i])
                continue;
            done.bar_sizes[i] = said.bytes;
            done.io_bars |= said.io ? 1U << i : 0;
        }
    }
}

}  // namespace devres::hardware::detail
