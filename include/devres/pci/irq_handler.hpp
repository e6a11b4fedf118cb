// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/managed_ref.hpp>
#include <devres/pci/irq_vectors.hpp>

namespace devres::pci {

/// A function that can handle interrupts for a T: a member of T, or a function (a lambda too) that takes a T&, with or
/// without the `vector_index` that fired, returning `irq_return`.
template <auto Function, class T>
concept irq_handler_of = requires(T& context, vector_index vector) {
    requires requires { { (context.*Function)() } -> std::same_as<irq_return>; } ||
                 requires { { (context.*Function)(vector) } -> std::same_as<irq_return>; } ||
                 requires { { Function(context) } -> std::same_as<irq_return>; } ||
                 requires { { Function(context, vector) } -> std::same_as<irq_return>; };
};

template <class Owner>
concept drivers_handler = rule<std::is_same_v<Owner, unmanaged_t>,
                               text{"devres[D001] a managed handler is freed by devres at unbind: remove this call, or end it early "
                               "with devm_free_irq"}>;
template <class Owner>
concept devres_handler =
    rule<std::is_same_v<Owner, managed_t>, text{"devres[D001] devres does not own this handler: call free_irq"}>;

namespace detail {

/// The handler of an object that has one under the usual name.
struct on_irq_of_object {
    template <class T>
        requires requires(T& object) { { object.on_irq() } -> std::same_as<irq_return>; }
    irq_return operator()(T& object) const noexcept {
        return object.on_irq();
    }
    template <class T>
        requires requires(T& object, vector_index vector) { { object.on_irq(vector) } -> std::same_as<irq_return>; }
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

template <class P, class Driver>
void forget_driver_handler(device<P, Driver>& dev, handler_id id) noexcept;
struct registrations;

/// A registration of the platform's, and whether devres has a record of it though it is the driver's: see driver_handler.
struct registered_handler {
    handler_id id = handler_id::none;
    bool recorded = false;
};

struct handler_kind : any_kind {
    static constexpr resource_kind about{"irq_handler", numbering::which};
    template <class P>
    using value = registered_handler;

    template <class P, class Driver>
    DEVRES_INLINE static result<> release(device<P, Driver>& dev, registered_handler& handler) noexcept {
        if (handler.recorded) [[unlikely]] {
            if (devres::detail::in_handler(dev))  // the records are the device's thread's
                return fail(errc::edeadlk);
        }
        auto freed = dev.platform().unregister_handler(dev.function(), handler.id);
        if (handler.recorded) [[unlikely]] {
            if (freed)
                forget_driver_handler(dev, handler.id);
        }
        return freed;
    }
    template <class P, class Driver>
    [[nodiscard]] static bool is_held(device<P, Driver>& dev, const registered_handler& handler) noexcept {
        return dev.platform().handler_registered(dev.function(), handler.id);
    }
    template <class... Used>
    [[nodiscard]] static constexpr release_step step(const Used&...) noexcept {
        return release_step::handlers;
    }
};

/// The record of a handler of the driver's own that uses what devres owns: it ends with the managed ones, unless its guard
/// ends it first.
template <class P, class Driver, unsigned Uses>
struct driver_handler : devres::detail::users_of<Uses> {
    device<P, Driver>* dev;
    handler_id id;
    [[no_unique_address]] kept_label<P, Driver> about;

    driver_handler(const devres::detail::users_of<Uses>& links, device<P, Driver>& of, handler_id registered,
                   const label& what) noexcept
        : devres::detail::users_of<Uses>(links), dev(&of), id(registered), about(what) {}

