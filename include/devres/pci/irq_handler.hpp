// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/irq_vectors.hpp>

namespace devres::pci {

/// A function that can handle interrupts for a T: a member of T, or a free function that takes a T&, with or
/// without the `vector_index` that fired, returning `irq_return`.
template <auto Function, class T>
concept irq_handler_of = requires(T& context, vector_index vector) {
    requires requires { { (context.*Function)() } -> std::same_as<irq_return>; } ||
                 requires { { (context.*Function)(vector) } -> std::same_as<irq_return>; } ||
                 requires { { Function(context) } -> std::same_as<irq_return>; } ||
                 requires { { Function(context, vector) } -> std::same_as<irq_return>; };
};

namespace detail {

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

/// A handler that is registered on a vector. Owned by devres, it is a view for `devm_free_irq`; owned by the
/// driver, a guard that frees the handler when it dies, waiting for a running invocation. The program stops if that is
/// inside the handler itself, where `free_irq` and `devm_free_irq` answer `edeadlk`.
template <class Owner, class P, class Driver = void>
class irq_registration;

template <class P, class Driver>
class irq_registration<managed_t, P, Driver> {
public:
    /// A view of nothing.
    irq_registration() noexcept = default;
    irq_registration(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, vector_index index, handler_id id) noexcept
        : dev_(&dev), index_(index), id_(id) {}

    /// True until the handler has been freed, by whomever.
    [[nodiscard]] explicit operator bool() const noexcept {
        if (id_ == handler_id::none)
            return false;
        const auto& vectors = detail::device_records<P, Driver>::of(*dev_).vectors;
        return index_.value() < vectors.count && vectors.handlers[index_.value()].id == id_;
    }

private:
    template <class O, class Q, class D>
        requires rule<std::is_same_v<O, managed_t>, "devres[D001] devres does not own this handler: call free_irq">
    friend result<> devm_free_irq(irq_registration<O, Q, D>&& registration) noexcept;

    device<P, Driver>* dev_ = nullptr;
    vector_index index_;
    handler_id id_ = handler_id::none;
};

template <class P, class Driver>
class DEVRES_CONSUMABLE irq_registration<unmanaged_t, P, Driver> {
public:
    /// A guard that owns nothing.
    DEVRES_EMPTY irq_registration() noexcept = default;
    /// Takes over a registration of `dev`'s platform.
    [[nodiscard]] irq_registration(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, handler_id id) noexcept
        : dev_(&dev), id_(id) {}

    irq_registration(irq_registration&& other) noexcept : dev_(other.dev_), id_(other.id_) { other.dev_ = nullptr; }
    irq_registration& operator=(irq_registration&& other) noexcept {
        if (this != &other) {
            detail::or_stop(free());
            dev_ = other.dev_;
            id_ = other.id_;
            other.dev_ = nullptr;
        }
        return *this;
    }
    ~irq_registration() { detail::or_stop(free()); }

    /// True while the handler is registered and this guard frees it: false too once its vectors were freed.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept {
        return dev_ != nullptr && dev_->platform().handler_registered(dev_->function(), id_);
    }

private:
    template <class O, class Q, class D>
        requires rule<std::is_same_v<O, unmanaged_t>,
                      "devres[D001] a managed handler is freed by devres at unbind: remove this call, or end it early "
                      "with devm_free_irq">
    friend result<> free_irq(irq_registration<O, Q, D>&& registration) noexcept;

    DEVRES_INLINE result<> free() noexcept {
        if (dev_ == nullptr)
            return {};
        if constexpr (devres::detail::watched<device<P, Driver>>) {
            if (!*this) {  // its vectors were freed first, and it with them
                dev_ = nullptr;
                return {};
            }
        }
        if (auto freed = dev_->platform().unregister_handler(dev_->function(), id_); !freed) [[unlikely]]
            return freed;
        devres::detail::note(*dev_, {.what = resource_event::step::released, .resource = "irq_handler"});
        dev_ = nullptr;
        return {};
    }

