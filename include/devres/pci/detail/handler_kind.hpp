// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/irq_vectors.hpp>

/// A handler as a resource, and the record of one that is the driver's but uses what devres owns.
namespace devres::pci::detail {

template <class P, class Driver>
void forget_driver_handler(device<P, Driver>& dev, handler_id id) noexcept;

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
            if (detail::in_handler(dev))  // the records are the device's thread's
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
struct driver_handler : detail::users_of<Uses> {
    device<P, Driver>* dev;
    handler_id id;
    [[no_unique_address]] kept_label<P, Driver> about;

    driver_handler(const detail::users_of<Uses>& links, device<P, Driver>& of, handler_id registered,
                   const label& what) noexcept
        : detail::users_of<Uses>(links), dev(&of), id(registered), about(what) {}

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
        if (node.release == &record_type::release && static_cast<record_type*>(node.argument)->id == id) {
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
    (void)(forget_handler_of<1>(dev, id) || forget_handler_of<2>(dev, id));
}

}  // namespace devres::pci::detail
