// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/linux_model/kernel.hpp>

/// Drivers come and go; devices are enabled and disabled.
namespace devres::linux_model {

inline pci_dev& kernel::add(const hardware::function_config& config) { return know(hardware_.add(config)); }

inline pci_dev& kernel::know(hardware::function& function) {
    pci_dev& dev = devices_.emplace_back(*this, log_, *version_, function);
    if (function.intx())  // until it is enabled, the number that the firmware gave it
        dev.irq = new_line(dev, firmware_line);
    return dev;
}

inline int kernel::new_line(pci_dev& dev, unsigned from) {
    const unsigned number = irqs_.allocate(1, from, dev, dev.hardware);
    irqs_.at(number).is_line = true;
    return static_cast<int>(number);
}

/// INTx has an interrupt while the device is enabled, but for one whose MSI is enabled already (`pcibios_enable_irq`).
inline void kernel::enable_line(pci_dev& dev) {
    if (!dev.hardware.intx() || dev.msi_enabled || dev.msix_enabled || dev.line_ != 0)
        return;
    dev.line_ = new_line(dev, dev.read(pci::registers::interrupt_line, 1));
    dev.irq = dev.line_;
}

inline void kernel::disable_line(pci_dev& dev) {
    if (dev.line_ == 0 || dev.msi_enabled || dev.msix_enabled)
        return;
    irqs_.free(irqs_.at(static_cast<unsigned>(std::exchange(dev.line_, 0))));
}

inline int kernel::bind(pci_dev& dev, const driver& with) {
    log_.add(event_kind::bind, with.name);
    if (dev.bound_)
        return negative(errc::ebusy);
    if (dev.has_resources()) {
        log_.add(event_kind::message, "Resources present before probing");
        log_.add(event_kind::probe, negative(errc::ebusy));
        return negative(errc::ebusy);
    }
    dev.bound_ = true;
    int error = with.probe(dev);
    if (error > 0) {
        log_.add(event_kind::message, "Driver probe function unexpectedly returned " + std::to_string(error));
        error = 0;
    }
    log_.add(event_kind::probe, error);
    if (error != 0)
        return give_up(dev, with.name, error);
    dev.remove_ = with.remove;
    return 0;
}

/// Probe failed: releases what it left.
inline int kernel::give_up(pci_dev& dev, const char* name, int error) {
    if (error != negative(errc::enodev) && error != negative(errc::enxio) && error != negative(errc::eprobe_defer))
        log_.add(event_kind::message,
                 std::string(version_->probe_failed) + name + " failed with error " + std::to_string(error));
    dev.devres_release_all();
    dev.bound_ = false;
    log_.add(event_kind::unbound, 0);
    return error;
}

inline void kernel::unbind(pci_dev& dev) {
    if (!dev.bound_)
        return;
    log_.add(event_kind::unbind, 0);
    if (const auto remove = std::move(dev.remove_))
        remove(dev);
    dev.remove_ = nullptr;
    dev.devres_release_all();
    dev.bound_ = false;
    log_.add(event_kind::unbound, 0);
}

inline int kernel::pci_enable_device(pci_dev& dev) {
    namespace reg = pci::registers;
    const unsigned power = dev.hardware.capabilities().power_management;
    dev.current_state = power == 0 || (dev.read(power + reg::power_management::control, 2) &
                                       reg::power_management::state) == 0
                            ? power_state::d0
                            : power_state::d3hot;
    if (++dev.enable_cnt > 1)
        return 0;
    if (!dev.hardware.present()) {
        --dev.enable_cnt;
        return negative(errc::enodev);
    }
    if (power != 0)
        dev.set_bits(power + reg::power_management::control, reg::power_management::state, 0);
    dev.current_state = power_state::d0;
    unsigned decode = 0;
    for (unsigned bar = 0; bar != pci::bar_count; ++bar) {
        if (dev.hardware.bar_size(pci::bar_number(bar)) != 0)
            decode |= (dev.read(reg::bar + 4 * bar, 4) & 1U) != 0 ? reg::command_bits::io : reg::command_bits::memory;
    }
    dev.set_bits(reg::command, decode, decode);
    enable_line(dev);
    return 0;
}

inline void kernel::pci_disable_device(pci_dev& dev) {
    if (version_->enable_may_be_undone) {
        if (pci_devres* const managed = find_pci_devres(dev))
            managed->enabled = false;
    }
    if (dev.enable_cnt <= 0 && log_.first("pci_disable_device"))
        log_.warn(warning_kind::already_disabled, "disabling already-disabled device");
    if (--dev.enable_cnt != 0)
        return;
    pci_clear_master(dev);
    disable_line(dev);
}

inline kernel::pci_devres* kernel::find_pci_devres(pci_dev& dev) {
    return dev.is_managed ? static_cast<pci_devres*>(dev.devres_find(pcim_release, nullptr, nullptr)) : nullptr;
}

inline int kernel::pcim_enable_device(pci_dev& dev) {
    if (version_->enables_each_time) {
        void* const node = dev.devres_alloc(pcim_release, sizeof(pci_devres), "pcim_disable_device");
        dev.devres_add(node);
        const int error = pci_enable_device(dev);
        if (error != 0)
            dev.devres_destroy(pcim_release, nullptr, nullptr);
        else
            dev.is_managed = true;
        return error;
    }
    void* node = dev.devres_find(pcim_release, nullptr, nullptr);
    if (node == nullptr) {
        node = dev.devres_alloc(pcim_release, sizeof(pci_devres), "pcim_release");
        dev.devres_add(node);
    }
    auto& managed = *static_cast<pci_devres*>(node);
    if (managed.enabled)
        return 0;
    const int error = pci_enable_device(dev);
    if (error == 0) {
        dev.is_managed = true;
        managed.enabled = true;
    }
    return error;
}

/// Of pcim_enable_device's node: all that is managed up to 6.10, the enable alone from 6.11 on.
inline void kernel::pcim_release(device& which, void* res) {
    auto& dev = static_cast<pci_dev&>(which);
    auto& self = *dev.kernel_;
    const auto& managed = *static_cast<pci_devres*>(res);
    if (self.version_->vectors_in_pcim_release) {
        self.disable_msi(dev);
        self.disable_msix(dev);
    }
    if (managed.restores_intx)
        self.pci_intx(dev, managed.intx_before);
    const bool enabled = self.version_->enables_each_time || managed.enabled;
    const bool pinned = self.version_->pin_is_of_device ? dev.pinned : managed.pinned;
    if (enabled && !pinned)
        self.pci_disable_device(dev);
    if (self.version_->managed_bit_cleared)
        dev.is_managed = false;
}

inline void kernel::pcim_pin_device(pci_dev& dev) {
    if (version_->pin_is_of_device) {
        dev.pinned = true;
        return;
    }
    pci_devres* const managed = find_pci_devres(dev);
    if (managed == nullptr || !managed->enabled)
        log_.warn_in(warning_kind::other, "pcim_pin_device");
    if (managed != nullptr)
        managed->pinned = true;
}

inline void kernel::pci_set_master(pci_dev& dev) noexcept {
    dev.set_bits(pci::registers::command, pci::registers::command_bits::master, pci::registers::command_bits::master);
}
inline void kernel::pci_clear_master(pci_dev& dev) noexcept {
    dev.set_bits(pci::registers::command, pci::registers::command_bits::master, 0);
}

inline void kernel::pci_intx(pci_dev& dev, bool on) {
    const unsigned disable = pci::registers::command_bits::intx_disable;
    const bool was_on = (dev.read(pci::registers::command, 2) & disable) == 0;
    if (was_on == on)
        return;
    dev.set_bits(pci::registers::command, disable, on ? 0 : disable);
    if (version_->enables_each_time)
        return;
    if (pci_devres* const managed = find_pci_devres(dev); managed != nullptr && !managed->restores_intx) {
        managed->restores_intx = true;
        managed->intx_before = !on;
    }
}

}  // namespace devres::linux_model
