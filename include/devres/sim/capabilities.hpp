// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <devres/sim/registers.hpp>

namespace devres::sim {

namespace detail {

/// A little-endian number of `width` bytes in `bytes`; zero beyond their end.
[[nodiscard]] inline std::uint32_t field(std::span<const std::uint8_t> bytes, unsigned offset,
                                         unsigned width) noexcept {
    std::uint32_t value = 0;
    for (unsigned i = 0; i != width && offset + i < bytes.size(); ++i)
        value |= static_cast<std::uint32_t>(bytes[offset + i]) << 8 * i;
    return value;
}

inline void set_field(std::span<std::uint8_t> bytes, unsigned offset, unsigned width, std::uint32_t value) noexcept {
    for (unsigned i = 0; i != width && offset + i < bytes.size(); ++i)
        bytes[offset + i] = static_cast<std::uint8_t>(value >> 8 * i);
}

}  // namespace detail

/// Why a capability list could not be followed to its end.
struct capability_fault {
    unsigned offset = 0;  ///< of the pointer that leads nowhere good
    std::string reason;
};

/// Calls `visit(id, offset)` for each capability in the list of a configuration space.
/// @returns nothing, or what is wrong with the list; a list that goes on beyond the end of `config` is not wrong.
template <class Visitor>
std::optional<capability_fault> walk_capabilities(std::span<const std::uint8_t> config, Visitor visit) {
    using detail::field;
    if ((field(config, registers::status, 2) & registers::status_bits::capabilities) == 0)
        return std::nullopt;
    std::bitset<256> seen;
    unsigned link = registers::capabilities;
    for (;;) {
        const unsigned at = field(config, link, 1) & 0xfcU;
        if (at == 0 || at + 2 > config.size())
            return std::nullopt;
        if (at < registers::first_capability)
            return capability_fault{link, "the capability list points into the header"};
        if (seen.test(at))
            return capability_fault{link, "the capability list is a loop"};
        seen.set(at);
        const unsigned id = field(config, at, 1);
        if (id == 0xff)
            return capability_fault{at, "the capability list leads to one that is not there (all ones)"};
        visit(id, at);
        link = at + 1;
    }
}

/// Where a function's registers for power and interrupts are; 0 for what it does not have.
struct capability_layout {
    unsigned power_management = 0;
    unsigned msi = 0;
    unsigned msi_data = 0;
    unsigned msi_mask = 0;  ///< the pending bits are the four bytes behind
    unsigned msix = 0;
    unsigned pcie = 0;

    /// Of a configuration space; a capability that is there twice counts the first time.
    [[nodiscard]] static capability_layout of(std::span<const std::uint8_t> config) {
        namespace id = registers::capability_id;
        capability_layout out;
        const auto first = [](unsigned& slot, unsigned offset) {
            if (slot == 0)
                slot = offset;
        };
        walk_capabilities(config, [&](unsigned found, unsigned offset) {
            if (found == id::power_management && offset + 8 <= config.size())
                first(out.power_management, offset);
            else if (found == id::msi && offset + 10 <= config.size())
                first(out.msi, offset);
            else if (found == id::msix && offset + 12 <= config.size())
                first(out.msix, offset);
            else if (found == id::pcie && offset + 12 <= config.size())
                first(out.pcie, offset);
        });
        if (out.msi != 0) {
            const unsigned control = detail::field(config, out.msi + registers::msi::control, 2);
            out.msi_data = out.msi + ((control & registers::msi::wide) != 0 ? 12 : 8);
            if ((control & registers::msi::maskable) != 0)
                out.msi_mask = out.msi_data + 4;
        }
        return out;
    }
};

}  // namespace devres::sim
