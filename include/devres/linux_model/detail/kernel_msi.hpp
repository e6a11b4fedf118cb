// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>

#include <devres/linux_model/kernel.hpp>

/// MSI-X and MSI in the registers of a function: switched on, restored, switched off.
namespace devres::linux_model {

/// Entries are written, and stay masked until they have a handler.
inline void kernel::start_msix(pci_dev& dev) {
    namespace msix = pci::registers::msix;
    const unsigned control = dev.hardware.capabilities().msix + msix::control;
    const unsigned both = msix::enable | msix::function_mask;
    dev.set_bits(control, both, both);
    write_msix_messages(dev);
    pci_intx(dev, false);
    dev.msix_enabled = true;
    dev.set_bits(control, msix::function_mask, 0);
}

inline void kernel::write_msix_messages(pci_dev& dev) {
    for (const irq_desc* const desc : dev.msi_descs_) {
        const hardware::interrupt_message message = hardware::irq_domain::message(desc->message);
        dev.write_msix_entry(desc->index, 3, 1);
        dev.write_msix_entry(desc->index, 0, static_cast<std::uint32_t>(message.address));
        dev.write_msix_entry(desc->index, 1, static_cast<std::uint32_t>(message.address >> 32U));
        dev.write_msix_entry(desc->index, 2, message.data);
    }
}

/// The MSI-X table has forgotten what it knew; configuration space has been restored already, as it was.
inline void kernel::restore_vectors(pci_dev& dev) {
    if (!dev.msix_enabled && !dev.msi_enabled)
        return;
    if (dev.msix_enabled)
        write_msix_messages(dev);
    for (const irq_desc* const desc : dev.msi_descs_)
        dev.mask(*desc, desc->actions.empty() || desc->depth != 0);
}

inline void kernel::start_msi(pci_dev& dev) {
    namespace msi = pci::registers::msi;
    const hardware::capability_layout& at = dev.hardware.capabilities();
    const auto count = static_cast<unsigned>(dev.msi_descs_.size());
    const hardware::interrupt_message message = hardware::irq_domain::message(dev.msi_descs_.front()->message);
    if (at.msi_mask != 0)
        (void)dev.hardware.write_config(at.msi_mask, 4, ~0U);
    (void)dev.hardware.write_config(at.msi + msi::address, 4, static_cast<std::uint32_t>(message.address));
    if ((dev.read(at.msi + msi::control, 2) & msi::wide) != 0)
        (void)dev.hardware.write_config(at.msi + msi::address + 4, 4,
                                        static_cast<std::uint32_t>(message.address >> 32U));
    (void)dev.hardware.write_config(at.msi_data, 2, message.data);
    const auto log = static_cast<unsigned>(std::countr_zero(std::bit_ceil(count)));
    pci_intx(dev, false);
    dev.msi_enabled = true;
    dev.set_bits(at.msi + msi::control, msi::enable | msi::multiple_enable, msi::enable | log << msi::enabled_shift);
    dev.irq_without_msi_ = dev.irq;
    dev.irq = static_cast<int>(dev.msi_descs_.front()->number);
}

inline void kernel::disable_msix(pci_dev& dev) {
    if (!dev.msix_enabled)
        return;
    if (!has_msi_data(dev))
        log_.stop("mutex_lock");
    dev.msix_enabled = false;
    if (dev.hardware.present()) {
        for (const irq_desc* const desc : dev.msi_descs_)
            dev.write_msix_entry(desc->index, 3, 1);
        dev.set_bits(dev.hardware.capabilities().msix + pci::registers::msix::control, pci::registers::msix::enable, 0);
        pci_intx(dev, true);
    }
    free_interrupts(dev);
}

inline void kernel::disable_msi(pci_dev& dev) {
    if (!dev.msi_enabled)
        return;
    if (!has_msi_data(dev))
        log_.stop("mutex_lock");
    if (dev.hardware.present()) {
        dev.set_bits(dev.hardware.capabilities().msi + pci::registers::msi::control, pci::registers::msi::enable, 0);
        pci_intx(dev, true);
    }
    dev.msi_enabled = false;
    if (dev.msi_descs_.empty()) {
        log_.warn_once_in(warning_kind::msi_shutdown, "pci_msi_shutdown");
        log_.stop("pci_disable_msi");
    }
    if (const unsigned mask = dev.hardware.capabilities().msi_mask; mask != 0)
        (void)dev.hardware.write_config(mask, 4, 0);
    dev.irq = dev.irq_without_msi_;
    free_interrupts(dev);
}

/// The vectors go, from the first on, whoever has handlers on them.
inline void kernel::free_interrupts(pci_dev& dev) {
    log_.add(event_kind::free, static_cast<int>(dev.msi_descs_.size()));
    const auto descs = std::exchange(dev.msi_descs_, {});
    for (irq_desc* const desc : descs) {
        hardware_.interrupts().free(desc->message, 1);
        irqs_.free(*desc);
    }
}

}  // namespace devres::linux_model
