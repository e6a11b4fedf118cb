// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/hardware/function.hpp>

/// How a function interrupts: MSI-X, MSI, INTx, and what masks hold back.
namespace devres::hardware {

inline void function::raise(pci::vector_index vector) noexcept {
    if (!awake()) {
        lost_.gone.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    if (msix_enabled())
        raise_msix(vector.value());
    else if ((msi_control() & pci::registers::msi::enable) != 0)
        raise_msi(vector.value());
    else
        raise_intx();
}

inline bool function::msix_masked(unsigned vector) const noexcept {
    return (msix_control() & pci::registers::msix::function_mask) != 0 || table_.masked(vector);
}

inline void function::raise_msix(unsigned vector) noexcept {
    if (vector >= table_.size()) {
        lost_.no_vector.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    if (!msix_masked(vector)) {
        send_msix(vector);
        return;
    }
    table_.set_pending(vector);
    // It may have been unmasked, or its vectors freed, before the pending bit was there to be seen.
    send_pending_msix(vector);
    if (!msix_enabled() && table_.take_pending(vector))
        lost_.no_vector.fetch_add(1, std::memory_order_relaxed);
}

inline void function::send_pending_msix(unsigned vector) noexcept {
    if (msix_enabled() && table_.pending(vector) && !msix_masked(vector) && table_.take_pending(vector))
        send_msix(vector);
}

inline void function::send_msix(unsigned vector) noexcept {
    const interrupt_message message = table_.message(vector);
    if (send(message))
        return;
    // Nobody listens. If the driver is just taking the vector down, that is no fault.
    if (!present() || !msix_enabled() || msix_masked(vector) || !(table_.message(vector) == message) || send(message))
        return;
    ledger_->record(violation_kind::spurious_message, address_, detail::spurious_text("MSI-X", vector, message));
}

inline interrupt_message function::msi_message(unsigned vector) const noexcept {
    namespace msi = pci::registers::msi;
    std::uint64_t address = config_.read(layout_.msi + msi::address, 4);
    if ((msi_control() & msi::wide) != 0)
        address |= std::uint64_t{config_.read(layout_.msi + msi::address + 4, 4)} << 32U;
    const unsigned messages = 1U << ((msi_control() & msi::multiple_enable) >> msi::enabled_shift);
    return {address, (config_.read(layout_.msi_data, 2) & ~(messages - 1)) | vector};
}

/// Whether Multiple Message Enable lets the function use the vector.
inline bool function::msi_enabled(unsigned vector) const noexcept {
    return vector <
           1U << ((msi_control() & pci::registers::msi::multiple_enable) >> pci::registers::msi::enabled_shift);
}

inline bool function::msi_masked(unsigned vector) const noexcept {
    return layout_.msi_mask != 0 && (config_.read(layout_.msi_mask, 4) >> vector & 1U) != 0;
}

inline void function::raise_msi(unsigned vector) noexcept {
    if (!msi_enabled(vector)) {
        lost_.no_vector.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    if (!msi_masked(vector)) {
        send_msi(vector);
        return;
    }
    const unsigned bit = 1U << vector;
    config_.set_bits(layout_.msi_mask + 4, 4, bit, bit);
    send_pending_msi(vector);
    const bool on = (msi_control() & pci::registers::msi::enable) != 0 && msi_enabled(vector);
    if (!on && (config_.set_bits(layout_.msi_mask + 4, 4, bit, 0).before & bit) != 0)
        lost_.no_vector.fetch_add(1, std::memory_order_relaxed);
}

inline void function::send_msi(unsigned vector) noexcept {
    const interrupt_message message = msi_message(vector);
    if (send(message))
        return;
    if (!present() || (msi_control() & pci::registers::msi::enable) == 0 || !msi_enabled(vector) ||
        msi_masked(vector) || !(msi_message(vector) == message) || send(message))
        return;
    ledger_->record(violation_kind::spurious_message, address_, detail::spurious_text("MSI", vector, message));
}

inline void function::send_pending_msi(unsigned vector) noexcept {
    const unsigned bit = 1U << vector;
    if ((msi_control() & pci::registers::msi::enable) != 0 && layout_.msi_mask != 0 &&
        (config_.read(layout_.msi_mask + 4, 4) & bit) != 0 && !msi_masked(vector) &&
        (config_.set_bits(layout_.msi_mask + 4, 4, bit, 0).before & bit) != 0)
        send_msi(vector);
}

inline void function::send_pending(unsigned vector) noexcept {
    if (!awake())
        return;
    if (!msix_enabled())
        send_pending_msi(vector);
    else if (vector < table_.size())
        send_pending_msix(vector);
}

inline void function::send_pending() noexcept {
    const unsigned most = msix_enabled() ? table_.size() : 32;
    for (unsigned i = 0; i != most; ++i)
        send_pending(i);
}

/// Delivers a message. @returns false if no vector of this function is set up for it.
inline bool function::send(const interrupt_message& message) noexcept {
    if ((command() & pci::registers::command_bits::master) == 0) {
        lost_.no_master.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    irq_slot* const slot = irqs_->routed(message);
    if (slot == nullptr || slot->owner != this)
        return false;
    if (slot->deliver_edge() == delivery::no_handler)  // its vectors are just being freed
        lost_.no_vector.fetch_add(1, std::memory_order_relaxed);
    return true;
}

inline void function::raise_intx() noexcept {
    // A device that nobody has and no model stands for has no reason to interrupt that could last.
    const auto* const os = occupant();
    const bool had = (os != nullptr && os->in_use()) || intx_slot_.load(std::memory_order_relaxed) != nullptr;
    if (!intx() || (model_ == nullptr && !had)) {
        lost_.no_vector.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    intx_raises_.fetch_add(1);
    intx_asserted_.store(true);
    service_intx();
}

inline void function::lower_intx() noexcept { intx_asserted_.store(false); }

inline void function::connect_intx(irq_slot* slot) noexcept {
    intx_slot_.store(slot, std::memory_order_release);
    intx_line_->revive();
    service_intx();
}

inline bool function::asserts_intx() const noexcept {
    if (!intx_asserted_.load() || !awake() || (command() & pci::registers::command_bits::intx_disable) != 0)
        return false;
    const irq_slot* const slot = intx_slot_.load(std::memory_order_acquire);
    return slot == nullptr || (slot->state.load(std::memory_order_acquire) & irq_slot::armed) != 0;
}

/// A function without a model has no reason that could last.
inline void function::intx_handled(unsigned raises) noexcept {
    if (model_ == nullptr && raises == intx_raises_.load()) {
        intx_asserted_.store(false);
        if (raises != intx_raises_.load())
            intx_asserted_.store(true);
    }
}

inline void intx_line::join(function& added) noexcept {
    std::atomic<function*>* link = &first_;
    while (function* const there = link->load(std::memory_order_acquire))
        link = &there->next_on_line_;
    link->store(&added, std::memory_order_release);
}

inline function* intx_line::asserting() const noexcept {
    function* at = first_.load(std::memory_order_acquire);
    while (at != nullptr && !at->asserts_intx())
        at = at->next_on_line_.load(std::memory_order_acquire);
    return at;
}

inline void intx_line::service() noexcept {
    for (unsigned calls = 0; !dead_.load(std::memory_order_relaxed); ++calls) {
        const function* const raised = asserting();
        if (raised == nullptr)
            return;
        bool called = false;
        bool handled = false;
        for (function* at = first_.load(std::memory_order_acquire); at != nullptr;
             at = at->next_on_line_.load(std::memory_order_acquire)) {
            irq_slot* const slot = at->intx_slot_.load(std::memory_order_acquire);
            if (slot == nullptr)
                continue;
            const unsigned raises = at->intx_raises_.load();
            switch (slot->deliver_level()) {
            case delivery::handled:
                at->intx_handled(raises);
                handled = true;
                break;
            case delivery::none: called = true; break;
            case delivery::running: return;  // that thread looks at the line again
            case delivery::no_handler:
            case delivery::held: break;
            }
        }
        if (!handled && !called)
            return;  // the line stays asserted, until there is somebody to look at it
        if (!handled)
            unhandled_.fetch_add(1, std::memory_order_relaxed);
        if (calls + 1 == patience) {
            dead_.store(true);
            raised->ledger_->record(violation_kind::nobody_cared, raised->address_,
                                    "INTx is still asserted after " + std::to_string(patience) +
                                        " calls of the handlers on its line: nobody cared, the line is disabled");
        }
    }
}

inline lost_interrupts function::lost() const noexcept {
    return {lost_.gone.load(), lost_.no_master.load(), lost_.no_vector.load()};
}

}  // namespace devres::hardware
