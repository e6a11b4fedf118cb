// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/sim/function.hpp>

/// How a function interrupts: MSI-X, MSI, INTx, and what masks hold back.
namespace devres::sim {

inline void function::raise(pci::vector_index vector) noexcept {
    if (!awake()) {
        lost_.gone.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    if (msix_enabled())
        raise_msix(vector.value());
    else if ((msi_control() & registers::msi::enable) != 0)
        raise_msi(vector.value());
    else
        raise_intx();
}

inline bool function::msix_masked(unsigned vector) const noexcept {
    return (msix_control() & registers::msix::function_mask) != 0 || table_.masked(vector);
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
    send_pending_msix(vector);  // it may have been unmasked before the pending bit was there to be seen
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
    namespace msi = registers::msi;
    std::uint64_t address = config_.read(layout_.msi + msi::address, 4);
    if ((msi_control() & msi::wide) != 0)
        address |= std::uint64_t{config_.read(layout_.msi + msi::address + 4, 4)} << 32U;
    const unsigned messages = 1U << ((msi_control() & msi::multiple_enable) >> msi::enabled_shift);
    return {address, (config_.read(layout_.msi_data, 2) & ~(messages - 1)) | vector};
}

/// Whether Multiple Message Enable lets the function use the vector.
inline bool function::msi_enabled(unsigned vector) const noexcept {
    return vector < 1U << ((msi_control() & registers::msi::multiple_enable) >> registers::msi::enabled_shift);
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
    config_.set_bits(layout_.msi_mask + 4, 4, 1U << vector, 1U << vector);
    send_pending_msi(vector);
}

inline void function::send_msi(unsigned vector) noexcept {
    const interrupt_message message = msi_message(vector);
    if (send(message))
        return;
    if (!present() || (msi_control() & registers::msi::enable) == 0 || !msi_enabled(vector) || msi_masked(vector) ||
        !(msi_message(vector) == message) || send(message))
        return;
    ledger_->record(violation_kind::spurious_message, address_, detail::spurious_text("MSI", vector, message));
}

inline void function::send_pending_msi(unsigned vector) noexcept {
    const unsigned bit = 1U << vector;
    if ((msi_control() & registers::msi::enable) != 0 && layout_.msi_mask != 0 &&
        (config_.read(layout_.msi_mask + 4, 4) & bit) != 0 && !msi_masked(vector) &&
        (config_.set_bits(layout_.msi_mask + 4, 4, bit, 0).before & bit) != 0)
        send_msi(vector);
}

/// Sends what is pending of a vector and not masked any more.
inline void function::send_pending(unsigned vector) noexcept {
    if (!awake())
        return;
    if (!msix_enabled())
        send_pending_msi(vector);
    else if (vector < table_.size())
        send_pending_msix(vector);
}

/// Of all vectors.
inline void function::send_pending() noexcept {
    const unsigned most = msix_enabled() ? table_.size() : 32;
    for (unsigned i = 0; i != most; ++i)
        send_pending(i);
}

/// Delivers a message. @returns false if no vector of this function is set up for it.
inline bool function::send(const interrupt_message& message) noexcept {
    if ((command() & registers::command_bits::master) == 0) {
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
    // A device that nobody enabled and no model stands for has no reason to interrupt that could last.
    if (!intx() ||
        (model_ == nullptr && driver_.enables.count() == 0 && intx_slot_.load(std::memory_order_relaxed) == nullptr)) {
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
    intx_dead_.store(false);
    service_intx();
}

/// Calls the handler for as long as the line is asserted and nothing holds it back.
inline void function::service_intx() noexcept {
    const unsigned patience = 100'000;  // as many as Linux lets pass before it says "nobody cared"
    for (unsigned calls = 0; calls != patience; ++calls) {
        irq_slot* const slot = intx_slot_.load(std::memory_order_acquire);
        if (!intx_asserted_.load() || !awake() || intx_dead_.load(std::memory_order_relaxed) ||
            (command() & registers::command_bits::intx_disable) != 0 || slot == nullptr)
            return;
        const unsigned raises = intx_raises_.load();
        switch (slot->deliver_level()) {
        case delivery::no_handler:
        case delivery::held:
        case delivery::running: return;  // the line stays asserted, and is looked at again
        case delivery::handled:
            if (model_ == nullptr && raises == intx_raises_.load()) {
                intx_asserted_.store(false);
                if (raises != intx_raises_.load())
                    intx_asserted_.store(true);
            }
            break;
        case delivery::none: break;
        }
    }
    intx_dead_.store(true);
    ledger_->record(violation_kind::nobody_cared, address_,
                    "INTx is still asserted after " + std::to_string(patience) +
                        " calls of its handler: nobody cared, the line is disabled");
}

inline std::uint64_t function::affinity(pci::vector_index vector) const noexcept {
    return vector.value() < driver_.vectors.load(std::memory_order_acquire) ? driver_.masks.of(vector.value()) : 0;
}

inline lost_interrupts function::lost() const noexcept {
    return {lost_.gone.load(), lost_.no_master.load(), lost_.no_vector.load()};
}

}  // namespace devres::sim
