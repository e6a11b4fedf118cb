// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <devres/hardware/function.hpp>
#include <devres/linux_model/irq.hpp>
#include <devres/linux_model/profile.hpp>
#include <devres/linux_model/release_list.hpp>
#include <devres/pci/enable_count.hpp>
#include <devres/pci/platform.hpp>
#include <devres/pci/registers.hpp>
#include <devres/pci/spread_masks.hpp>

/// A PCI function as the kernel knows it.
namespace devres::linux_model {

class kernel;

/// In which state the kernel believes a device to be: unknown until it is enabled for the first time.
enum class power_state { unknown, d0, d3hot };

/// A PCI function as the kernel knows it (`struct pci_dev`): its hardware, its release list, and the bits that decide what
/// happens to it, under the kernel's names.
class pci_dev final : public device, private irq_chip {
public:
    /// For `kernel::add`.
    pci_dev(kernel& owner, event_log& log, const kernel_version& version, hardware::function& function) noexcept
        : device(log, version.empty_release_is_silent), hardware(function), kernel_(&owner) {}

    hardware::function& hardware;  ///< what the kernel drives

    int irq = 0;                  ///< INTx, 0 without it; while MSI is enabled, its first interrupt
    int enable_cnt = 0;           ///< enables that have not been undone
    bool is_managed = false;      ///< pcim_enable_device() was called: some plain functions are managed now
    bool is_msi_managed = false;  ///< the action that frees the vectors is installed
    bool msi_enabled = false;     ///< in the capability
    bool msix_enabled = false;    ///< in the capability
    bool no_msi = false;          ///< MSI and MSI-X are not to be used
    bool pinned = false;  ///< stays enabled when it is unbound (from 6.11 on; before, the managed enable says so)
    power_state current_state = power_state::unknown;  ///< as the kernel believes

private:
    friend class kernel;

    [[nodiscard]] unsigned read(unsigned offset, unsigned width) const noexcept {
        return hardware.read_config(offset, width).value_or(~0U);
    }
    void set_bits(unsigned offset, unsigned mask, unsigned bits) noexcept {
        const unsigned before = read(offset, 2);
        if (((before ^ bits) & mask) != 0)
            (void)hardware.write_config(offset, 2, (before & ~mask) | bits);
    }

    /// A word of an entry of the MSI-X table: 0, 1 address, 2 data, 3 control.
    void write_msix_entry(unsigned entry, unsigned word, std::uint32_t value) noexcept {
        if (entry >= hardware.msix_vectors())
            return;  // a virtual entry has no hardware
        const unsigned table = read(hardware.capabilities().msix + pci::registers::msix::table, 4);
        if (table == ~0U)
            return;  // the device is gone
        const std::uint64_t offset = (table & ~pci::registers::msix::bir) + entry * 16U + word * 4U;
        hardware.write_bar(pci::bar_number(table & pci::registers::msix::bir), offset, 4, value);
    }
    void mask(const irq_desc& desc, bool masked) noexcept {
        if (msix_enabled) {
            write_msix_entry(desc.index, 3, masked ? 1 : 0);
        } else if (const unsigned at = hardware.capabilities().msi_mask; at != 0) {
            const unsigned bit = 1U << desc.index;
            (void)hardware.write_config(at, 4, (read(at, 4) & ~bit) | (masked ? bit : 0));
        }
    }

    void startup(irq_desc& desc) override {
        if (desc.is_line)
            hardware.connect_intx(&desc.slot);
        else
            mask(desc, false);
    }
    void shutdown(irq_desc& desc) override {
        if (!desc.is_line)
            mask(desc, true);
        else if (!desc.holds)
            hardware.connect_intx(nullptr);
    }
    void disable(irq_desc& desc) override {
        if (!desc.is_line)  // a line stays asserted
            mask(desc, true);
    }
    void enable(irq_desc& desc) override { startup(desc); }

    /// What a driver of this library registered through the platform.
    struct registration {
        pci::irq_action action;
        pci::vector_index vector;
        int irq;
    };

    kernel* kernel_;
    bool bound_ = false;
    std::function<void(pci_dev&)> remove_;

    int line_ = 0;                      // the interrupt of INTx while the device is enabled
    bool msi_data_ = false;             // the data exists, which has the descriptors
    std::vector<irq_desc*> msi_descs_;  // by vector
    int irq_without_msi_ = 0;
    pci::spread_masks masks_;

    pci::enable_count platform_enables_;
    unsigned platform_bars_ = 0;       // mapped through the platform
    bool platform_allocates_ = false;  // just now
    unsigned platform_vectors_ = 0;    // of the allocation that was made through the platform
    pci::irq_type platform_type_{};
    std::map<std::uint64_t, std::unique_ptr<registration>> registrations_;  // by age
    std::uint64_t last_registration_ = 0;
    std::vector<std::uint32_t> saved_;  // the registers of configuration space, while it is suspended
};

}  // namespace devres::linux_model
