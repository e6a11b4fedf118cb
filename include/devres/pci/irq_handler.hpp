// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/managed_ref.hpp>
#include <devres/pci/irq_registration.hpp>

namespace devres::pci {

/// A function that can handle interrupts for a T: a member of T, or a function (a lambda too) that takes a T&, with or
/// without the `vector_index` that fired, returning `irq_return`.
template <auto Function, class T>
concept irq_handler_of = requires(T& context, vector_index vector) {
    requires requires {
        { (context.*Function)() } -> std::same_as<irq_return>;
    } || requires {
        { (context.*Function)(vector) } -> std::same_as<irq_return>;
    } || requires {
        { Function(context) } -> std::same_as<irq_return>;
    } || requires {
        { Function(context, vector) } -> std::same_as<irq_return>;
    };
};

/// The last argument of a request: the handler is registered disabled, and the first `enable_irq` lets interrupts in
/// (`IRQF_NO_AUTOEN`).
struct no_autoen_t {
    explicit no_autoen_t() = default;
};
inline constexpr no_autoen_t no_autoen{};  ///< see its type

namespace detail {

/// The handler of an object that has one under the usual name.
struct on_irq_of_object {
    template <class T>
        requires requires(T& object) {
            { object.on_irq() } -> std::same_as<irq_return>;
        }
    irq_return operator()(T& object) const noexcept {
        return object.on_irq();
    }
    template <class T>
        requires requires(T& object, vector_index vector) {
            { object.on_irq(vector) } -> std::same_as<irq_return>;
        }
    irq_return operator()(T& object, vector_index vector) const noexcept {
        return object.on_irq(vector);
    }
};

/// What a handler is called on: the T itself, or for a member function the T as the class it is a member of, because
/// g++ 12 takes the conversion to a base inside `.*` for type punning.
template <auto Function, class T>
struct irq_object {
    using type = T;
};
template <class T, class Class, class Member, Member Class::* Function>
struct irq_object<Function, T> {
    using type = std::conditional_t<std::is_const_v<T>, const Class, Class>;
};

template <auto Function, class T>
irq_return handle_irq(void* argument, vector_index vector) noexcept {
    typename irq_object<Function, T>::type& context = *static_cast<T*>(argument);
    if constexpr (requires { (context.*Function)(); })
        return (context.*Function)();
    else if constexpr (requires { (context.*Function)(vector); })
        return (context.*Function)(vector);
    else if constexpr (requires { Function(context); })
        return Function(context);
    else
        return Function(context, vector);
}

}  // namespace detail

template <class Vector>
concept vector_argument =
    rule<detail::is_irq_vector<Vector>,
         text{"devres[D009] the first argument is no vector: take one of the allocation, vectors[0], and "
              "unwrap a result, DEVRES_TRY(auto vector, vectors.at(i))"}>;
template <class Name, class... More>
concept handler_arguments =
    rule<sizeof...(More) <= 1 && (std::is_same_v<More, no_autoen_t> && ...) && std::is_convertible_v<Name, const char*>,
         text{"devres[D013] the arguments are (vector, name, object): there are no flags but no_autoen, the name is a "
              "const char*, and the function is a template argument, request_irq<&state::on_irq>(...)"}>;
template <class P, class... More>
concept platform_has_no_autoen =
    rule<sizeof...(More) == 0 || holds_handlers<P>,
         text{"devres[D007] this platform registers no handler disabled: hold_handler, irq_action::disabled"}>;
template <class Owner>
concept on_managed_vectors =
    rule<std::is_same_v<Owner, managed_t>,
         text{"devres[D002] a managed handler needs managed vectors: unmanaged ones are freed before it"}>;
template <class Context>
concept on_managed_object = rule<
    detail::referred<Context>::is_managed,
    text{
        "devres[D002] a managed handler needs a managed object (devm_emplace): a plain reference may be gone before devres "
        "frees the handler"}>;
template <class Driver>
concept handler_managed =
    rule<owned_by<Driver, irq_handler_t, managed_t>,
         text{"devres[D004] devm_request_irq: the ownership table does not say irq_handler = managed"}>;
template <class Driver>
concept handler_unmanaged =
    rule<owned_by<Driver, irq_handler_t, unmanaged_t>,
         text{"devres[D004] request_irq: the ownership table does not say irq_handler = unmanaged"}>;
template <auto Function, class T>
concept handler_form =
    rule<irq_handler_of<Function, T>,
         text{"devres[D010] not a handler: a function of the object (on_irq, if none is named) or one that takes "
              "it, with or without a vector_index, that returns irq_return"}>;

namespace detail {

/// What the platform answered, and what there is besides.
template <class Id>
[[nodiscard]] DEVRES_INLINE result_in<registered_handler, Id> registered(const Id& id, bool recorded,
                                                                         bool threaded) noexcept {
    if (!id) [[unlikely]]
        return fail(id.error());
    return registered_handler{*id, recorded, threaded};
}

template <auto Function, class T, class Owner, class P, class Driver>
[[nodiscard]] DEVRES_INLINE auto register_handler(const irq_vector<Owner, P, Driver>& vector, const char* name,
                                                  T& context, bool recorded, bool disabled) noexcept {
    device<P, Driver>& dev = vector.dev();
    auto id = dev.platform().register_handler(dev.function(), vector.index(),
                                              {.entry = &handle_irq<Function, T>,
                                               .context = const_cast<std::remove_const_t<T>*>(&context),
                                               .name = name,
                                               .keeps_off_bars = kept_off_bars<Driver>,
                                               .disabled = disabled});
    return registered(id, recorded, false);
}

/// Acquires a handler of the driver's own, which `get(recorded)` registers. It has a record if it uses what devres owns, or has a
/// thread; one that devres owns has its own.
template <class Registration, bool Threaded, class P, class Driver, class Get, class... Used>
[[nodiscard]] DEVRES_INLINE result<Registration> acquire_handler(device<P, Driver>& dev, const label& about, Get get,
                                                                 const Used&... used) noexcept {
    constexpr unsigned uses = (0U + ... + unsigned{is_part<Used>});
    constexpr bool recorded = std::is_same_v<typename Registration::owner_type, unmanaged_t> && (uses != 0 || Threaded);
    const auto get_it = [&]() noexcept { return get(recorded); };
    if constexpr (!recorded) {
        return acquire<Registration, handler_kind>(dev, about, get_it, used...);
    } else {
        using record_type = driver_handler<P, Driver, uses>;
        pending_record<record_type> pending(dev.resources());
        if (!pending) [[unlikely]]
            return fail(errc::enomem);
        auto made = acquire<Registration, handler_kind>(dev, about, get_it, used...);
        if (made) [[likely]] {
            ::new (pending.block())
                record_type(used_records<uses>(used...).links(), dev, registrations::handler(*made), about);
            (void)pending.record(&record_type::release, release_step::handlers, uses != 0 ? list_node::is_user : 0);
        }
        return made;
    }
}

}  // namespace detail

/// Registers `Function`, or `on_irq` of the object if none is named, on `vector`, with a managed object as its context, until
/// the driver is unbound. devres frees it before the objects, the vectors and all else, and waits for a running invocation.
///
/// `name` is copied by the platform, but must live as long as the handler where the platform is watched. With `no_autoen` as the
/// last argument nothing is called before `enable_irq`.
/// @returns a name for `devm_free_irq`; `ebusy` if the vector has a handler, `enomem` if it cannot be recorded, `enoent` if
/// the vectors or the object have been released, `einval` if they are another device's, `edeadlk` from inside a handler: it
/// is not registered then.
/// @par Linux
/// `devm_request_irq()`. There, the vectors and the object may be anybody's; here a vector that is the driver's,
/// or a plain reference, does not compile (D002): both would be gone before devres frees the handler.
template <auto Function = detail::on_irq_of_object{}, class Vector, class Name, class Context, class... More>
    requires vector_argument<Vector> && handler_arguments<Name, More...> &&
             platform_has_no_autoen<detail::platform_of<Vector>, More...> &&
             on_managed_vectors<detail::owner_of<Vector>> && unwrapped<Context> && on_managed_object<Context> &&
             handler_managed<detail::driver_of<Vector>> &&
             handler_form<Function, typename detail::referred<Context>::type>
[[nodiscard]] DEVRES_INLINE auto devm_request_irq(const Vector& vector, Name name, const Context& object,
                                                  const More&...) noexcept
    -> result<irq_registration<managed_t, detail::platform_of<Vector>, detail::driver_of<Vector>>> {
    using registration = irq_registration<managed_t, detail::platform_of<Vector>, detail::driver_of<Vector>>;
    return detail::acquire<registration, detail::handler_kind>(
        vector.dev(), {vector.index().value(), name},
        [&]() noexcept {
            return detail::register_handler<Function>(vector, name, object.get(), false, sizeof...(More) != 0);
        },
        vector, object);
}

/// Registers `Function`, or `on_irq` of the object if none is named, on `vector`, whoever owns the vectors, until the guard
/// dies or its vectors are freed. `context` must outlive the registration. On managed vectors, or with a managed object,
/// devres ends it with the managed handlers if the driver has not: before anything that it may use.
/// @returns a guard that frees the handler; `ebusy` if the vector has one, `enoent` if managed vectors or a managed object
/// have been released, `enomem` if there is no memory to know of them, `edeadlk` from inside a handler: it is not registered
/// then.
/// @par Linux
/// `request_irq()`
template <auto Function = detail::on_irq_of_object{}, class Vector, class Name, class Context, class... More>
    requires vector_argument<Vector> && handler_arguments<Name, More...> &&
             platform_has_no_autoen<detail::platform_of<Vector>, More...> && unwrapped<std::remove_const_t<Context>> &&
             handler_unmanaged<detail::driver_of<Vector>> &&
             handler_form<Function, typename detail::referred<Context>::type>
[[nodiscard]] DEVRES_INLINE auto request_irq(const Vector& vector, Name name, Context& context DEVRES_LIFETIMEBOUND,
                                             const More&...) noexcept
    -> result<irq_registration<unmanaged_t, detail::platform_of<Vector>, detail::driver_of<Vector>>> {
    using registration = irq_registration<unmanaged_t, detail::platform_of<Vector>, detail::driver_of<Vector>>;
    typename detail::referred<Context>::type& object = context;
    return detail::acquire_handler<registration, false>(
        vector.dev(), {vector.index().value(), name},
        [&](bool recorded) noexcept {
            return detail::register_handler<Function>(vector, name, object, recorded, sizeof...(More) != 0);
        },
        vector, context);
}

}  // namespace devres::pci
