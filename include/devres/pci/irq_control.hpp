// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/irq_registration.hpp>

namespace devres::pci {

namespace detail {

/// Does what waits for a handler, `act(device, id)`, and waits for its thread too, if it has one.
template <class Registration, class Act>
[[nodiscard]] result<> with_its_thread(const Registration& registration, Act act) noexcept {
    if (!registrations::there(registration)) [[unlikely]]
        return fail(errc::enoent);
    auto& dev = registrations::dev(registration);
    const registered_handler handler = registrations::handler(registration);
    if constexpr (defers_work<platform_of<Registration>>) {
        if (handler.threaded) [[unlikely]] {
            if (in_handler(dev))
                return fail(errc::edeadlk);
            const result<> done = act(dev, handler.id);
            const list::handle thread = thread_of(dev.resources(), handler.id);
            if (done && thread) {
                const auto* const record = static_cast<handler_thread*>(record_access::node(thread)->argument);
                (void)dev.platform().flush_work(dev.function(), record->work);
            }
            return done;
        }
    }
    return act(dev, handler.id);
}

}  // namespace detail

/// Returns when no invocation of the handler is running that had begun, nor its thread: what it used before may be changed now.
/// @returns `enoent` if it has been freed, `edeadlk` from inside the handler, or, if it has a thread, any handler of the device.
/// @par Linux
/// `synchronize_irq()`
template <class Owner, class P, class Driver>
[[nodiscard]] result<> synchronize_irq(const irq_registration<Owner, P, Driver>& registration) noexcept {
    return detail::with_its_thread(registration, [](device<P, Driver>& dev, handler_id id) noexcept {
        return dev.platform().synchronize_handler(dev.function(), id);
    });
}

/// Holds the handler's interrupts until `enable_irq` has been called as often; when it returns, no invocation is running, nor a
/// thread of it. The registration keeps its place.
/// @returns `enoent` if it has been freed, `edeadlk` as for `synchronize_irq`: nothing is held then.
/// @par Linux
/// `disable_irq()`
template <class Owner, class P, class Driver>
[[nodiscard]] result<> disable_irq(const irq_registration<Owner, P, Driver>& registration) noexcept {
    return detail::with_its_thread(registration, [](device<P, Driver>& dev, handler_id id) noexcept {
        return dev.platform().disable_handler(dev.function(), id);
    });
}

template <class P>
concept platform_holds_handlers =
    rule<holds_handlers<P>, text{"devres[D007] this platform disables no handler from inside it: hold_handler"}>;

/// As `disable_irq`, but an invocation may be running when it returns: a handler may call it for itself.
/// @returns `enoent` if it has been freed.
/// @par Linux
/// `disable_irq_nosync()`
template <class Owner, class P, class Driver>
    requires platform_holds_handlers<P>
[[nodiscard]] result<> disable_irq_nosync(const irq_registration<Owner, P, Driver>& registration) noexcept {
    if (!detail::registrations::there(registration)) [[unlikely]]
        return fail(errc::enoent);
    device<P, Driver>& dev = detail::registrations::dev(registration);
    return dev.platform().hold_handler(dev.function(), detail::registrations::id(registration));
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

namespace detail {

struct disabled_kind : any_kind {
    static constexpr resource_kind about{"disabled_irq"};
    template <class P>
    using value = handler_id;

    template <class P, class Driver>
    static void release(device<P, Driver>& dev, handler_id id) noexcept {
        (void)dev.platform().enable_handler(dev.function(), id);
    }
};

}  // namespace detail

/// A handler's interrupts are held while this lives: made by `disable_irq_guard`. It may outlive the handler.
template <class P, class Driver = void>
class DEVRES_CONSUMABLE disabled_irq : public detail::held<unmanaged_t, detail::disabled_kind, P, Driver> {
    friend struct devres::detail::token;
    using detail::held<unmanaged_t, detail::disabled_kind, P, Driver>::held;
};

/// `disable_irq`, and `enable_irq` when the guard dies.
/// @returns the errors of `disable_irq`: nothing is held then.
/// @par Linux
/// `guard(disable_irq)`
template <class Owner, class P, class Driver>
[[nodiscard]] result<disabled_irq<P, Driver>>
disable_irq_guard(const irq_registration<Owner, P, Driver>& registration) noexcept {
    if (!detail::registrations::there(registration)) [[unlikely]]
        return fail(errc::enoent);
    return detail::acquire<disabled_irq<P, Driver>, detail::disabled_kind>(
        detail::registrations::dev(registration), {}, [&]() noexcept -> result_in<handler_id, P> {
            if (auto disabled = disable_irq(registration); !disabled) [[unlikely]]
                return fail(disabled.error());
            return detail::registrations::id(registration);
        });
}

}  // namespace devres::pci
