// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/irq_handler.hpp>

/// Handlers with a thread: what one cannot do, because it may wait, is done by the other, and the vector is held meanwhile.
namespace devres::pci {

template <class P>
concept platform_threads_handlers =
    rule<holds_handlers<P> && defers_work<P>,
         text{"devres[D007] this platform has no threads for handlers: hold_handler, add_work and what goes with it"}>;

namespace detail {

template <auto Hard, class T>
concept hard_handler_of = std::is_null_pointer_v<decltype(Hard)> || irq_handler_of<Hard, T>;

template <class P, class Driver>
struct thread_of_handler : handler_thread {
    device<P, Driver>* dev;
    void* context;
    vector_index vector;

    template <class Vector>
    thread_of_handler(device<P, Driver>& of, void* object, const Vector& on) noexcept
        : dev(&of), context(object), vector(on.index()) {}

    template <auto Hard, class T>
    irq_action handler_of(const char* name) noexcept {
        return {&on_irq<Hard, T>, this, name, kept_off_bars<Driver>, true};
    }
    template <auto Thread, class T>
    work_action work_of(const char* name) noexcept {
        return {&run<Thread, T>, this, name, kept_off_bars<Driver>};
    }

    template <auto Hard, class T>
    static irq_return on_irq(void* argument, vector_index on) noexcept {
        auto& self = *static_cast<thread_of_handler*>(argument);
        if constexpr (!std::is_null_pointer_v<decltype(Hard)>) {
            if (const irq_return said = handle_irq<Hard, T>(self.context, on); said != irq_return::wake_thread)
                return said;
        }
        P& platform = self.dev->platform();
        (void)platform.hold_handler(self.dev->function(), self.handler);
        (void)platform.schedule_work(self.dev->function(), self.work, 0, false);
        return irq_return::handled;
    }
    template <auto Thread, class T>
    static void run(void* argument) noexcept {
        auto& self = *static_cast<thread_of_handler*>(argument);
        (void)handle_irq<Thread, T>(self.context, self.vector);
        (void)self.dev->platform().enable_handler(self.dev->function(), self.handler);
    }

    static void release(void* argument) noexcept {
        auto* const self = static_cast<thread_of_handler*>(argument);
        device<P, Driver>& of = *self->dev;
        or_stop(of.platform().remove_work(of.function(), self->work));
        self->~thread_of_handler();
        record_access::memory(of.resources()).put(self, sizeof(thread_of_handler), alignof(thread_of_handler));
    }
};

/// Makes the thread, then the handler, which may be called when its thread knows it.
template <class Registration, auto Hard, auto Thread, class T, class Vector, class Context>
result<Registration> register_threaded(const Vector& vector, const char* name, T& object, bool enabled,
                                       const Context& context) noexcept {
    using thread_type = thread_of_handler<typename Registration::platform_type, typename Registration::driver_type>;
    auto& dev = vector.dev();
    pending_record<thread_type> pending(dev.resources());
    if (!pending) [[unlikely]]
        return fail(errc::enomem);
    auto* const thread = ::new (pending.block()) thread_type(dev, const_cast<std::remove_const_t<T>*>(&object), vector);
    auto work = dev.platform().add_work(dev.function(), thread->template work_of<Thread, T>(name));
    if (!work) [[unlikely]]
        return fail(work.error());
    thread->work = *work;
    const auto record = pending.record(&thread_type::release, release_step::handlers, list_node::is_thread);
    const auto get = [&](bool recorded) noexcept {
        auto id = dev.platform().register_handler(dev.function(), thread->vector,
                                                  thread->template handler_of<Hard, T>(name));
        if (id) [[likely]] {
            thread->handler = *id;
            if (enabled)
                (void)dev.platform().enable_handler(dev.function(), *id);
        }
        return registered(id, recorded, true);
    };
    auto made = acquire_handler<Registration, true>(dev, {vector.index().value(), name}, get, vector, context);
    if (!made) [[unlikely]]
        (void)dev.resources().release_leaf(record);
    return made;
}

}  // namespace detail

template <auto Hard, auto Thread, class T>
concept threaded_form =
    rule<detail::hard_handler_of<Hard, T> && irq_handler_of<Thread, T>,
         text{"devres[D010] not a handler and its thread: both are functions of the object, or take it, and return "
              "irq_return; a nullptr for the first wakes the thread"}>;

/// As `devm_request_irq`, in two halves: `Hard` is called as a handler is, and may answer `irq_return::wake_thread`. Then `Thread` is
/// called as deferred work is, where it may wait, and the vector is held until it has returned: what comes meanwhile is delivered
/// then. A null pointer for `Hard` always wakes the thread.
/// @returns as `devm_request_irq`; `enomem` too if there is no memory for the thread. It is not registered then.
/// @par Linux
/// `devm_request_threaded_irq()` with IRQF_ONESHOT. Without that flag Linux may call the first half while the second runs.
template <auto Hard, auto Thread, class Vector, class Name, class Context, class... More>
    requires vector_argument<Vector> && handler_arguments<Name, More...> &&
             on_managed_vectors<detail::owner_of<Vector>> && unwrapped<Context> && on_managed_object<Context> &&
             handler_managed<detail::driver_of<Vector>> && platform_threads_handlers<detail::platform_of<Vector>> &&
             threaded_form<Hard, Thread, typename detail::referred<Context>::type>
[[nodiscard]] auto devm_request_threaded_irq(const Vector& vector, Name name, const Context& object,
                                             const More&...) noexcept
    -> result<irq_registration<managed_t, detail::platform_of<Vector>, detail::driver_of<Vector>>> {
    using registration = irq_registration<managed_t, detail::platform_of<Vector>, detail::driver_of<Vector>>;
    return detail::register_threaded<registration, Hard, Thread>(vector, name, object.get(), sizeof...(More) == 0,
                                                                 object);
}

/// As `request_irq`, in two halves, as `devm_request_threaded_irq` has them. devres ends it with the managed handlers if the driver
/// has not.
/// @returns as `request_irq`; `enomem` too if there is no memory for the thread. It is not registered then.
/// @par Linux
/// `request_threaded_irq()` with IRQF_ONESHOT; see `devm_request_threaded_irq`
template <auto Hard, auto Thread, class Vector, class Name, class Context, class... More>
    requires vector_argument<Vector> && handler_arguments<Name, More...> && unwrapped<std::remove_const_t<Context>> &&
             handler_unmanaged<detail::driver_of<Vector>> && platform_threads_handlers<detail::platform_of<Vector>> &&
             threaded_form<Hard, Thread, typename detail::referred<Context>::type>
[[nodiscard]] auto request_threaded_irq(const Vector& vector, Name name, Context& context DEVRES_LIFETIMEBOUND,
                                        const More&...) noexcept
    -> result<irq_registration<unmanaged_t, detail::platform_of<Vector>, detail::driver_of<Vector>>> {
    using registration = irq_registration<unmanaged_t, detail::platform_of<Vector>, detail::driver_of<Vector>>;
    typename detail::referred<Context>::type& object = context;
    return detail::register_threaded<registration, Hard, Thread>(vector, name, object, sizeof...(More) == 0, context);
}

}  // namespace devres::pci
