// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>

#include <devres/core/detail/exceptions.hpp>
#include <devres/pci/spread_vectors.hpp>
#include <devres/sim/bus.hpp>

/// The bus's primitives for vectors, with the counting rules of Linux.
namespace devres::sim {

/// Tries MSI-X, MSI and INTx in turn; the error is that of the last one tried.
inline result<pci::vector_grant> bus::allocate_vectors(function& f, const pci::vector_request& request) noexcept {
    using pci::irq_type;
    if (machine_.acquires_inside_handler(f, "allocate_vectors"))
        return fail(errc::edeadlk);
    if (!f.present())
        return fail(errc::enodev);
    if (driver_of(f).vectors.load() != 0)
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
        DEVRES_TRY(driver_of(f).reserve(1, f));
        spread(f, request, 1, false);
        driver_of(f).intx_disable_before = f.command() & pci::registers::command_bits::intx_disable;
        driver_of(f).base.store(f.config().read(pci::registers::interrupt_line, 1));
        driver_of(f).type.store(irq_type::intx);
        set_intx_disable(f, pci::registers::command_bits::intx_disable);  // until there is a handler
        driver_of(f).vectors.store(1, std::memory_order_release);
        f.connect_intx(&driver_of(f).slot(0));
        return pci::vector_grant{1, irq_type::intx};
    }
    return fail(last);
}

/// Takes numbers for vectors, of which the hardware has `most`, and sets the vectors up with them.
inline result<bus::vector_range> bus::take_vectors(function& f, pci::irq_type type, const pci::vector_request& request,
                                                   unsigned most) noexcept {
    return devres::detail::unless_out_of_memory([&]() -> result<vector_range> {
        const bool in_one_block = type == pci::irq_type::msi;
        irq_domain& irqs = machine_.interrupts();
        unsigned base = 0;
        const auto taken = pci::take_vectors(
            request.min, request.max, request.affinity, machine_.possible_cpus(),
            [&](unsigned count) -> result<unsigned> {
                if (count > most)
                    return most;
                const unsigned available = irqs.available();
                if (count > available)
                    return in_one_block && available != 0 ? 1 : available;  // a block is to be had or not
                const auto first = irqs.allocate(count, in_one_block ? std::bit_ceil(count) : 1);
                base = first.value_or(0);
                return first ? count : 0;  // another function was faster, or no range is long enough
            });
        if (!taken)
            return fail(taken.error());
        if (const auto reserved = driver_of(f).reserve(*taken, f); !reserved) {
            irqs.free(base, *taken);
            return fail(reserved.error());
        }
        set_up(f, type, base, *taken);
        spread(f, request, *taken, true);
        return vector_range{base, *taken};
    });
}

inline result<unsigned> bus::allocate_msix(function& f, const pci::vector_request& request) noexcept {
    if (request.max < request.min)
        return fail(errc::erange);
    if (request.max == 0 || driver_of(f).enables.count() == 0 || !f.awake() || f.msix_vectors() == 0)
        return fail(errc::einval);
    const bool beyond = request.types.has(pci::irq_type::virtual_entries);
    const auto taken = take_vectors(f, pci::irq_type::msix, request,
                                    beyond ? hardware::msix_table::max_entries : f.msix_vectors());
    if (!taken)
        return fail(taken.error());
    f.vector_table().clear_pending();
    for (unsigned i = 0; i != taken->count && i != f.msix_vectors(); ++i)
        f.vector_table().program(i, irq_domain::message(taken->first + i));
    f.config().set_bits(f.capabilities().msix + pci::registers::msix::control, 2,
                        pci::registers::msix::enable | pci::registers::msix::function_mask,
                        pci::registers::msix::enable);
    return taken->count;
}

inline result<unsigned> bus::allocate_msi(function& f, const pci::vector_request& request) noexcept {
    namespace msi = pci::registers::msi;
    if (driver_of(f).enables.count() == 0 || !f.awake() || f.capabilities().msi == 0)
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
    const hardware::interrupt_message message = irq_domain::message(taken->first);
    f.config().set(f.capabilities().msi + msi::address, 4, static_cast<std::uint32_t>(message.address));
    if ((f.msi_control() & msi::wide) != 0)
        f.config().set(f.capabilities().msi + msi::address + 4, 4, static_cast<std::uint32_t>(message.address >> 32U));
    f.config().set(f.capabilities().msi_data, 2, message.data);
    if (f.capabilities().msi_mask != 0) {
        const std::uint32_t all = offered == 32 ? ~0U : (1U << offered) - 1;
        f.config().set(f.capabilities().msi_mask + 4, 4, 0);
        f.config().set(f.capabilities().msi_mask, 4, all);
    }
    const auto log = static_cast<unsigned>(std::countr_zero(std::bit_ceil(taken->count)));
    f.config().set_bits(f.capabilities().msi + msi::control, 2, msi::enable | msi::multiple_enable,
                        msi::enable | log << msi::enabled_shift);
    return taken->count;
}

inline void bus::spread(function& f, const pci::vector_request& request, unsigned count, bool messages) noexcept {
    pci::spread_masks& masks = driver_of(f).masks;
    masks = {};
    masks.set_cpus(machine_.possible_cpus());
    if (request.affinity == nullptr)
        return;
    const auto affinity = pci::with_sets(*request.affinity, count);
    if (messages)
        masks = pci::spread_masks(affinity, count, machine_.possible_cpus());
}