    static void release(void* argument) noexcept {
        auto* const record = static_cast<driver_handler*>(argument);
        device<P, Driver>& dev = *record->dev;
        const label what = record->about;
        or_stop(dev.platform().unregister_handler(dev.function(), record->id));
        record->forget();
        note_resource<handler_kind>(dev, resource_event::step::released, false, what);
    }
    void forget() noexcept {
        device<P, Driver>& of = *dev;
        this->~driver_handler();
        devres::detail::record_access::memory(of.resources()).put(this, sizeof(driver_handler), alignof(driver_handler));
    }
};

/// A handler of the driver's own has ended: so has its record, if it has one.
template <unsigned Uses, class P, class Driver>
bool forget_handler_of(device<P, Driver>& dev, handler_id id) noexcept {
    using record_type = driver_handler<P, Driver, Uses>;
    record_type* found = nullptr;
    list::handle record;
    devres::detail::record_access::each(dev.resources(), release_step::handlers, [&](devres::detail::list_node& node) {
        if (node.release == &record_type::release && static_cast<record_type*>(node.argument)->id == id) {
            found = static_cast<record_type*>(node.argument);
            record = devres::detail::record_access::name(node);
        }
        return found == nullptr;
    });
    if (found == nullptr)
        return false;
    (void)dev.resources().remove(record);
    found->forget();
    return true;
}
template <class P, class Driver>
[[gnu::noinline, gnu::cold]] void forget_driver_handler(device<P, Driver>& dev, handler_id id) noexcept {
    (void)(forget_handler_of<1>(dev, id) || forget_handler_of<2>(dev, id));
}

}  // namespace detail

/// A handler that is registered on a vector. Owned by devres, it is a weak name, for `devm_free_irq`, `disable_irq` and the
/// like, which may be empty, copied and assigned; owned by the driver, a guard that frees the handler when it dies, waiting
/// for a running invocation. The program stops if that is inside the handler itself, where `free_irq` and `devm_free_irq`
/// answer `edeadlk`.
template <class Owner, class P, class Driver = void>
class irq_registration;

template <class P, class Driver>
class irq_registration<managed_t, P, Driver> {
public:
    using owner_type = managed_t;
    using platform_type = P;
    using driver_type = Driver;

    /// A name of nothing.
    irq_registration() noexcept = default;

    /// True until the handler has been freed, by whomever. Not to be asked after the unbind.
    [[nodiscard]] explicit operator bool() const noexcept { return list::names(record_); }

private:
    friend struct devres::detail::token;
    friend struct detail::registrations;
    irq_registration(device<P, Driver>& dev, const detail::registered_handler& handler, const detail::label&,
                     list::handle record) noexcept
        : dev_(&dev), id_(handler.id), record_(record) {}

