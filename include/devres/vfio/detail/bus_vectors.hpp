// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <new>

#include <devres/core/detail/exceptions.hpp>
#include <devres/pci/spread_vectors.hpp>
#include <devres/vfio/bus.hpp>

/// The bus's primitives for vectors and handlers: one VFIO_DEVICE_SET_IRQS for all vectors of an allocation, an eventfd
/// for each.
namespace devres::vfio {

template <class System>
unsigned basic_bus<System>::possible_cpus() const noexcept {
    if (options_.possible_cpus != 0)
        return options_.possible_cpus;
    const long cpus = ::sysconf(_SC_NPROCESSORS_CONF);
    return cpus > 0 ? static_cast<unsigned>(cpus) : 1;
}

template <class System>
unsigned basic_bus<System>::irq_index(pci::irq_type type) noexcept {
    return type == pci::irq_type::msix  ? unsigned{VFIO_PCI_MSIX_IRQ_INDEX}
           : type == pci::irq_type::msi ? unsigned{VFIO_PCI_MSI_IRQ_INDEX}
                                        : unsigned{VFIO_PCI_INTX_IRQ_INDEX};
}

/// Has the kernel signal the eventfds of the first `count` vectors, which are made where there are none yet.
template <class System>
result<int> basic_bus<System>::connect(function_type& f, pci::irq_type type, unsigned count) noexcept {
    for (unsigned i = 0; i != count; ++i) {
        auto& vector = f.vectors_[i];
        if (!vector.eventfd) {
            DEVRES_TRY(const int fd, detail::checked(system_.make_eventfd()));
            detail::file<System> made(system_, fd);
            DEVRES_TRY(loop_.add(f.source(i), made.get()));
            vector.eventfd = std::move(made);
        } else {
            loop_.forget(f.source(i));
        }
        f.eventfds_[i] = vector.eventfd.get();
    }
    return f.device_.set_irqs(irq_index(type), VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, count,
                              f.eventfds_.data(), f.irq_buffer_.data());
}

/// MSI-X or MSI vectors.
template <class System>
result<unsigned> basic_bus<System>::allocate_messages(function_type& f, pci::irq_type type,
                                                      const pci::vector_request& request) noexcept {
    const unsigned most = f.vector_count(type);
    if (f.enables_.count() == 0 || f.suspended_ || most == 0)
        return fail(errc::einval);
    return pci::take_vectors(request.min, request.max, request.affinity, possible_cpus(),
                             [&](unsigned count) -> result<unsigned> {
                                 if (count > most)
                                     return most;
                                 DEVRES_TRY(const int possible, connect(f, type, count));
                                 return possible == 0 ? count : std::min(static_cast<unsigned>(possible), count - 1);
                             });
}

/// Tries MSI-X, MSI and INTx in turn; the error is that of the last one tried.
template <class System>
result<pci::vector_grant> basic_bus<System>::allocate_vectors(function_type& f,
                                                              const pci::vector_request& request) noexcept {
    using pci::irq_type;
    if (in_handler(f))
        return fail(errc::edeadlk);
    if (f.unplug_requested_.load())
        return fail(errc::enodev);
    if (f.granted_.count != 0)
        return fail(errc::ebusy);
    errc last = errc::enospc;
    for (const irq_type type : {irq_type::msix, irq_type::msi}) {
        if (!request.types.has(type))
            continue;
        const auto count = allocate_messages(f, type, request);
        if (!count) {
            last = count.error();
            continue;
        }
        if (request.affinity != nullptr)
            (void)pci::with_sets(*request.affinity, *count);
        return f.granted_ = {*count, type};
    }
    if (request.types.has(irq_type::intx) && request.min == 1 && f.intx_ != 0) {
        if (const auto connected = connect(f, irq_type::intx, 1); !connected)
            return fail(connected.error());
        if (request.affinity != nullptr)
            (void)pci::with_sets(*request.affinity, 1);
        return f.granted_ = {1, irq_type::intx};
    }
    return fail(last);
}

template <class System>
result<> basic_bus<System>::free_vectors(function_type& f) noexcept {
    if (f.granted_.count == 0)
        return {};
    if (in_handler(f))
        return fail(errc::edeadlk);
    f.device_.disable_irqs(irq_index(f.granted_.type));  // the device stops sending before nobody listens
    while (f.newest_ != 0)
        end_handler(f, f.newest_ - 1);
    f.granted_ = {.count = 0};
    if (f.enables_.settle(f.needs_enable()))
        disable_now(f);
    return {};
}

/// The number in /proc/interrupts, as sysfs knows it; where it does not, that of the eventfd.
template <class System>
pci::irq_number basic_bus<System>::vector_number(function_type& f, pci::vector_index vector) noexcept {
    if (vector.value() >= f.granted_.count)
        return pci::irq_number();
    const auto number = devres::detail::unless_out_of_memory([&]() -> result<unsigned> {
        const detail::sysfs known(options_.sysfs);
        if (f.address_ == pci::address())
            return fail(errc::enoent);
        const auto irq = known.irq(f.address_, f.granted_.type != pci::irq_type::intx, vector.value());
        return irq ? result<unsigned>(*irq) : fail(errc::enoent);
    });
    return pci::irq_number(number.value_or(static_cast<unsigned>(f.vectors_[vector.value()].eventfd.get())));
}

/// The kernel masks INTx when it signals it: the line is let in again when the handler has seen to the device.
template <class System>
pci::irq_return basic_bus<System>::on_intx(void* self, pci::vector_index vector) noexcept {
    auto& f = *static_cast<function_type*>(self);
    const pci::irq_action& action = f.vectors_[0].action;
    const auto returned = action.entry(action.context, vector);
    if (!f.source(0).armed.load())
        return returned;  // it is held: with its enable
    const devres::detail::errno_guard keep;
    (void)f.device_.set_irqs(VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, 0, 1);
    return returned;
}

template <class System>
result<pci::handler_id> basic_bus<System>::register_handler(function_type& f, pci::vector_index vector,
                                                            const pci::irq_action& action) noexcept {
    const unsigned index = vector.value();
    if (in_handler(f))
        return fail(errc::edeadlk);
    if (action.entry == nullptr || index >= f.granted_.count)
        return fail(errc::einval);
    auto& registered = f.vectors_[index];
    if (registered.id != 0)
        return fail(errc::ebusy);
    registered.action = action;
    {
        const std::scoped_lock hold(f.holding_);
        registered.id = ++f.registrations_ << function_type::index_bits | index;
        registered.disables = action.disabled ? 1 : 0;
    }
    f.link(index);
    const bool line = f.granted_.type == pci::irq_type::intx;
    loop_.prepare(f.source(index), line ? &on_intx : action.entry, line ? &f : action.context);
    if (!action.disabled)
        begin_handler(f, index);
    return static_cast<pci::handler_id>(registered.id);
}

/// Lets interrupts reach the handler, and what was held.
template <class System>
void basic_bus<System>::begin_handler(function_type& f, unsigned index) noexcept {
    if (loop_.rearm(f.source(index)) || f.granted_.type != pci::irq_type::intx)
        return;
    // A line that was asserted while nobody listened, or polled, is masked since.
    const devres::detail::errno_guard keep;
    (void)f.device_.set_irqs(VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, 0, 1);
}

template <class System>
void basic_bus<System>::end_handler(function_type& f, unsigned index) noexcept {
    {
        const std::scoped_lock hold(f.holding_);
        f.vectors_[index].id = 0;
        f.vectors_[index].disables = 0;
        f.source(index).armed.store(false);
    }
    loop_.disarm(f.source(index));
    f.unlink(f.vectors_[index]);
}

template <class System>
result<> basic_bus<System>::unregister_handler(function_type& f, pci::handler_id id) noexcept {
    auto* const registered = f.registered(id);
    if (registered == nullptr)
        return {};
    const auto index = static_cast<unsigned>(registered - f.vectors_.get());
    if (loop_.inside(f.source(index)))
        return fail(errc::edeadlk);
    end_handler(f, index);
    return {};
}

template <class System>
result<> basic_bus<System>::synchronize_handler(function_type& f, pci::handler_id id) noexcept {
    if (id == pci::handler_id::none) {
        if (in_handler(f))
            return fail(errc::edeadlk);
        for (unsigned at = f.newest_; at != 0; at = f.vectors_[at - 1].older)
            loop_.wait_for(f.source(at - 1));
        loop_.wait_for_work_of(&f);
        return {};
    }
    auto* const registered = f.registered(id);
    if (registered == nullptr)
        return {};
    auto& source = f.source(static_cast<unsigned>(registered - f.vectors_.get()));
    if (loop_.inside(source))
        return fail(errc::edeadlk);
    loop_.wait_for(source);
    return {};
}

/// The loop holds what the kernel signals meanwhile. INTx is masked by the kernel with the first such signal.
template <class System>
result<> basic_bus<System>::disable_handler(function_type& f, pci::handler_id id) noexcept {
    auto* const registered = f.registered(id);
    if (registered == nullptr)
        return fail(errc::enoent);
    auto& source = f.source(static_cast<unsigned>(registered - f.vectors_.get()));
    if (loop_.inside(source))
        return fail(errc::edeadlk);
    if (auto held = hold_handler(f, id); !held)
        return held;
    loop_.disarm(source);
    return {};
}

template <class System>
result<> basic_bus<System>::hold_handler(function_type& f, pci::handler_id id) noexcept {
    const std::scoped_lock hold(f.holding_);
    auto* const registered = f.registered(id);
    if (registered == nullptr)
        return fail(errc::enoent);
    if (registered->disables++ == 0)
        f.source(static_cast<unsigned>(registered - f.vectors_.get())).armed.store(false);
    return {};
}

template <class System>
result<> basic_bus<System>::enable_handler(function_type& f, pci::handler_id id) noexcept {
    const std::scoped_lock hold(f.holding_);  // nothing is called meanwhile: arming has the loop call it
    auto* const registered = f.registered(id);
    if (registered == nullptr)
        return fail(errc::enoent);
    if (registered->disables == 0)
        return fail(errc::einval);
    if (--registered->disables == 0)
        begin_handler(f, static_cast<unsigned>(registered - f.vectors_.get()));
    return {};
}

template <class System>
result<> basic_bus<System>::trigger(function_type& f, pci::vector_index vector) noexcept {
    if (vector.value() >= f.granted_.count)
        return fail(errc::einval);
    DEVRES_TRY(f.device_.set_irqs(irq_index(f.granted_.type), VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
                                  vector.value(), 1));
    return {};
}

template <class System>
result<> basic_bus<System>::mask(function_type& f, pci::vector_index vector, bool on) noexcept {
    if (vector.value() >= f.granted_.count)
        return fail(errc::einval);
    const unsigned action = on ? VFIO_IRQ_SET_ACTION_MASK : VFIO_IRQ_SET_ACTION_UNMASK;
    DEVRES_TRY(f.device_.set_irqs(irq_index(f.granted_.type), VFIO_IRQ_SET_DATA_NONE | action, vector.value(), 1));
    return {};
}

}  // namespace devres::vfio
