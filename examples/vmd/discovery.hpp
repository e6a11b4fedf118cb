// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>

#include <devres/devres.hpp>

#include "child_functions.hpp"
#include "registers.hpp"

/// What a VMD says of itself, in configuration space and in its shadow registers.
namespace vmd {

/// How many entries VMD's MSI-X table has. @returns `enodev` without MSI-X, as upstream, where `pci_msix_vec_count()`
/// says `einval`
template <class Device>
[[nodiscard]] result<unsigned> msix_vec_count(const Device& dev) noexcept {
    const auto count = pci::pci_msix_vec_count(dev);
    if (!count && count.error() == errc::einval)
        return fail(errc::enodev);
    return count;
}

/// Whether the messages of children become VMD's, or pass unchanged.
template <class Device>
[[nodiscard]] result<> set_remapping(const Device& dev, bool on) noexcept {
    DEVRES_TRY(const auto control, pci::pci_read_config_word(dev, config::control));
    const unsigned others = control & ~unsigned{config::remapping_off};
    return pci::pci_write_config_word(dev, config::control,
                                      static_cast<std::uint16_t>(others | (on ? 0U : config::remapping_off)));
}

/// The first of its buses' numbers.
/// @returns `enodev` for a restriction that is not known.
template <class Device>
[[nodiscard]] result<std::uint8_t> find_first_bus(const Device& dev, std::uint64_t features) noexcept {
    if ((features & feature::bus_restrictions) == 0)
        return std::uint8_t{0};
    DEVRES_TRY(const auto capabilities, pci::pci_read_config_word(dev, config::capabilities));
    if ((capabilities & config::bus_restrict_capable) == 0)
        return std::uint8_t{0};
    DEVRES_TRY(const auto control, pci::pci_read_config_word(dev, config::control));
    switch (control >> config::bus_restrict_shift & 3U) {
    case 0: return std::uint8_t{0};
    case 1: return std::uint8_t{128};
    case 2: return std::uint8_t{224};
    default: return fail(errc::enodev);
    }
}

namespace detail {

template <class Device>
[[nodiscard]] result<std::uint64_t> bar_address(const Device& dev, unsigned bar) noexcept {
    namespace reg = pci::registers;
    const unsigned at = reg::bar + 4 * bar;
    DEVRES_TRY(const std::uint64_t low, pci::pci_read_config_dword(dev, at));
    const std::uint64_t address = low & ~std::uint64_t{reg::bar_bits::memory_flags};
    if ((low & reg::bar_bits::type) != reg::bar_bits::wide)
        return address;
    DEVRES_TRY(const std::uint64_t high, pci::pci_read_config_dword(dev, at + 4));
    return address | high << 32U;
}

template <class Device>
[[nodiscard]] result<std::uint64_t> read_address(const Device& dev, unsigned where) noexcept {
    DEVRES_TRY(const std::uint64_t low, pci::pci_read_config_dword(dev, where));
    DEVRES_TRY(const std::uint64_t high, pci::pci_read_config_dword(dev, where + 4));
    return (high << 32U | low) & ~std::uint64_t{15};
}

}  // namespace detail

/// Where the windows are on the child bus. In a virtual machine, that is not where the BARs are: the
/// children have host addresses.
struct found_windows {
    std::array<window_space, 2> windows{};
    bool shifted = false;
};
template <class Device>
[[nodiscard]] result<found_windows> find_windows(const Device& dev, const pci::bar_of<Device>& window1,
                                                 const pci::bar_of<Device>& window2, std::uint64_t features) noexcept {
    found_windows found;
    auto& [first, second] = found.windows;
    DEVRES_TRY(first.address, detail::bar_address(dev, membar1));
    DEVRES_TRY(second.address, detail::bar_address(dev, membar2));
    first.size = window1.size();
    second.first = shadow::offset;
    second.size = window2.size();
    const auto place = [&](std::uint64_t one, std::uint64_t other) {
        found.shifted = one != first.address || other != second.address;
        first.address = one;
        second.address = other;
    };
    if ((features & feature::membar_shadow) != 0) {
        second.first += shadow::size;
        DEVRES_TRY(const auto lock, pci::pci_read_config_dword(dev, config::lock));
        if (lock == ~0U)
            return fail(errc::enodev);
        if ((lock & config::membar2_shadow_enable) != 0)
            place(window2.read64(shadow::offset) & ~std::uint64_t{15},
                  window2.read64(shadow::offset + 8) & ~std::uint64_t{15});
    } else if ((features & feature::membar_shadow_vscap) != 0) {
        DEVRES_TRY(const unsigned at, pci::pci_find_capability(dev, pci::registers::capability_id::vendor_specific));
        if (at == 0)
            return found;
        DEVRES_TRY(const auto signature, pci::pci_read_config_dword(dev, at + 4));
        if (signature != shadow::signature)
            return found;
        DEVRES_TRY(const auto one, detail::read_address(dev, at + shadow::capability_addresses));
        DEVRES_TRY(const auto other, detail::read_address(dev, at + shadow::capability_addresses + 8));
        place(one, other);
    }
    return found;
}

}  // namespace vmd