    device<P, Driver>* dev_ = nullptr;
    handler_id id_ = handler_id::none;
    list::handle record_;
};

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

template <class Vector>
concept vector_argument = rule<detail::is_irq_vector<Vector>,
                               text{"devres[D009] the first argument is no vector: take one of the allocation, vectors[0], and "
                               "unwrap a result, DEVRES_TRY(auto vector, vectors.at(i))"}>;
template <class Name, unsigned More>
concept handler_arguments = rule<More == 0 && std::is_convertible_v<Name, const char*>,
                                 text{"devres[D013] the arguments are (vector, name, object): there are no flags, and the "
                                 "function is a template argument, request_irq<&state::on_irq>(...)"}>;
template <class Owner>
concept on_managed_vectors = rule<std::is_same_v<Owner, managed_t>,
                                  text{"devres[D002] a managed handler needs managed vectors: unmanaged ones are freed before it"}>;
template <class Context>
concept on_managed_object =
    rule<devres::detail::referred<Context>::is_managed,
         text{"devres[D002] a managed handler needs a managed object (devm_emplace): a plain reference may be gone before devres "
         "frees the handler"}>;
template <class Driver>
concept handler_managed = rule<owned_by<Driver, irq_handler_t, managed_t>,
                               text{"devres[D004] devm_request_irq: the ownership table does not say irq_handler = managed"}>;
template <class Driver>
concept handler_unmanaged = rule<owned_by<Driver, irq_handler_t, unmanaged_t>,
                                 text{"devres[D004] request_irq: the ownership table does not say irq_handler = unmanaged"}>;
template <auto Function, class T>
concept handler_form = rule<irq_handler_of<Function, T>,
                            text{"devres[D010] not a handler: a function of the object (on_irq, if none is named) or one that takes "
                            "it, with or without a vector_index, that returns irq_return"}>;

namespace detail {

template <auto Function, class T, class Owner, class P, class Driver>
[[nodiscard]] DEVRES_INLINE result<registered_handler> register_handler(const irq_vector<Owner, P, Driver>& vector,
                                                                        const char* name, T& context, bool recorded) noexcept {
    device<P, Driver>& dev = vector.dev();
    auto id = dev.platform().register_handler(dev.function(), vector.index(),
                                              {.entry = &handle_irq<Function, T>,
                                               .context = const_cast<std::remove_const_t<T>*>(&context),
                                               .name = name,
                                               .keeps_off_bars = kept_off_bars<Driver>});
    if (!id) [[unlikely]]
        return fail(id.error());
    return registered_handler{*id, recorded};
}

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
    [[nodiscard]] static handler_id id(const irq_registration<managed_t, P, Driver>& registration) noexcept {
        return registration.id_;
    }
    template <class P, class Driver>
    [[nodiscard]] static handler_id id(const irq_registration<unmanaged_t, P, Driver>& registration) noexcept {
        return registration.value_.id;
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

/// Registers `Function`, or `on_irq` of the object if none is named, on `vector`, with a managed object as its context, until
/// the driver is unbound. devres frees it before the objects, the vectors and all else, and waits for a running invocation.
///
/// `name` is copied by the platform, but must live as long as the handler where the platform is watched.
/// @returns a name for `devm_free_irq`; `ebusy` if the vector has a handler, `enomem` if it cannot be recorded, `enoent` if
/// the vectors or the object have been released, `einval` if they are another device's, `edeadlk` from inside a handler: it
/// is not registered then.
/// @par Linux
/// `devm_request_irq()`. There, the vectors and the object may be anybody's; here a vector that is the driver's,
/// or a plain reference, does not compile (D002): both would be gone before devres frees the handler.
template <auto Function = detail::on_irq_of_object{}, class Vector, class Name, class Context, class... More>
    requires vector_argument<Vector> && handler_arguments<Name, sizeof...(More)> &&
             on_managed_vectors<detail::owner_of<Vector>> && on_managed_object<Context> &&
             handler_managed<detail::driver_of<Vector>> &&
             handler_form<Function, typename devres::detail::referred<Context>::type>
[[nodiscard]] DEVRES_INLINE auto devm_request_irq(const Vector& vector, Name name, const Context& object, const More&...) noexcept
    -> result<irq_registration<managed_t, detail::platform_of<Vector>, detail::driver_of<Vector>>> {
    using registration = irq_registration<managed_t, detail::platform_of<Vector>, detail::driver_of<Vector>>;
    return detail::acquire<registration, detail::handler_kind>(
        vector.dev(), {vector.index().value(), name},
        [&]() noexcept { return detail::register_handler<Function>(vector, name, object.get(), false); }, vector, object);
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
    requires vector_argument<Vector> && handler_arguments<Name, sizeof...(More)> &&
             handler_unmanaged<detail::driver_of<Vector>> &&
             handler_form<Function, typename devres::detail::referred<Context>::type>
[[nodiscard]] DEVRES_INLINE auto request_irq(const Vector& vector, Name name, Context& context DEVRES_LIFETIMEBOUND,
                                             const More&...) noexcept
    -> result<irq_registration<unmanaged_t, detail::platform_of<Vector>, detail::driver_of<Vector>>> {
    using P = detail::platform_of<Vector>;
    using Driver = detail::driver_of<Vector>;
    using T = typename devres::detail::referred<Context>::type;
    using registration = irq_registration<unmanaged_t, P, Driver>;
    constexpr unsigned uses = unsigned{devres::detail::is_part<Vector>} + unsigned{devres::detail::is_part<Context>};
    device<P, Driver>& dev = vector.dev();
    T& object = context;
    const auto get = [&]() noexcept { return detail::register_handler<Function>(vector, name, object, uses != 0); };
    const detail::label about{vector.index().value(), name};
    if constexpr (uses == 0) {
        return detail::acquire<registration, detail::handler_kind>(dev, about, get);
    } else {
        using record_type = detail::driver_handler<P, Driver, uses>;
        devres::detail::pending_record<record_type> pending(dev.resources());
        if (!pending) [[unlikely]]
            return fail(errc::enomem);
        auto made = detail::acquire<registration, detail::handler_kind>(dev, about, get, vector, context);
        if (made) [[likely]] {
            ::new (pending.block()) record_type(devres::detail::used_records(vector, context).links(), dev,
                                                detail::registrations::id(*made), about);
            (void)pending.record(&record_type::release, release_step::handlers, devres::detail::list_node::is_user);
        }
        return made;
    }
}

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
    if (devres::detail::in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    (void)dev.platform().unregister_handler(dev.function(), detail::registrations::id(registration));
    const list::handle record = detail::registrations::record(registration);
    auto* const data = static_cast<record_type*>(devres::detail::record_access::node(record)->argument);
    (void)dev.resources().remove(record);
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
