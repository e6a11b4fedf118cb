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

    thread_of_handler(device<P, Driver>& of, void* object, vector_index on) noexcept
        : dev(&of), context(object), vector(on) {}

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

/// Makes the thread, then the handler, which may be called when its thread knows it, and gives it to `keep(get, thread)`.
template <auto Hard, auto Thread, class T, class Vector, class Context, class Keep>
auto register_threaded(const Vector& vector, const char* name, T& object, bool recorded, bool enabled,
                       const Context& context, Keep keep) noexcept {
    using P = platform_of<Vector>;
    using Driver = driver_of<Vector>;
    using thread_type = thread_of_handler<P, Driver>;
    using answer = decltype(keep([]() noexcept -> result<registered_handler> { return {}; }));
    device<P, Driver>& dev = vector.dev();
    auto& f = dev.function();
    const used_records names(vector, context);
    if (!names.are_in(dev.resources())) [[unlikely]]
        return answer(fail(names.why_not(dev.resources(), names)));
    pending_record<thread_type> pending(dev.resources());
    if (!pending) [[unlikely]]
        return answer(fail(errc::enomem));
    void* const context_of = const_cast<std::remove_const_t<T>*>(&object);
    auto* const thread = ::new (pending.block()) thread_type(dev, context_of, vector.index());
    const auto links = names.links();
    constexpr unsigned uses = unsigned{is_part<Vector>} + unsigned{is_part<Context>};
    if constexpr (uses != 0) {
        for (unsigned i = 0; i != uses; ++i)
            thread->nodes[i] = links.nodes[i];
    }
    const auto work = dev.platform().add_work(f, {.entry = &thread_type::template run<Thread, T>,
                                                  .context = thread,
                                                  .name = name,
                                                  .keeps_off_bars = kept_off_bars<Driver>});
    if (!work) [[unlikely]]
        return answer(fail(work.error()));
    thread->work = *work;
    const auto record = pending.record(&thread_type::release, release_step::handlers,
                                       list_node::is_thread | (uses != 0 ? list_node::is_user : 0));
    auto made = keep([&]() noexcept -> result<registered_handler> {
        auto id = dev.platform().register_handler(f, vector.index(),
                                                  {.entry = &thread_type::template on_irq<Hard, T>,
                                                   .context = thread,
                                                   .name = name,
                                                   .keeps_off_bars = kept_off_bars<Driver>,
                                                   .disabled = true});
        if (!id) [[unlikely]]
            return fail(id.error());
        thread->handler = *id;
        if (enabled)
            (void)dev.platform().enable_handler(f, *id);
        return registered_handler{*id, recorded, true};
    });
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
    return detail::register_threaded<Hard, Thread>(vector, name, object.get(), false, sizeof...(More) == 0, object,
                                                   [&](auto get) noexcept -> result<registration> {
                                                       return detail::acquire<registration, detail::handler_kind>(
                                                           vector.dev(), {vector.index().value(), name}, get, vector,
                                                           object);
                                                   });
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
    using P = detail::platform_of<Vector>;
    using Driver = detail::driver_of<Vector>;
    using T = typename detail::referred<Context>::type;
    using registration = irq_registration<unmanaged_t, P, Driver>;
    using record_type = detail::driver_handler<P, Driver, 2>;
    device<P, Driver>& dev = vector.dev();
    T& object = context;
    const detail::label about{vector.index().value(), name};
    detail::pending_record<record_type> pending(dev.resources());
    if (!pending) [[unlikely]]
        return fail(errc::enomem);
    auto made = detail::register_threaded<Hard, Thread>(
        vector, name, object, true, sizeof...(More) == 0, context, [&](auto get) noexcept -> result<registration> {
            return detail::acquire<registration, detail::handler_kind>(dev, about, get, vector, context);
        });
    if (made) [[likely]] {
        constexpr unsigned uses = unsigned{detail::is_part<Vector>} + unsigned{detail::is_part<Context>};
        detail::users_of<2> links;
        if constexpr (uses != 0) {
            const auto used = detail::used_records(vector, context).links();
            for (unsigned i = 0; i != uses; ++i)
                links.nodes[i] = used.nodes[i];
        }
        ::new (pending.block()) record_type(links, dev, detail::registrations::handler(*made), about);
        (void)pending.record(&record_type::release, release_step::handlers, uses != 0 ? detail::list_node::is_user : 0);
    }
    return made;
}

}  // namespace devres::pci
