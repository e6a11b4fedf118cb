// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/linux_model/kernel.hpp>

/// The model as a platform: what the library asks for, done with what the kernel offers. The rules that Linux does not
/// have are kept here: one allocation at a time, and no vectors go with handlers on them.
namespace devres::linux_model {

template <class Act>
auto kernel::unless_stopped(Act act) noexcept -> std::invoke_result_t<Act> {
    using answer_type = std::invoke_result_t<Act>;
#ifdef __cpp_exceptions
    try {
        if (!log_.stopped())
            return act();
    } catch (const oops&) {  // it is in the log
    } catch (const std::bad_alloc&) {
        if constexpr (!std::is_void_v<answer_type>)
            return fail(errc::enomem);
    }
#else
    if (!log_.stopped())
        return act();
#endif
    if constexpr (!std::is_void_v<answer_type>)
        return fail(errc::eio);
}

inline result<> kernel::answer(int error) noexcept {
    if (error < 0)
        return fail(static_cast<errc>(-error));
    return {};
}

inline result<> kernel::attach(pci_dev& dev) noexcept {
    return unless_stopped([&]() -> result<> {
        if (!dev.hardware.present())
            return fail(errc::enodev);
        auto bound = answer(bind(dev, {.name = "devres", .probe = [](pci_dev&) { return 0; }}));
        if (bound)
            dev.hardware.dma().reset_masks();
        return bound;
    });
}

inline void kernel::detach(pci_dev& dev) noexcept {
    unless_stopped([&] { unbind(dev); });
}

inline result<> kernel::enable(pci_dev& dev) noexcept {
    if (in_handler(dev))
        return fail(errc::edeadlk);
    return unless_stopped([&]() -> result<> {
        if (!dev.platform_enables_.enable())
            return {};
        auto enabled = answer(pci_enable_device(dev));
        if (!enabled)
            (void)dev.platform_enables_.disable(false);
        return enabled;
    });
}

/// Linux would disable the function under what is built on the enable.
inline void kernel::disable(pci_dev& dev) noexcept {
    if (dev.platform_enables_.disable(dev.platform_bars_ != 0 || dev.platform_vectors_ != 0))
        unless_stopped([&] { pci_disable_device(dev); });
}
inline void kernel::settle_enable(pci_dev& dev) noexcept {
    if (dev.platform_enables_.settle(dev.platform_bars_ != 0 || dev.platform_vectors_ != 0))
        unless_stopped([&] { pci_disable_device(dev); });
}

inline result<> kernel::set_master(pci_dev& dev, bool on) noexcept {
    if (!dev.hardware.present())
        return fail(errc::enodev);
    if (on)
        pci_set_master(dev);
    else
        pci_clear_master(dev);
    return {};
}

inline result<> kernel::suspend(pci_dev& dev) noexcept {
    return unless_stopped([&]() -> result<> {
        if (!dev.hardware.present())
            return fail(errc::enodev);
        if (!dev.saved_.empty())
            return fail(errc::einval);
        for (unsigned at = 0; at != 256; at += 4)
            dev.saved_.push_back(dev.read(at, 4));
        if (const unsigned at = dev.hardware.capabilities().power_management; at != 0) {
            namespace pm = pci::registers::power_management;
            dev.set_bits(at + pm::control, pm::state, pm::state);
            dev.current_state = power_state::d3hot;
        }
        return {};
    });
}

inline result<> kernel::resume(pci_dev& dev) noexcept {
    return unless_stopped([&]() -> result<> {
        if (dev.saved_.empty())
            return fail(dev.hardware.present() ? errc::einval : errc::enodev);
        const auto saved = std::exchange(dev.saved_, {});
        if (!dev.hardware.present())
            return fail(errc::enodev);
        if (const unsigned at = dev.hardware.capabilities().power_management; at != 0) {
            namespace pm = pci::registers::power_management;
            dev.set_bits(at + pm::control, pm::state, 0);
        }
        dev.current_state = power_state::d0;
        for (unsigned i = 0; i != saved.size(); ++i)
            (void)dev.hardware.write_config(4 * i, 4, saved[i]);
        restore_vectors(dev);
        return {};
    });
}

inline result<pci::vector_grant> kernel::allocate_vectors(pci_dev& dev, const pci::vector_request& request) noexcept {
    if (in_handler(dev))
        return fail(errc::edeadlk);
    return unless_stopped([&]() -> result<pci::vector_grant> {
        if (!dev.hardware.present())
            return fail(errc::enodev);
        if (dev.platform_vectors_ != 0)
            return fail(errc::ebusy);
        unsigned flags = request.types.bits() | (request.affinity != nullptr ? pci_irq::affinity : 0U);
        if (dev.msix_enabled || dev.msi_enabled)  // of a driver that leaked them: Linux would give INTx beside them
            flags &= ~pci_irq::intx;
        struct allocating {
            bool& flag;
            explicit allocating(bool& of) noexcept : flag(of) { flag = true; }
            ~allocating() { flag = false; }
        };
        const int count = [&] {
            const allocating now(dev.platform_allocates_);
            return pci_alloc_irq_vectors_affinity(dev, request.min, request.max, flags, request.affinity);
        }();
        if (count < 0)
            return fail(static_cast<errc>(-count));
        dev.platform_vectors_ = static_cast<unsigned>(count);
        dev.platform_type_ = dev.msix_enabled  ? pci::irq_type::msix
                             : dev.msi_enabled ? pci::irq_type::msi
                                               : pci::irq_type::intx;
        if (dev.platform_type_ == pci::irq_type::intx)
            hold_line(dev, true);
        return pci::vector_grant{dev.platform_vectors_, dev.platform_type_};
    });
}

/// Handlers end also when the kernel has stopped, because what they use may go.
inline result<> kernel::free_vectors(pci_dev& dev) noexcept {
    if (dev.platform_vectors_ == 0)
        return {};
    if (in_handler(dev))
        return fail(errc::edeadlk);
    while (!dev.registrations_.empty())
        end_registration(dev, dev.registrations_.rbegin()->first);
    dev.platform_vectors_ = 0;
    if (dev.platform_type_ == pci::irq_type::intx)
        hold_line(dev, false);
    else
        unless_stopped([&] { pci_free_irq_vectors(dev); });
    settle_enable(dev);
    return {};
}

/// Linux masks a line without a handler; here it stays connected, to a slot that is not armed.
inline void kernel::hold_line(pci_dev& dev, bool on) noexcept {
    if (irq_desc* const line = irqs_.find(dev.irq)) {
        line->holds = on;
        dev.hardware.connect_intx(on ? &line->slot : nullptr);
    }
}

inline pci::irq_number kernel::vector_number(pci_dev& dev, pci::vector_index vector) noexcept {
    const int irq = vector.value() < dev.platform_vectors_ ? pci_irq_vector(dev, vector.value()) : 0;
    return pci::irq_number(irq > 0 ? static_cast<unsigned>(irq) : 0);
}

inline pci::irq_return kernel::call_registration(unsigned, void* dev_id) {
    const auto& registered = *static_cast<const pci_dev::registration*>(dev_id);
    return registered.action.entry(registered.action.context, registered.vector);
}

inline result<pci::bar_resource> kernel::describe_bar(const pci_dev& dev, pci::bar_number bar) noexcept {
    return hardware::machine::describe_bar(dev.hardware, bar);
}

inline result<hardware::region> kernel::map_bar(pci_dev& dev, pci::bar_number bar, const char* name) noexcept {
    auto mapped = hardware_.map_bar(dev.hardware, bar, name);
    dev.platform_bars_ += mapped ? 1U : 0U;
    return mapped;
}

inline void kernel::unmap_bar(pci_dev& dev, hardware::region& mapped) noexcept {
    if (!hardware_.unmap_bar(dev.hardware, mapped))
        return;
    --dev.platform_bars_;
    settle_enable(dev);
}

inline result<pci::handler_id> kernel::register_handler(pci_dev& dev, pci::vector_index vector,
                                                        const pci::irq_action& action) noexcept {
    if (in_handler(dev))
        return fail(errc::edeadlk);
    return unless_stopped([&]() -> result<pci::handler_id> {
        if (action.entry == nullptr || vector.value() >= dev.platform_vectors_)
            return fail(errc::einval);
        const int irq = pci_irq_vector(dev, vector.value());
        const std::uint64_t id = ++dev.last_registration_;
        const auto made = dev.registrations_.emplace(id, std::make_unique<pci_dev::registration>(action, vector, irq));
        const unsigned flags = action.disabled ? irqf::no_autoen : 0;
        const int error = request_irq(irq, call_registration, flags, action.name == nullptr ? "" : action.name,
                                      made.first->second.get());
        if (error != 0) {
            dev.registrations_.erase(id);
            return fail(static_cast<errc>(-error));
        }
        return static_cast<pci::handler_id>(id);
    });
}

inline result<> kernel::unregister_handler(pci_dev& dev, pci::handler_id id) noexcept {
    const auto found = dev.registrations_.find(static_cast<std::uint64_t>(id));
    if (found == dev.registrations_.end())
        return {};
    const irq_desc* const desc = irqs_.find(found->second->irq);
    if (desc != nullptr && desc->slot.running_here()) {
        log_.add(event_kind::message, "a handler is freed from inside itself, which would wait for itself: refused");
        return fail(errc::edeadlk);
    }
    end_registration(dev, found->first);
    return {};
}

/// The interrupt of a registration; null if it has ended.
inline irq_desc* kernel::registered(const pci_dev& dev, pci::handler_id id) noexcept {
    const auto found = dev.registrations_.find(static_cast<std::uint64_t>(id));
    return found == dev.registrations_.end() ? nullptr : irqs_.find(found->second->irq);
}

inline result<> kernel::synchronize_handler(pci_dev& dev, pci::handler_id id) noexcept {
    if (id == pci::handler_id::none) {
        if (in_handler(dev))
            return fail(errc::edeadlk);
        for (const auto& [each, registration] : dev.registrations_)
            synchronize_irq(registration->irq);
        hardware_.work().synchronize(dev.hardware);
        return {};
    }
    const irq_desc* const desc = registered(dev, id);
    if (desc == nullptr)
        return {};
    if (desc->slot.running_here())
        return fail(errc::edeadlk);
    synchronize_irq(static_cast<int>(desc->number));
    return {};
}

inline result<> kernel::disable_handler(pci_dev& dev, pci::handler_id id) noexcept {
    const irq_desc* const desc = registered(dev, id);
    if (desc == nullptr)
        return fail(errc::enoent);
    if (desc->slot.running_here())
        return fail(errc::edeadlk);
    disable_irq(static_cast<int>(desc->number));
    return {};
}

inline result<> kernel::enable_handler(pci_dev& dev, pci::handler_id id) noexcept {
    const irq_desc* const desc = registered(dev, id);
    if (desc == nullptr)
        return fail(errc::enoent);
    if (desc->depth == 0)
        return fail(errc::einval);
    enable_irq(static_cast<int>(desc->number));
    return {};
}

inline void kernel::end_registration(pci_dev& dev, std::uint64_t id) {
    const auto found = dev.registrations_.find(id);
    free_irq(found->second->irq, found->second.get());
    dev.registrations_.erase(found);
}

}  // namespace devres::linux_model
