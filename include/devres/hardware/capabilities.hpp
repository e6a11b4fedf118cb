// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <devres/pci/capabilities.hpp>

namespace devres::hardware {

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

/// Walks a configuration space, as far as it is known.
template <class Visitor>
struct space_walker {
    std::span<const std::uint8_t> config;
    Visitor& visitor;

    [[nodiscard]] result<std::uint32_t> read(unsigned offset, unsigned width) const noexcept {
        if (offset + width > config.size())
            return fail(errc::enoent);
        return field(config, offset, width);
    }
    bool visit(unsigned id, unsigned offset) {
        visitor(id, offset);
        return false;
    }
};

}  // namespace detail

/// Why a capability list could not be followed to its end.
struct capability_fault {
    unsigned offset = 0;  ///< of the pointer that leads nowhere good
    std::string reason;   ///< in words
};

/// Calls `visit(id, offset)` for each capability in the list of a configuration space.
/// @returns nothing, or what is wrong with the list; a list that goes on beyond the end of `config` is not wrong.
template <class Visitor>
std::optional<capability_fault> walk_capabilities(std::span<const std::uint8_t> config, Visitor visit) {
    detail::space_walker<Visitor> walker{config, visit};
    const auto end = pci::walk_capabilities(walker);
    using reason = pci::capability_list_end::reason;
    if (!end || end->why == reason::end)
        return std::nullopt;
    return capability_fault{end->link, end->why == reason::loop ? "the capability list is a loop"
                                       : end->why == reason::into_header
                                           ? "the capability list points into the header"
                                           : "the capability list leads to one that is not there (all ones)"};
}

/// Whether the list goes on beyond the end of `config`, so that what is behind it is not known.
[[nodiscard]] inline bool capabilities_go_on(std::span<const std::uint8_t> config) {
    const auto nobody = [](unsigned, unsigned) {};
    detail::space_walker<decltype(nobody)> walker{config, nobody};
    return !pci::walk_capabilities(walker);
}

/// What the bytes that are known of a configuration space say of a capability.
enum class capability_state : unsigned char {
    none,     ///< the function does not have it
    whole,    ///< it is there
    cut,      ///< it is there, but the bytes end inside it
    unknown,  ///< the list goes on behind the bytes
};

/// Of the first capability with that id (`pci::registers::capability_id`), whose first `size` bytes matter.
[[nodiscard]] inline capability_state capability_of(std::span<const std::uint8_t> config, unsigned id, unsigned size) {
    capability_state out = capability_state::none;
    (void)walk_capabilities(config, [&](unsigned found, unsigned offset) {
        if (found == id && out == capability_state::none)
            out = offset + size <= config.size() ? capability_state::whole : capability_state::cut;
    });
    return out == capability_state::none && capabilities_go_on(config) ? capability_state::unknown : out;
}

/// Where a function's registers for power and interrupts are; 0 for what it does not have.
struct capability_layout {
    unsigned power_management = 0;  ///< the capability
    unsigned msi = 0;               ///< the capability
    unsigned msi_data = 0;          ///< the message's data, behind an address of 4 or 8 bytes
    unsigned msi_mask = 0;          ///< the pending bits are the four bytes behind
    unsigned msix = 0;              ///< the capability
    unsigned pcie = 0;              ///< the capability

    /// Of a configuration space; a capability that is there twice counts the first time.
    [[nodiscard]] static capability_layout of(std::span<const std::uint8_t> config) {
        namespace id = pci::registers::capability_id;
        capability_layout out;
        const auto first = [](unsigned& slot, unsigned offset) {
            if (slot == 0)
                slot = offset;
        };
        walk_capabilities(config, [&](unsigned found, unsigned offset) {
            if (found == id::power_management && offset + 8 <= config.size())
                first(out.power_management, offset);
            else if (found == id::msi && offset + 4 <= config.size())
                first(out.msi, offset);
            else if (found == id::msix && offset + 12 <= config.size())
                first(out.msix, offset);
            else if (found == id::pcie && offset + 12 <= config.size())
                first(out.pcie, offset);
        });
        if (out.msi != 0) {
            const unsigned control = detail::field(config, out.msi + pci::registers::msi::control, 2);
            out.msi_data = out.msi + ((control & pci::registers::msi::wide) != 0 ? 12 : 8);
            if ((control & pci::registers::msi::maskable) != 0)
                out.msi_mask = out.msi_data + 4;
        }
        return out;
    }
};

}  // namespace devres::hardware
