// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/detail/exceptions.hpp>
#include <devres/sim/bus.hpp>

/// The bus's primitives that are not about interrupts: drivers, power, and what waits for BARs to go.
namespace devres::sim {

/// Keeps what the bus knows of a function beside it.
inline function& bus::know(function& found) {
    const std::scoped_lock hold(lock_);
    found.occupy(drivers_.emplace_back(found, machine_.work()));
    return found;
}

inline result<> bus::attach(function& f) noexcept {
    if (!f.present())
        return fail(errc::enodev);
    if (driver_of(f).attached.exchange(true))
        return fail(errc::ebusy);
    f.dma().reset_masks();
    return {};
}

inline void bus::detach(function& f) noexcept {
    if (!driver_of(f).attached.exchange(false)) {
        machine_.ledger().record(violation_kind::detached_without_driver, f.address(),
                                 "detached, but no driver has it");
        return;
    }
    for (const std::string& line : hardware::machine::held(f))
        machine_.ledger().record(violation_kind::detached_with_resources, f.address(), "detached while held: " + line);
    if (std::exchange(driver_of(f).mastering, false) && f.present() &&
        (f.command() & pci::registers::command_bits::master) != 0)
        machine_.ledger().record(
            violation_kind::detached_with_master, f.address(),
            "detached while it is bus master, and may still write to memory that is the next one's: "
            "set_master(false), or the last disable, comes first");
    if (driver_of(f).saved) {
        driver_of(f).saved.reset();
        f.wake();
    }
}

inline result<> bus::enable(function& f) noexcept {
    namespace bits = pci::registers::command_bits;
    if (machine_.acquires_inside_handler(f, "enable"))
        return fail(errc::edeadlk);
    if (!f.present())
        return fail(errc::enodev);
    if (!driver_of(f).enables.enable())
        return {};
    f.wake();
    driver_of(f).decode_before = f.command() & (bits::io | bits::memory);
    f.config().set_bits(pci::registers::command, 2, f.decode_bits(), f.decode_bits());
    return {};
}

/// COMMAND as it was before the first enable.
inline void bus::undecode(function& f) noexcept {
    namespace bits = pci::registers::command_bits;
    f.config().set_bits(pci::registers::command, 2, bits::io | bits::memory | bits::master, driver_of(f).decode_before);
}

inline void bus::disable(function& f) noexcept {
    if (driver_of(f).enables.count() == 0) {
        machine_.ledger().record(violation_kind::disabled_too_often, f.address(), "disabled, but it is not enabled");
        return;
    }
    if (driver_of(f).enables.disable(driver_of(f).needs_enable()))
        disable_now(f);
}

inline void bus::disable_now(function& f) noexcept {
    driver_of(f).mastering = false;
    if (!f.present())
        return;
    undecode(f);
    if (f.model() == nullptr)
        f.lower_intx();  // a device without a model has no reason to interrupt that could last
}

inline result<> bus::set_master(function& f, bool on) noexcept {
    if (!f.present())
        return fail(errc::enodev);
    f.config().set_bits(pci::registers::command, 2, pci::registers::command_bits::master,
                        on ? pci::registers::command_bits::master : 0);
    driver_of(f).mastering = on;
    return {};
}

inline result<> bus::suspend(function& f) noexcept {
    return devres::detail::unless_out_of_memory([&]() -> result<> {
        if (!f.present())
            return fail(errc::enodev);
        if (driver_of(f).saved)
            return fail(errc::einval);
        const std::scoped_lock hold(driver_of(f).holding);
        driver_of(f).saved.emplace(f.config().first_registers(), f.vector_table().words_of_table());
        f.sleep();
        return {};
    });
}

inline result<> bus::resume(function& f) noexcept {
    if (!driver_of(f).saved)
        return fail(f.present() ? errc::einval : errc::enodev);
    std::unique_lock hold(driver_of(f).holding);
    const auto saved = std::move(*driver_of(f).saved);
    driver_of(f).saved.reset();
    if (!f.present())
        return fail(errc::enodev);
    f.wake();
    f.vector_table().restore(saved.msix_table);
    f.config().restore(saved.registers);
    hold.unlock();
    if (driver_of(f).vectors.load() == 0)  // freed meanwhile, as the function may have been disabled
        silence(f, f.msix_vectors());
    if (driver_of(f).enables.count() == 0 && !driver_of(f).enables.disable_is_due())
        undecode(f);
    f.send_pending();
    f.service_intx();
    return {};
}

inline void bus::unmap_bar(function& f, region& mapped) noexcept {
    if (machine_.unmap_bar(f, mapped))
        settle(f);
}

/// A disable that was put off, once nothing needs it any more.
inline void bus::settle(function& f) noexcept {
    if (driver_of(f).enables.settle(driver_of(f).needs_enable()))
        disable_now(f);
}

}  // namespace devres::sim
