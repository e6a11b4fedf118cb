// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/irq_registration.hpp>

namespace devres::pci {

/// Returns when no invocation of the handler is running that had begun: what it used before may be changed now.
/// @returns `enoent` if it has been freed, `edeadlk` from inside the handler.
/// @par Linux
/// `synchronize_irq()`
template <class Owner, class P, class Driver>
[[nodiscard]] result<> synchronize_irq(const irq_registration<Owner, P, Driver>& registration) noexcept {
    if (!detail::registrations::there(registration)) [[unlikely]]
        return fail(errc::enoent);
    device<P, Driver>& dev = detail::registrations::dev(registration);
    return dev.platform().synchronize_handler(dev.function(), detail::registrations::id(registration));
}

/// Holds the handler's interrupts until `enable_irq` has been called as often; when it returns, no invocation is running. The
/// registration keeps its place.
/// @returns `enoent` if it has been freed, `edeadlk` from inside the handler: nothing is held then.
/// @par Linux
/// `disable_irq()`
template <class Owner, class P, class Driver>
[[nodiscard]] result<> disable_irq(const irq_registration<Owner, P, Driver>& registration) noexcept {
    if (!detail::registrations::there(registration)) [[unlikely]]
        return fail(errc::enoent);
    device<P, Driver>& dev = detail::registrations::dev(registration);
    return dev.platform().disable_handler(dev.function(), detail::registrations::id(registration));
}

/// Undoes one `disable_irq`. What came meanwhile is delivered with the last.
/// @returns `enoent` if it has been freed, `einval` if it is not disabled.
/// @par Linux
/// `enable_irq()`, which warns of one too many
template <class Owner, class P, class Driver>
[[nodiscard]] result<> enable_irq(const irq_registration<Owner, P, Driver>& registration) noexcept {
    if (!detail::registrations::there(registration)) [[unlikely]]
        return fail(errc::enoent);
    device<P, Driver>& dev = detail::registrations::dev(registration);
    return dev.platform().enable_handler(dev.function(), detail::registrations::id(registration));
}

}  // namespace devres::pci
