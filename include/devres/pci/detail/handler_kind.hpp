// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/irq_vectors.hpp>

/// A handler as a resource, and the record of one that is the driver's but uses what devres owns.
namespace devres::pci::detail {

template <class P, class Driver>
void forget_driver_handler(device<P, Driver>& dev, handler_id id) noexcept;

/// What there is of the thread of a handler, which is older than the handler's own record and ends with it.
struct handler_thread {
    handler_id handler = handler_id::none;
    work_id work = work_id::none;
};
[[gnu::noinline, gnu::cold]] inline list::handle thread_of(list& resources, handler_id id) noexcept {
    list::handle found;
    detail::record_access::each(resources, release_step::handlers, [&](detail::list_node& node) {
        if (node.is(detail::list_node::is_thread) && static_cast<handler_thread*>(node.argument)->handler == id)
            found = detail::record_access::name(node);
        return !found;
    });
    return found;
}
inline void end_thread(list& resources, handler_id id) noexcept {
    (void)resources.release_leaf(thread_of(resources, id));
}

/// A registration of the platform's, and what there is besides: a record though it is the driver's, see driver_handler; a thread.
struct registered_handler {
    handler_id id = handler_id::none;
    bool recorded = false;
    bool threaded = false;
};

struct handler_kind : any_kind {
    static constexpr resource_kind about{"irq_handler", numbering::which};
    template <class P>
    using value = registered_handler;

    template <class P, class Driver>
    DEVRES_INLINE static result<> release(device<P, Driver>& dev, registered_handler& handler) noexcept {
        if (handler.recorded || handler.threaded) [[unlikely]]
            return release_all(dev, handler);
        return dev.platform().unregister_handler(dev.function(), handler.id);
    }
    template <class P, class Driver>
    [[gnu::noinline, gnu::cold]] static result<> release_all(device<P, Driver>& dev,
                                                             registered_handler handler) noexcept {
        if (handler.recorded && detail::in_handler(dev))  // the records are the device's thread's
            return fail(errc::edeadlk);
        DEVRES_TRY(dev.platform().unregister_handler(dev.function(), handler.id));
        if (handler.recorded)
            forget_driver_handler(dev, handler.id);
        if (handler.threaded)
            end_thread(dev.resources(), handler.id);
        return {};
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

/// The record of a handler of the driver's own that uses what devres owns, or has a thread: it ends with the managed ones, unless
/// its guard ends it first.
template <class P, class Driver, unsigned Uses>
struct driver_handler : detail::users_of<Uses> {
    device<P, Driver>* dev;
    registered_handler handler;
    [[no_unique_address]] kept_label<P, Driver> about;

    driver_handler(const detail::users_of<Uses>& links, device<P, Driver>& of, const registered_handler& registered,
                   const label& what) noexcept
        : detail::users_of<Uses>(links), dev(&of), handler(registered), about(what) {}

    static void release(void* argument) noexcept {
        auto* const record = static_cast<driver_handler*>(argument);
        device<P, Driver>& dev = *record->dev;
        const label what = record->about;
        or_stop(dev.platform().unregister_handler(dev.function(), record->handler.id));
        if (record->handler.threaded) [[unlikely]]
            end_thread(dev.resources(), record->handler.id);
        record->forget();
        note_resource<handler_kind>(dev, resource_event::step::released, false, what);
    }
    void forget() noexcept {
        device<P, Driver>& of = *dev;
        this->~driver_handler();
        detail::record_access::memory(of.resources()).put(this, sizeof(driver_handler), alignof(driver_handler));
    }
};

/// A handler of the driver's own has ended: so has its record, if it has one.
template <unsigned Uses, class P, class Driver>
bool forget_handler_of(device<P, Driver>& dev, handler_id id) noexcept {
    using record_type = driver_handler<P, Driver, Uses>;
    record_type* found = nullptr;
    list::handle record;
    detail::record_access::each(dev.resources(), release_step::handlers, [&](detail::list_node& node) {
        if (node.release == &record_type::release && static_cast<record_type*>(node.argument)->handler.id == id) {
            found = static_cast<record_type*>(node.argument);
            record = detail::record_access::name(node);
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
    (void)(forget_handler_of<0>(dev, id) || forget_handler_of<1>(dev, id) || forget_handler_of<2>(dev, id));
}

}  // namespace devres::pci::detail