    device<P, Driver>* dev_ = nullptr;
    handler_id id_ = handler_id::none;
};

namespace detail {

template <class P, class Driver>
void release_handler(void* argument) noexcept {
    auto& handler = *static_cast<handler_record<P, Driver>*>(argument);
    device<P, Driver>& dev = *handler.dev;
    or_stop(dev.platform().unregister_handler(dev.function(), handler.id));
    handler.leave();
    handler.id = handler_id::none;
    --device_records<P, Driver>::of(dev).vectors.registered;
    devres::detail::note(dev, {.what = resource_event::step::released,
                               .managed = true,
                               .resource = "irq_handler",
                               .index = handler.index,
                               .name = handler.name});
}

}  // namespace detail

/// Registers `Function` on `vector`, with a managed object as its context, until the driver is unbound. devres
/// frees it before the vectors and before the object, and waits for a running invocation.
///
/// `name` is copied by the platform, but must live as long as the handler where the platform is watched.
/// @returns a view for `devm_free_irq`; `ebusy` if the vector has a handler, `enomem` if it cannot be recorded:
/// it is not registered then.
/// @par Linux
/// `devm_request_irq()`. There, the vectors and the object may be anybody's; here a vector that is the driver's,
/// or a plain reference, does not compile (D002): both would be gone before devres frees the handler.
template <auto Function, class Owner, class P, class Driver, class Context>
    requires rule<std::is_same_v<Owner, managed_t>,
                  "devres[D002] a managed handler needs managed vectors: unmanaged ones are freed before it"> &&
             rule<devres::detail::referred<Context>::is_managed,
                  "devres[D002] a managed handler needs a managed object (devm_emplace): a plain reference may be gone "
                  "before devres frees the handler"> &&
             rule<owned_by<Driver, irq_handler_resource, managed_t>,
                  "devres[D004] devm_request_irq: the ownership table does not say irq_handler = managed"> &&
             irq_handler_of<Function, typename devres::detail::referred<Context>::type>
[[nodiscard]] result<irq_registration<managed_t, P, Driver>>
devm_request_irq(const irq_vector<Owner, P, Driver>& vector, const char* name, const Context& context) noexcept {
    using T = typename devres::detail::referred<Context>::type;
    device<P, Driver>& dev = vector.dev();
    auto& vectors = detail::device_records<P, Driver>::of(dev).vectors;
    if (vector.index().value() >= vectors.count) [[unlikely]]
        return fail(errc::einval);
    auto id = dev.platform().register_handler(
        dev.function(), vector.index(),
        {.entry = &detail::handle_irq<Function, T>, .context = &context.get(), .name = name});
    if (!id) [[unlikely]]
        return fail(id.error());
    auto& handler = vectors.handlers[vector.index().value()];
    auto record = dev.resources().add(&detail::release_handler<P, Driver>, &handler);
    if (!record) [[unlikely]] {
        (void)dev.platform().unregister_handler(dev.function(), *id);
        return fail(record.error());
    }
    handler.dev = &dev;
    handler.record = *record;
    handler.id = *id;
    handler.index = vector.index().value();
    handler.name = name;
    ++vectors.registered;
    devres::detail::managed_object::of(context).used_by(handler, [](devres::detail::managed_user& user) noexcept {
        auto& used = static_cast<detail::handler_record<P, Driver>&>(user);
        used.dev->resources().release(used.record);
    });
    devres::detail::note(
        dev, {.managed = true, .resource = "irq_handler", .index = vector.index().value(), .name = name});
    return irq_registration<managed_t, P, Driver>(dev, vector.index(), *id);
}

/// Registers `Function` on `vector`, whoever owns the vectors, until the guard dies or its vectors are freed.
/// `context` must outlive the registration.
/// @returns a guard that frees the handler; `ebusy` if the vector has one: it is not registered then.
/// @par Linux
/// `request_irq()`
template <auto Function, class Owner, class P, class Driver, class Context>
    requires rule<owned_by<Driver, irq_handler_resource, unmanaged_t>,
                  "devres[D004] request_irq: the ownership table does not say irq_handler = unmanaged"> &&
             irq_handler_of<Function, typename devres::detail::referred<Context>::type>
[[nodiscard]] DEVRES_INLINE result<irq_registration<unmanaged_t, P, Driver>>
request_irq(const irq_vector<Owner, P, Driver>& vector, const char* name,
            Context& context DEVRES_LIFETIMEBOUND) noexcept {
    using T = typename devres::detail::referred<Context>::type;
    device<P, Driver>& dev = vector.dev();
    T& object = context;
    auto id = dev.platform().register_handler(dev.function(), vector.index(),
                                              {.entry = &detail::handle_irq<Function, T>,
                                               .context = const_cast<std::remove_const_t<T>*>(&object),
                                               .name = name});
    if (!id) [[unlikely]]
        return fail(id.error());
    devres::detail::note(dev, {.resource = "irq_handler", .index = vector.index().value(), .name = name});
    return irq_registration<unmanaged_t, P, Driver>(dev, *id);
}

/// Frees a managed handler before the driver is unbound, and its record with it. Returns when no invocation is
/// running; the registration is empty then.
/// @returns `enoent` if the handler has been freed already, `edeadlk` from inside the handler: nothing is freed.
/// @par Linux
/// `devm_free_irq()`, which warns in both cases, and in the second waits for itself
template <class Owner, class P, class Driver>
    requires rule<std::is_same_v<Owner, managed_t>, "devres[D001] devres does not own this handler: call free_irq">
result<> devm_free_irq(irq_registration<Owner, P, Driver>&& registration) noexcept {
    if (!registration)
        return fail(errc::enoent);
    device<P, Driver>& dev = *registration.dev_;
    if (auto freed = dev.platform().unregister_handler(dev.function(), registration.id_); !freed) [[unlikely]]
        return freed;
    dev.resources().release(
        detail::device_records<P, Driver>::of(dev).vectors.handlers[registration.index_.value()].record);
    registration.id_ = handler_id::none;
    return {};
}

/// Frees the driver's handler now, and returns when no invocation is running. A registration that is empty,
/// because its vectors were freed first, stays so.
/// @returns `edeadlk` from inside the handler: nothing is freed, and `registration` keeps the handler.
/// @par Linux
/// `free_irq()`
template <class Owner, class P, class Driver>
    requires rule<std::is_same_v<Owner, unmanaged_t>,
                  "devres[D001] a managed handler is freed by devres at unbind: remove this call, or end it early "
                  "with devm_free_irq">
result<> free_irq(irq_registration<Owner, P, Driver>&& registration) noexcept {
    return registration.free();
}

}  // namespace devres::pci
