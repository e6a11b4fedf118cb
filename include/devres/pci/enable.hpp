// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/attributes.hpp>
#include <devres/core/rule.hpp>
#include <devres/pci/detail/argument.hpp>
#include <devres/pci/detail/resource.hpp>
#include <devres/pci/device.hpp>
#include <devres/pci/resources.hpp>

/// Enabling a function: what everything else is acquired from.
namespace devres::pci {

namespace detail {

struct enable_kind : any_kind {
    static constexpr resource_kind about{"enable"};
    template <class P>
    struct value {};

    template <class P, class Driver>
    DEVRES_INLINE static void release(device<P, Driver>& dev, value<P>&) noexcept {
        dev.platform().disable(dev.function());
    }
    /// What was switched on before the first enable goes off after the function is disabled.
    template <class Device>
    static void recorded(Device& dev) noexcept {
        if (device_books::of(dev).enables++ == 0)
            dev.resources().pin_actions();
    }
    template <class Device>
    static void forgotten(Device& dev) noexcept {
        --device_books::of(dev).enables;
    }
};

}  // namespace detail

/// An enabled function: what BARs, vectors and DMA memory are acquired from. Owned by devres, it is a view to
/// be copied at will; owned by the driver, a guard that disables the function when it dies, or, if BARs or vectors of the
/// driver's own are left then, with the last of them.
template <class Owner, class P, class Driver = void>
class DEVRES_CONSUMABLE enabled_device : public detail::held<Owner, detail::enable_kind, P, Driver> {
    friend struct devres::detail::token;
    using detail::held<Owner, detail::enable_kind, P, Driver>::held;

public:
    /// The device that is enabled.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY device<P, Driver>& dev() const noexcept { return *this->dev_; }
};

namespace detail {

/// False for a guard that has been moved from.
template <class P, class Driver>
[[nodiscard]] constexpr bool is_there(const enabled_device<managed_t, P, Driver>&) noexcept {
    return true;
}
template <class P, class Driver>
[[nodiscard]] DEVRES_INLINE bool is_there(const enabled_device<unmanaged_t, P, Driver>& enabled) noexcept {
    return static_cast<bool>(enabled);
}

}  // namespace detail

template <class Owner, class P, class Driver>
inline constexpr bool detail::is_enabled_device<enabled_device<Owner, P, Driver>> = true;

template <class Driver>
concept enable_managed =
    rule<owned_by<Driver, enable_t, managed_t>,
         text{"devres[D004] pcim_enable_device: the ownership table does not say enable = managed"}>;
template <class Driver>
concept enable_unmanaged =
    rule<owned_by<Driver, enable_t, unmanaged_t>,
         text{"devres[D004] pci_enable_device: the ownership table does not say enable = unmanaged"}>;

/// Enables the function until the driver is unbound: its BARs answer and it may be given vectors. Enables are
/// counted; the function is disabled with the last of them.
/// @returns a view of the enabled device; the platform's error (`enodev` if the device is gone, `edeadlk` from inside a
/// handler), or `enomem` if the enable cannot be recorded: the function is then as before.
/// @par Linux
/// `pcim_enable_device()` as of 6.11: one record per call, and no flag that changes what other functions mean.
template <class P, class Driver>
    requires enable_managed<Driver>
[[nodiscard]] DEVRES_INLINE result<enabled_device<managed_t, P, Driver>>
pcim_enable_device(device<P, Driver>& dev DEVRES_LIFETIMEBOUND) noexcept {
    return detail::acquire<enabled_device<managed_t, P, Driver>, detail::enable_kind>(
        dev, {}, [&]() noexcept { return dev.platform().enable(dev.function()); });
}

/// Enables the function until the guard dies.
/// @returns a guard that disables it; the platform's error (`enodev` if the device is gone, `edeadlk` from inside a
/// handler): the function is then as before.
/// @par Linux
/// `pci_enable_device()` and, when the guard dies, `pci_disable_device()`
template <class P, class Driver>
    requires enable_unmanaged<Driver>
[[nodiscard]] DEVRES_INLINE result<enabled_device<unmanaged_t, P, Driver>>
pci_enable_device(device<P, Driver>& dev DEVRES_LIFETIMEBOUND) noexcept {
    return detail::acquire<enabled_device<unmanaged_t, P, Driver>, detail::enable_kind>(
        dev, {}, [&]() noexcept { return dev.platform().enable(dev.function()); });
}

namespace detail {

template <class Owner, class P, class Driver>
[[nodiscard]] result<> set_master(const enabled_device<Owner, P, Driver>& enabled, bool on) noexcept {
    if (!is_there(enabled)) [[unlikely]]
        return fail(errc::enoent);
    device<P, Driver>& dev = enabled.dev();
    if (auto there = detail::used_records(enabled).check(dev.resources()); !there) [[unlikely]]
        return there;
    auto set = dev.platform().set_master(dev.function(), on);
    if (set)
        device_books::of(dev).mastering = on;
    return set;
}

}  // namespace detail

/// Lets the function send messages (MSI, MSI-X) and DMA. The unbind takes it back once the handlers have ended, and so does
/// the last disable.
/// @returns `enoent` if the enable has been released, or the platform's error.
/// @par Linux
/// `pci_set_master()`, which cannot say that it failed
template <class Enabled>
    requires enabled_argument<Enabled>
[[nodiscard]] result<> pci_set_master(const Enabled& enabled) noexcept {
    return detail::set_master(enabled, true);
}

/// Stops the function from sending messages and DMA (`pci_clear_master()`).
/// @returns as `pci_set_master`
template <class Enabled>
    requires enabled_argument<Enabled>
[[nodiscard]] result<> pci_clear_master(const Enabled& enabled) noexcept {
    return detail::set_master(enabled, false);
}

}  // namespace devres::pci
