// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/detail/handler_kind.hpp>

/// A handler that is registered: ended early, held back, or left to the unbind.
namespace devres::pci {

template <class Owner>
concept drivers_handler =
    rule<std::is_same_v<Owner, unmanaged_t>,
         text{"devres[D001] a managed handler is freed by devres at unbind: remove this call, or end it early "
              "with devm_free_irq"}>;
template <class Owner>
concept devres_handler =
    rule<std::is_same_v<Owner, managed_t>, text{"devres[D001] devres does not own this handler: call free_irq"}>;

namespace detail {
struct registrations;
}

/// A handler that is registered on a vector. Owned by devres, it is a weak name, for `devm_free_irq`, `disable_irq` and the
/// like, which may be empty, copied and assigned; owned by the driver, a guard that frees the handler when it dies, waiting
/// for a running invocation. The program stops if that is inside the handler itself, where `free_irq` and `devm_free_irq`
/// answer `edeadlk`.
template <class Owner, class P, class Driver = void>
class irq_registration;

/// One that devres frees: a weak name of it.
template <class P, class Driver>
class irq_registration<managed_t, P, Driver> {
public:
    using owner_type = managed_t;  ///< devres
    using platform_type = P;       ///< its device's
    using driver_type = Driver;    ///< its device's

    /// A name of nothing.
    irq_registration() noexcept = default;

    /// True until the handler has been freed, by whomever. Not to be asked after the unbind.
    [[nodiscard]] explicit operator bool() const noexcept { return list::names(record_); }

private:
    friend struct devres::detail::token;
    friend struct detail::registrations;
    irq_registration(device<P, Driver>& dev, const detail::registered_handler& handler, const detail::label&,
                     list::handle record) noexcept
        : dev_(&dev), handler_(handler), record_(record) {}

    device<P, Driver>* dev_ = nullptr;
    detail::registered_handler handler_;
    list::handle record_;
};

/// One that the driver frees: a guard.
template <class P, class Driver>
class DEVRES_CONSUMABLE irq_registration<unmanaged_t, P, Driver>
    : public detail::held<unmanaged_t, detail::handler_kind, P, Driver> {
    friend struct devres::detail::token;
    friend struct detail::registrations;
    using detail::held<unmanaged_t, detail::handler_kind, P, Driver>::held;

public:
    /// True while the handler is registered and this guard frees it: false too once devres or its vectors have ended it.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept {
        return this->dev_ != nullptr && detail::handler_kind::is_held(*this->dev_, this->value_);
    }
};

/// For the members of a driver's state: `registration_of<Device>`, or `registration_of<Device, unmanaged_t>`.
template <class Device, class Owner = managed_t>
using registration_of = irq_registration<Owner, typename Device::platform_type, typename Device::driver_type>;

namespace detail {

/// What a registration is, for the functions that work on either owner's.
struct registrations {
    template <class P, class Driver>
    [[nodiscard]] static bool there(const irq_registration<managed_t, P, Driver>& registration) noexcept {
        return static_cast<bool>(registration);
    }
    template <class P, class Driver>
    [[nodiscard]] static bool there(const irq_registration<unmanaged_t, P, Driver>& registration) noexcept {
        return registration.dev_ != nullptr;
    }
    template <class Registration>
    [[nodiscard]] static auto& dev(const Registration& registration) noexcept {
        return *registration.dev_;
    }
    template <class P, class Driver>
    [[nodiscard]] static const registered_handler&
    handler(const irq_registration<managed_t, P, Driver>& registration) noexcept {
        return registration.handler_;
    }
    template <class P, class Driver>
    [[nodiscard]] static const registered_handler&
    handler(const irq_registration<unmanaged_t, P, Driver>& registration) noexcept {
        return registration.value_;
    }
    template <class Registration>
    [[nodiscard]] static handler_id id(const Registration& registration) noexcept {
        return handler(registration).id;
    }
    template <class P, class Driver>
    [[nodiscard]] static list::handle record(const irq_registration<managed_t, P, Driver>& registration) noexcept {
        return registration.record_;
    }
    template <class P, class Driver>
    [[nodiscard]] static result<> free(irq_registration<unmanaged_t, P, Driver>& registration) noexcept {
        return registration.free();
    }
};

}  // namespace detail

/// Frees a managed handler before the driver is unbound, and its record with it. Returns when no invocation is
/// running; the registration is empty then.
/// @returns `enoent` if the handler has been freed already, `edeadlk` from inside a handler of the device: nothing is freed.
/// @par Linux
/// `devm_free_irq()`, which warns in both cases, and in the second waits for itself
template <class Owner, class P, class Driver>
    requires devres_handler<Owner>
[[nodiscard]] result<> devm_free_irq(irq_registration<Owner, P, Driver>&& registration) noexcept {
    using record_type = detail::managed_resource<detail::handler_kind, P, Driver, 2>;
    if (!registration)
        return fail(errc::enoent);
    device<P, Driver>& dev = detail::registrations::dev(registration);
    if (detail::in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    (void)dev.platform().unregister_handler(dev.function(), detail::registrations::id(registration));
    const list::handle record = detail::registrations::record(registration);
    auto* const data = static_cast<record_type*>(detail::record_access::node(record)->argument);
    (void)dev.resources().remove(record);
    if (data->value.threaded) [[unlikely]]
        detail::end_thread(dev.resources(), data->value.id);
    data->forget();
    registration = irq_registration<Owner, P, Driver>();
    return {};
}

/// Frees the driver's handler now, and returns when no invocation is running. A registration that is empty,
/// because its vectors were freed first, stays so.
/// @returns `edeadlk` from inside the handler, or, where it is on managed vectors or uses a managed object, from inside any
/// handler of the device: nothing is freed, and `registration` keeps the handler.
/// @par Linux
/// `free_irq()`
template <class Owner, class P, class Driver>
    requires drivers_handler<Owner>
[[nodiscard]] result<> free_irq(irq_registration<Owner, P, Driver>&& registration) noexcept {
    return detail::registrations::free(registration);
}

}  // namespace devres::pci
