// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/sim/bus.hpp>

/// The bus's primitives for handlers: a vector holds back what comes while it has none.
namespace devres::sim {

inline result<pci::handler_id> bus::register_handler(function& f, pci::vector_index vector,
                                                     const pci::irq_action& action) noexcept {
    if (machine_.acquires_inside_handler(f, "register_handler"))
        return fail(errc::edeadlk);
    detail::driver_side& driver = driver_of(f);
    if (action.entry == nullptr || vector.value() >= driver.vectors.load(std::memory_order_relaxed))
        return fail(errc::einval);
    irq_slot& slot = driver.slot(vector.value());
    if (slot.id.load(std::memory_order_relaxed) != 0)
        return fail(errc::ebusy);
    const std::uint64_t id = driver.new_id(vector.value());
    slot.entry = action.entry;
    slot.context = action.context;
    slot.name.set(action.name);
    slot.youngest_mapping = f.mappings().youngest();
    slot.keeps_off_bars = action.keeps_off_bars;
    slot.told_younger.store(0, std::memory_order_relaxed);
    slot.told_kept_off.store(0, std::memory_order_relaxed);
    slot.disables = action.disabled ? 1 : 0;
    slot.id.store(id, std::memory_order_release);
    driver.link(slot);
    if (driver.type.load(std::memory_order_relaxed) == pci::irq_type::intx) {
        set_intx_disable(f, 0);
        f.revive_intx();
    }
    if (!action.disabled)
        start(f, slot);
    return static_cast<pci::handler_id>(id);
}

/// Lets interrupts reach the handler; what was held does now.
inline void bus::start(function& f, irq_slot& slot) noexcept {
    slot.arm();
    if (driver_of(f).type.load(std::memory_order_relaxed) == pci::irq_type::intx) {
        f.service_intx();
    } else {
        mask(f, slot.index, false);
        f.send_pending(slot.index);
    }
}

inline void bus::end_handler(function& f, irq_slot& slot) noexcept {
    if (driver_of(f).type.load(std::memory_order_relaxed) == pci::irq_type::intx)
        set_intx_disable(f, pci::registers::command_bits::intx_disable);
    else
        mask(f, slot.index, true);
    driver_of(f).end(slot);
}

inline result<> bus::unregister_handler(function& f, pci::handler_id id) noexcept {
    irq_slot* const slot = driver_of(f).registered(id);
    if (slot == nullptr)
        return {};
    if (slot->running_here()) {
        machine_.ledger().record(violation_kind::freed_inside_handler, f.address(),
                                 "handler \"" + slot->name.get() +
                                     "\" is freed from inside itself, which would wait for itself");
        return fail(errc::edeadlk);
    }
    end_handler(f, *slot);
    return {};
}

inline result<> bus::synchronize_handler(function& f, pci::handler_id id) noexcept {
    detail::driver_side& driver = driver_of(f);
    if (id == pci::handler_id::none) {
        if (in_handler(f))
            return fail(errc::edeadlk);
        for (unsigned at = driver.newest; at != 0; at = driver.slot(at - 1).older)
            driver.slot(at - 1).synchronize();
        machine_.work().synchronize(f);
        return {};
    }
    irq_slot* const slot = driver.registered(id);
    if (slot == nullptr)
        return {};
    if (slot->running_here())
        return fail(errc::edeadlk);
    slot->synchronize();
    return {};
}

inline result<> bus::disable_handler(function& f, pci::handler_id id) noexcept {
    irq_slot* const slot = driver_of(f).registered(id);
    if (slot == nullptr)
        return fail(errc::enoent);
    if (slot->running_here())
        return fail(errc::edeadlk);
    if (auto held = hold_handler(f, id); !held)
        return held;
    slot->disarm();
    return {};
}

/// From now on interrupts wait; an invocation may be running, here or elsewhere.
inline result<> bus::hold_handler(function& f, pci::handler_id id) noexcept {
    detail::driver_side& driver = driver_of(f);
    const std::scoped_lock hold(driver.holding);
    irq_slot* const slot = driver.registered(id);
    if (slot == nullptr)
        return fail(errc::enoent);
    if (slot->disables++ == 0) {
        if (driver.type.load(std::memory_order_relaxed) != pci::irq_type::intx)
            mask(f, slot->index, true);
        slot->disarm_quietly();
    }
    return {};
}

inline result<> bus::enable_handler(function& f, pci::handler_id id) noexcept {
    detail::driver_side& driver = driver_of(f);
    std::unique_lock hold(driver.holding);
    irq_slot* const slot = driver.registered(id);
    if (slot == nullptr)
        return fail(errc::enoent);
    if (slot->disables == 0)
        return fail(errc::einval);
    if (--slot->disables != 0)
        return {};
    const bool messages = driver.type.load(std::memory_order_relaxed) != pci::irq_type::intx;
    if (messages)
        mask(f, slot->index, false);
    slot->arm_quietly();
    hold.unlock();
    slot->deliver_held();
    if (messages)
        f.send_pending(slot->index);
    else
        f.service_intx();
    return {};
}

inline result<pci::work_id> bus::add_work(function& f, const pci::work_action& action) noexcept {
    if (machine_.acquires_inside_handler(f, "add_work"))
        return fail(errc::edeadlk);
    return machine_.work().add(f, action);
}

inline result<bool> bus::flush_work(function& f, pci::work_id id) noexcept {
    if (in_handler(f))
        return fail(errc::edeadlk);
    return machine_.work().flush(id);
}

inline result<> bus::remove_work(function& f, pci::work_id id) noexcept {
    const auto removed = machine_.work().remove(id);
    if (!removed)
        machine_.ledger().record(violation_kind::freed_inside_handler, f.address(),
                                 "work is ended from inside itself, which would wait for itself");
    return removed;
}

}  // namespace devres::sim
