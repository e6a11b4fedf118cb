// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>

#include <devres/vfio/bus.hpp>

/// What the kernel tells of a function besides its interrupts: that the device is to go, and that it has failed.
namespace devres::vfio {

/// Makes the function's sources, and has the kernel signal those that are not vectors.
template <class System>
result<> basic_bus<System>::watch_events(function_type& f) {
    DEVRES_TRY(loop_.open());
    f.capacity_ = std::max({f.intx_, f.msi_, f.msix_});
    f.vectors_.reset(new typename function_type::vector[f.capacity_]);
    f.eventfds_.resize(f.capacity_);
    f.irq_buffer_.resize(sizeof(vfio_irq_set) + f.capacity_ * sizeof(int));
    f.sources_ = std::make_unique<event_sources>(f.capacity_ + 2);
    for (unsigned i = 0; i != f.capacity_; ++i) {
        f.source(i).owner = &f;
        f.source(i).index = i;
    }
    DEVRES_TRY(watch_event(f, VFIO_PCI_REQ_IRQ_INDEX, f.unplug_source(), f.unplug_eventfd_, &on_unplug));
    DEVRES_TRY(watch_event(f, VFIO_PCI_ERR_IRQ_INDEX, f.error_source(), f.error_eventfd_, &on_error));
    if (options_.handlers == delivery::threaded) {
        DEVRES_TRY(loop_.start());
    }
    return {};
}

template <class System>
result<> basic_bus<System>::watch_event(function_type& f, unsigned index, event_source& source,
                                        detail::file<System>& eventfd, pci::irq_entry entry) noexcept {
    DEVRES_TRY(const unsigned count, f.device_.irq_count(index));
    if (count == 0)
        return {};
    DEVRES_TRY(const int fd, detail::checked(system_.make_eventfd()));
    detail::file<System> made(system_, fd);
    DEVRES_TRY(loop_.add(source, made.get()));
    eventfd = std::move(made);
    loop_.arm(source, entry, &f);
    DEVRES_TRY(f.device_.signal(index, eventfd.get()));
    return {};
}

/// Nothing is called for the function any more, and the kernel is asked for nothing.
template <class System>
void basic_bus<System>::give_up(function_type& f) noexcept {
    if (f.sources_ == nullptr)
        return;
    const devres::detail::errno_guard keep;
    if (f.unplug_eventfd_)
        f.device_.disable_irqs(VFIO_PCI_REQ_IRQ_INDEX);
    if (f.error_eventfd_)
        f.device_.disable_irqs(VFIO_PCI_ERR_IRQ_INDEX);
    for (unsigned i = 0; i != f.capacity_ + 2; ++i) {
        if (f.source(i).fd < 0)
            continue;
        loop_.disarm(f.source(i));
        loop_.remove(f.source(i));
    }
    loop_.retire(std::move(f.sources_));
    for (auto& mapping : f.bars_) {
        if (mapping.device != nullptr)
            mapping.unmap();
    }
}

template <class System>
result<unsigned> basic_bus<System>::poll(int timeout) noexcept {
    DEVRES_TRY(loop_.open());
    return loop_.poll(timeout);
}

template <class System>
pci::irq_return basic_bus<System>::on_unplug(void* self, pci::vector_index) noexcept {
    auto& f = *static_cast<function_type*>(self);
    f.unplug_requested_.store(true);
    f.bus_->tell(f, function_event::unplug_requested);
    return pci::irq_return::handled;
}

template <class System>
pci::irq_return basic_bus<System>::on_error(void* self, pci::vector_index) noexcept {
    auto& f = *static_cast<function_type*>(self);
    f.error_reported_.store(true);
    f.bus_->tell(f, function_event::error);
    return pci::irq_return::handled;
}

/// The listener may close the function: it is the last thing that is done with it.
template <class System>
void basic_bus<System>::tell(function_type& f, function_event what) noexcept {
    std::unique_lock hold(f.listener_lock_);
    const auto listener = f.listener_;
    void* const context = f.listener_context_;
    hold.unlock();
    if (listener != nullptr)
        listener(context, f, what);
}

template <class System>
void basic_bus<System>::listen(function_type& f, event_listener<System> listener, void* context) noexcept {
    {
        const std::scoped_lock hold(f.listener_lock_);
        f.listener_ = listener;
        f.listener_context_ = context;
    }
    loop_.wait_for(f.unplug_source());
    loop_.wait_for(f.error_source());
    if (listener == nullptr)
        return;
    if (f.error_reported_.load())
        listener(context, f, function_event::error);
    if (f.unplug_requested_.load())
        listener(context, f, function_event::unplug_requested);
}

}  // namespace devres::vfio