inline std::uint64_t bus::affinity(const function& f, pci::vector_index vector) const noexcept {
    auto& driver = driver_of(f);
    if (vector.value() >= driver.vectors.load(std::memory_order_acquire))
        return 0;
    const std::uint64_t sent = driver.slot(vector.value()).affinity.load(std::memory_order_relaxed);
    return sent != 0 ? sent : driver.masks.of(vector.value());
}

inline std::uint64_t bus::affinity_hint(const function& f, pci::vector_index vector) const noexcept {
    auto& driver = driver_of(f);
    return vector.value() < driver.vectors.load(std::memory_order_acquire)
               ? driver.slot(vector.value()).affinity_hint.load(std::memory_order_relaxed)
               : 0;
}

inline result<> bus::hint_affinity(function& f, pci::vector_index vector, std::uint64_t cpus, bool apply) noexcept {
    if (vector.value() >= driver_of(f).vectors.load(std::memory_order_acquire))
        return fail(errc::einval);
    driver_of(f).slot(vector.value()).hint(cpus, apply);
    return {};
}

/// Routes the numbers, then lets the driver see the vectors; INTx is off while there are messages.
inline void bus::set_up(function& f, pci::irq_type type, unsigned base, unsigned count) noexcept {
    for (unsigned i = 0; i != count; ++i) {
        driver_of(f).slot(i).hold();
        driver_of(f).slot(i).forget_affinity();
        machine_.interrupts().route(base + i, &driver_of(f).slot(i));
    }
    driver_of(f).base.store(base, std::memory_order_relaxed);
    driver_of(f).type.store(type, std::memory_order_relaxed);
    driver_of(f).vectors.store(count, std::memory_order_release);
    driver_of(f).intx_disable_before = f.command() & pci::registers::command_bits::intx_disable;
    set_intx_disable(f, pci::registers::command_bits::intx_disable);
}

/// In COMMAND, and in what is restored of it when the function sleeps.
inline void bus::set_intx_disable(function& f, unsigned bits) noexcept {
    const unsigned disable = pci::registers::command_bits::intx_disable;
    if (f.present())
        f.config().set_bits(pci::registers::command, 2, disable, bits);
    if (driver_of(f).saved) {
        std::uint32_t& command = driver_of(f).saved->registers[pci::registers::command / 4];
        command = (command & ~disable) | bits;
    }
}

/// Masks a message or lets it out again, where there is a bit for that; also in what is restored.
inline void bus::mask(function& f, unsigned vector, bool on) noexcept {
    auto& saved = driver_of(f).saved;
    if (driver_of(f).type.load(std::memory_order_relaxed) == pci::irq_type::msix) {
        if (vector >= f.msix_vectors())
            return;  // a virtual entry
        f.vector_table().mask(vector, on);
        if (saved)
            saved->msix_table[vector * 4U + 3] = on ? 1 : 0;
    } else if (const unsigned at = f.capabilities().msi_mask; at != 0) {
        const std::uint32_t bit = 1U << vector;
        f.config().set_bits(at, 4, bit, on ? bit : 0);
        if (saved)
            saved->registers[at / 4] = (saved->registers[at / 4] & ~bit) | (on ? bit : 0);
    }
}

/// Switches MSI-X and MSI off, and clears what was written for the first `count` vectors.
inline void bus::silence(function& f, unsigned count) noexcept {
    if (f.msix_enabled()) {
        f.config().set_bits(f.capabilities().msix + pci::registers::msix::control, 2,
                            pci::registers::msix::enable | pci::registers::msix::function_mask, 0);
        for (unsigned i = 0; i != count && i != f.msix_vectors(); ++i)
            f.vector_table().clear(i);
        f.vector_table().clear_pending();
    }
    namespace msi = pci::registers::msi;
    if ((f.msi_control() & msi::enable) != 0) {
        f.config().set_bits(f.capabilities().msi + msi::control, 2, msi::enable | msi::multiple_enable, 0);
        f.config().set(f.capabilities().msi + msi::address, 4, 0);
        if ((f.msi_control() & msi::wide) != 0)
            f.config().set(f.capabilities().msi + msi::address + 4, 4, 0);
        f.config().set(f.capabilities().msi_data, 2, 0);
        if (f.capabilities().msi_mask != 0) {
            f.config().set(f.capabilities().msi_mask, 4, 0);
            f.config().set(f.capabilities().msi_mask + 4, 4, 0);
        }
    }
}

inline result<> bus::free_vectors(function& f) noexcept {
    detail::driver_side& driver = driver_of(f);
    const unsigned count = driver.vectors.load(std::memory_order_relaxed);
    if (count == 0)
        return {};
    if (in_handler(f)) {
        machine_.ledger().record(violation_kind::freed_inside_handler, f.address(),
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
        machine_.interrupts().free(driver.base.load(std::memory_order_relaxed), count);
        for (unsigned i = 0; i != count; ++i)
            driver.slot(i).let_go();
    }
    set_intx_disable(f, driver.intx_disable_before);
    settle(f);
    return {};
}

inline pci::irq_number bus::vector_number(function& f, pci::vector_index vector) noexcept {
    if (vector.value() >= driver_of(f).vectors.load(std::memory_order_relaxed))
        return pci::irq_number();
    return pci::irq_number(driver_of(f).base.load(std::memory_order_relaxed) + vector.value());
}

}  // namespace devres::sim
