// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <devres/hardware/config_space.hpp>

namespace devres::hardware {

/// What a driver finds when it is bound to a function: two that are equal are the same to it. What the operating system
/// counts (enables, vectors) is in the ledger.
///
/// @par Linux
/// There, an unbound driver leaves more behind: COMMAND's memory and I/O enable bits stay set, INTx is always on
/// after MSI was, and the addresses and data of freed vectors stay in the registers. Here all of it is as before.
struct snapshot {
    bool present = true;                                    ///< there, not pulled out
    std::array<std::uint8_t, config_space::size> config{};  ///< configuration space
    std::vector<std::uint32_t> msix_table;                  ///< its words
    std::vector<std::uint64_t> msix_pending;                ///< its words

    friend bool operator==(const snapshot&, const snapshot&) = default;
};

/// Says in a line what is the first thing that differs; empty if nothing does.
[[nodiscard]] inline std::string difference(const snapshot& a, const snapshot& b) {
    const auto differs = [](const std::string& what, std::uint64_t x, std::uint64_t y) {
        return what + " is " + std::to_string(x) + " in one, " + std::to_string(y) + " in the other";
    };
    if (a.present != b.present)
        return differs("the device's presence", a.present, b.present);
    for (unsigned i = 0; i != config_space::size; ++i) {
        if (a.config[i] != b.config[i])
            return differs("byte " + std::to_string(i) + " of configuration space", a.config[i], b.config[i]);
    }
    for (std::size_t i = 0; i < a.msix_table.size() && i < b.msix_table.size(); ++i) {
        if (a.msix_table[i] != b.msix_table[i])
            return differs("word " + std::to_string(i % 4) + " of MSI-X entry " + std::to_string(i / 4),
                           a.msix_table[i], b.msix_table[i]);
    }
    return a == b ? std::string() : std::string("the MSI-X pending bits differ");
}

}  // namespace devres::hardware
