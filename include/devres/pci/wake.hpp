// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/capabilities.hpp>

/// Waking the machine: PME#, which a function may assert while it sleeps.
namespace devres::pci {

/// How far a function sleeps.
enum class power_state : unsigned char { d0, d1, d2, d3hot, d3cold };

/// Whether the function can assert PME# in that state; false if it has no power management, or is gone.
/// @par Linux
/// `pci_pme_capable()`
template <class P, class Driver>
[[nodiscard]] bool pci_pme_capable(const device<P, Driver>& dev, power_state state) noexcept {
    namespace pm = registers::power_management;
    const auto at = pci_find_capability(dev, registers::capability_id::power_management);
    if (!at || *at == 0)
        return false;
    const auto able = pci_read_config_word(dev, *at + pm::capabilities);
    return able && *able != 0xffff && (*able & pm::pme_from << static_cast<unsigned>(state)) != 0;
}

/// Lets the function assert PME# while it sleeps so far, or keeps it from that; what it has asserted is cleared. It stays so after
/// the unbind, as that is what it is for: a machine that is off is woken by it.
/// @returns `einval` if it cannot in that state, and is to; the platform's error
/// @par Linux
/// `pci_enable_wake()`
template <class P, class Driver>
[[nodiscard]] result<> pci_enable_wake(const device<P, Driver>& dev, power_state state, bool on) noexcept {
    namespace pm = registers::power_management;
    if (on && !pci_pme_capable(dev, state))
        return fail(errc::einval);
    DEVRES_TRY(const unsigned at, pci_find_capability(dev, registers::capability_id::power_management));
    if (at == 0)
        return {};  // it is off
    DEVRES_TRY(const std::uint16_t control, pci_read_config_word(dev, at + pm::control));
    const unsigned rest = (control & ~pm::pme_enable) | pm::pme_status;
    return pci_write_config_word(dev, at + pm::control, static_cast<std::uint16_t>(rest | (on ? pm::pme_enable : 0U)));
}

/// As `pci_enable_wake`, for D3cold if the function can wake the machine from there, else for D3hot.
/// @par Linux
/// `pci_wake_from_d3()`
template <class P, class Driver>
[[nodiscard]] result<> pci_wake_from_d3(const device<P, Driver>& dev, bool on) noexcept {
    return pci_enable_wake(dev, pci_pme_capable(dev, power_state::d3cold) ? power_state::d3cold : power_state::d3hot,
                           on);
}

}  // namespace devres::pci
