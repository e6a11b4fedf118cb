// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>

#include <devres/pci/spread_vectors.hpp>
#include <devres/sim/bus.hpp>

/// The bus's primitives for vectors and handlers, with the counting rules of Linux.
namespace devres::sim {

/// Tries MSI-X, MSI and INTx in turn; the error is that of the last one tried.
inline result<pci::vector_grant> bus::allocate_vectors(function& f, const pci::vector_request& request) noexcept {
    using pci::irq_type;
    if (acquires_inside_handler(f, "allocate_vectors"))
        return fail(errc::edeadlk);
    if (!f.present())
        return fail(errc::enodev);
    if (f.driver_.vectors.load() != 0)
        return fail(errc::ebusy);
    errc last = errc::enospc;
    if (request.types.has(irq_type::msix)) {
        if (const auto count = allocate_msix(f, request))
            return pci::vector_grant{*count, irq_type::msix};
        else
            last = count.error();
    }
    if (request.types.has(irq_type::msi)) {
        if (const auto count = allocate_msi(f, request))
            return pci::vector_grant{*count, irq_type::msi};
        else
            last = count.error();
    }
    if (request.types.has(irq_type::intx) && request.min == 1 && f.intx()) {
        try {
            f.driver_.reserve(1, f);
        } catch (const std::bad_alloc&) {
            return fail(errc::enomem);
        }
        if (request.affinity != nullptr && request.affinity->calculate_sets != nullptr) {
            pci::irq_affinity affinity = *request.affinity;
            affinity.calculate_sets(affinity, 1);
        }
        f.driver_.masks = {};
        f.driver_.masks.set_cpus(cpus_);
        f.driver_.intx_disable_before = f.command() & registers::command_bits::intx_disable;
        f.driver_.base.store(f.config_.read(registers::interrupt_line, 1));
        f.driver_.type.store(irq_type::intx);
        set_intx_disable(f, registers::command_bits::intx_disable);  // until there is a handler
        f.driver_.vectors.store(1, std::memory_order_release);
        f.connect_intx(&f.driver_.slot(0));
        return pci::vector_grant{1, irq_type::intx};
    }
    return fail(last);
}

/// How many vectors there will be, and their numbers: `most` is what the hardware has. With fewer to be had than
/// asked for, it asks again for what there is.
inline result<bus::vector_count> bus::take_numbers(const pci::vector_request& request, unsigned most,
                                                   bool in_one_block) noexcept try {
    unsigned count = request.max;
    for (;;) {
        if (request.affinity != nullptr) {
            const auto spread_count = pci::spread_vector_count(*request.affinity, request.min, count, cpus_);
            if (!spread_count || *spread_count < request.min)
                return fail(errc::enospc);
            count = *spread_count;
        }
        unsigned possible = most;
        if (count <= most) {
            const unsigned available = irqs_.available();
            possible = available;
            if (count <= available) {
                const auto base = irqs_.allocate(count, in_one_block ? std::bit_ceil(count) : 1);
                if (base)
                    return vector_count{count, *base};
                possible = 0;  // another function was faster, or no range is long enough
            } else if (in_one_block && possible != 0) {
                possible = 1;  // a block is to be had or not
            }
        }
        if (possible == 0 || possible < request.min)
            return fail(errc::enospc);
        count = possible;
    }
} catch (const std::bad_alloc&) {
    return fail(errc::enomem);
}

inline result<bus::vector_count> bus::take_vectors(function& f, pci::irq_type type, const pci::vector_request& request,
                                                   unsigned most) noexcept {
    const auto taken = take_numbers(request, most, type == pci::irq_type::msi);
    if (!taken)
        return fail(taken.error());
    try {
        f.driver_.reserve(taken->count, f);
    } catch (const std::bad_alloc&) {
        irqs_.free(taken->base, taken->count);
        return fail(errc::enomem);
    }
    set_up(f, type, taken->base, taken->count);
    spread(f, request, taken->count);
    return taken;
}

inline result<unsigned> bus::allocate_msix(function& f, const pci::vector_request& request) noexcept {
    if (request.max < request.min)
        return fail(errc::erange);
    if (request.max == 0 || f.driver_.enables.count() == 0 || !f.awake() || f.msix_vectors() == 0)
        return fail(errc::einval);
    const bool beyond = request.types.has(pci::irq_type::virtual_entries);
    const auto taken = take_vectors(f, pci::irq_type::msix, request,
                                    beyond ? msix_table::max_entries : f.msix_vectors());
    if (!taken)
        return fail(taken.error());
    f.table_.clear_pending();
    for (unsigned i = 0; i != taken->count && i != f.msix_vectors(); ++i)
        f.table_.program(i, irq_domain::message(taken->base + i));
    f.config_.set_bits(f.layout_.msix + registers::msix::control, 2,
                       registers::msix::enable | registers::msix::function_mask, registers::msix::enable);
    return taken->count;
}

inline result<unsigned> bus::allocate_msi(function& f, const pci::vector_request& request) noexcept {
    namespace msi = registers::msi;
    if (f.driver_.enables.count() == 0 || !f.awake() || f.layout_.msi == 0)
        return fail(errc::einval);
    if (request.max < request.min)
        return fail(errc::erange);
    if (request.min == 0)
        return fail(errc::einval);
    const unsigned offered = f.msi_vectors();
    if (offered < request.min)
        return fail(errc::enospc);
    const auto taken = take_vectors(f, pci::irq_type::msi, request, multiple_msi_ ? offered : 1);
    if (!taken)
        return fail(taken.error());
    const interrupt_message message = irq_domain::message(taken->base);
    f.config_.set(f.layout_.msi + msi::address, 4, static_cast<std::uint32_t>(message.address));
    if ((f.msi_control() & msi::wide) != 0)
        f.config_.set(f.layout_.msi + msi::address + 4, 4, static_cast<std::uint32_t>(message.address >> 32U));
    f.config_.set(f.layout_.msi_data, 2, message.data);
    if (f.layout_.msi_mask != 0) {
        const std::uint32_t all = offered == 32 ? ~0U : (1U << offered) - 1;
        f.config_.set(f.layout_.msi_mask + 4, 4, 0);
        f.config_.set(f.layout_.msi_mask, 4, all);
    }
    const auto log = static_cast<unsigned>(std::countr_zero(std::bit_ceil(taken->count)));
    f.config_.set_bits(f.layout_.msi + msi::control, 2, msi::enable | msi::multiple_enable,
                       msi::enable | log << msi::enabled_shift);
    return taken->count;
}

inline void bus::spread(function& f, const pci::vector_request& request, unsigned count) noexcept {
    if (request.affinity == nullptr) {
        f.driver_.masks = {};
        f.driver_.masks.set_cpus(cpus_);
        return;
    }
    pci::irq_affinity affinity = *request.affinity;
    if (affinity.calculate_sets != nullptr)
        affinity.calculate_sets(affinity, count - affinity.pre_vectors - affinity.post_vectors);
    f.driver_.masks = spread_masks(affinity, count, cpus_);
}

/// Routes the numbers, then lets the driver see the vectors; INTx is off while there are messages.
inline void bus::set_up(function& f, pci::irq_type type, unsigned base, unsigned count) noexcept {
    for (unsigned i = 0; i != count; ++i) {
        f.driver_.slot(i).hold();
        irqs_.route(base + i, &f.driver_.slot(i));
    }
    f.driver_.base.store(base, std::memory_order_relaxed);
    f.driver_.type.store(type, std::memory_order_relaxed);
    f.driver_.vectors.store(count, std::memory_order_release);
    f.driver_.intx_disable_before = f.command() & registers::command_bits::intx_disable;
    set_intx_disable(f, registers::command_bits::intx_disable);
}

/// In COMMAND, and in what is restored of it when the function sleeps.
inline void bus::set_intx_disable(function& f, unsigned bits) noexcept {
    const unsigned disable = registers::command_bits::intx_disable;
    if (f.present())
        f.config_.set_bits(registers::command, 2, disable, bits);
    if (f.driver_.saved) {
        std::uint32_t& command = f.driver_.saved->registers[registers::command / 4];
        command = (command & ~disable) | bits;
    }
}

/// Masks a message or lets it out again, where there is a bit for that; also in what is restored.
inline void bus::mask(function& f, unsigned vector, bool on) noexcept {
    auto& saved = f.driver_.saved;
    if (f.driver_.type.load(std::memory_order_relaxed) == pci::irq_type::msix) {
        if (vector >= f.msix_vectors())
            return;  // a virtual entry
        f.table_.mask(vector, on);
        if (saved)
            saved->msix_table[vector * 4U + 3] = on ? 1 : 0;
    } else if (const unsigned at = f.layout_.msi_mask; at != 0) {
        const std::uint32_t bit = 1U << vector;
        f.config_.set_bits(at, 4, bit, on ? bit : 0);
        if (saved)
            saved->registers[at / 4] = (saved->registers[at / 4] & ~bit) | (on ? bit : 0);
    }
}

/// Switches MSI-X and MSI off, and clears what was written for the first `count` vectors.
inline void bus::silence(function& f, unsigned count) noexcept {
    if (f.msix_enabled()) {
        f.config_.set_bits(f.layout_.msix + registers::msix::control, 2,
                           registers::msix::enable | registers::msix::function_mask, 0);
        for (unsigned i = 0; i != count && i != f.msix_vectors(); ++i)
            f.table_.clear(i);
        f.table_.clear_pending();
    }
    namespace msi = registers::msi;
    if ((f.msi_control() & msi::enable) != 0) {
        f.config_.set_bits(f.layout_.msi + msi::control, 2, msi::enable | msi::multiple_enable, 0);
        f.config_.set(f.layout_.msi + msi::address, 4, 0);
        if ((f.msi_control() & msi::wide) != 0)
            f.config_.set(f.layout_.msi + msi::address + 4, 4, 0);
        f.config_.set(f.layout_.msi_data, 2, 0);
        if (f.layout_.msi_mask != 0) {
            f.config_.set(f.layout_.msi_mask, 4, 0);
            f.config_.set(f.layout_.msi_mask + 4, 4, 0);
        }
    }
}

inline result<> bus::free_vectors(function& f) noexcept {
    detail::driver_side& driver = f.driver_;
    const unsigned count = driver.vectors.load(std::memory_order_relaxed);
    if (count == 0)
        return {};
    if (in_handler(f)) {
        ledger_.record(violation_kind::freed_inside_handler, f.address(),
                       "vectors are freed from inside a handler, which would wait for itself");
        return fail(errc::edeadlk);
    }
    const pci::irq_type type = driver.type.load(std::memory_order_relaxed);
    if (f.present())
        silence(f, count);  // the device stops sending before nobody listens
    while (driver.newest != 0)
        driver.end(driver.slot(driver.newest - 1));
    driver.vectors.store(0, std::memory_order_release);
    if (type == pci::irq_type::intx) {
        f.connect_intx(nullptr);
    } else {
        irqs_.free(driver.base.load(std::memory_order_relaxed), count);
        for (unsigned i = 0; i != count; ++i)
            driver.slot(i).let_go();
    }
    set_intx_disable(f, driver.intx_disable_before);
    if (driver.enables.settle(driver.needs_enable()))
        disable_now(f);
    return {};
}

inline pci::irq_number bus::vector_number(function& f, pci::vector_index vector) noexcept {
    if (vector.value() >= f.driver_.vectors.load(std::memory_order_relaxed))
        return pci::irq_number();
    return pci::irq_number(f.driver_.base.load(std::memory_order_relaxed) + vector.value());
}

inline result<pci::handler_id> bus::register_handler(function& f, pci::vector_index vector,
                                                     const pci::irq_action& action) noexcept {
    if (acquires_inside_handler(f, "register_handler"))
        return fail(errc::edeadlk);
    detail::driver_side& driver = f.driver_;
    if (action.entry == nullptr || vector.value() >= driver.vectors.load(std::memory_order_relaxed))
        return fail(errc::einval);
    irq_slot& slot = driver.slot(vector.value());
    if (slot.id.load(std::memory_order_relaxed) != 0)
        return fail(errc::ebusy);
    const std::uint64_t id = driver.new_id(vector.value());
    slot.entry = action.entry;
    slot.context = action.context;
    slot.name.set(action.name);
    slot.youngest_mapping = driver.generations;
    slot.keeps_off_bars = action.keeps_off_bars;
    slot.told_younger.store(0, std::memory_order_relaxed);
    slot.told_kept_off.store(0, std::memory_order_relaxed);
    slot.id.store(id, std::memory_order_release);
    driver.link(slot);
    if (driver.type.load(std::memory_order_relaxed) == pci::irq_type::intx) {
        set_intx_disable(f, 0);
        f.intx_dead_.store(false);
    }
    start(f, slot);
    return static_cast<pci::handler_id>(id);
}

/// Lets interrupts reach the handler; what was held does now.
inline void bus::start(function& f, irq_slot& slot) noexcept {
    slot.arm();
    if (f.driver_.type.load(std::memory_order_relaxed) == pci::irq_type::intx) {
        f.service_intx();
    } else {
        mask(f, slot.index, false);
        f.send_pending(slot.index);
    }
}

inline void bus::end_handler(function& f, irq_slot& slot) noexcept {
    if (f.driver_.type.load(std::memory_order_relaxed) == pci::irq_type::intx)
        set_intx_disable(f, registers::command_bits::intx_disable);
    else
        mask(f, slot.index, true);
    f.driver_.end(slot);
}

inline result<> bus::unregister_handler(function& f, pci::handler_id id) noexcept {
    irq_slot* const slot = f.driver_.registered(id);
    if (slot == nullptr)
        return {};
    if (slot->running_here()) {
        ledger_.record(violation_kind::freed_inside_handler, f.address(),
                       "handler \"" + slot->name.get() + "\" is freed from inside itself, which would wait for itself");
        return fail(errc::edeadlk);
    }
    end_handler(f, *slot);
    return {};
}

inline result<> bus::synchronize_handler(function& f, pci::handler_id id) noexcept {
    detail::driver_side& driver = f.driver_;
    if (id == pci::handler_id::none) {
        if (in_handler(f))
            return fail(errc::edeadlk);
        for (unsigned at = driver.newest; at != 0; at = driver.slot(at - 1).older)
            driver.slot(at - 1).synchronize();
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
    irq_slot* const slot = f.driver_.registered(id);
    if (slot == nullptr)
        return fail(errc::enoent);
    if (slot->running_here())
        return fail(errc::edeadlk);
    if (slot->disables++ == 0) {
        if (f.driver_.type.load(std::memory_order_relaxed) != pci::irq_type::intx)
            mask(f, slot->index, true);
        slot->disarm();
    }
    return {};
}

inline result<> bus::enable_handler(function& f, pci::handler_id id) noexcept {
    irq_slot* const slot = f.driver_.registered(id);
    if (slot == nullptr)
        return fail(errc::enoent);
    if (slot->disables == 0)
        return fail(errc::einval);
    if (--slot->disables == 0)
        start(f, *slot);
    return {};
}

inline bool bus::in_handler(const function& f) noexcept {
    for (const detail::handler_frame* frame = detail::running_handlers; frame != nullptr; frame = frame->outer) {
        if (frame->slot->owner == &f)
            return true;
    }
    return false;
}

}  // namespace devres::sim
