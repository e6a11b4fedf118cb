// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <linux/pci_regs.h>

#include <devres/vfio/bus.hpp>

/// What a bus finds out of a device that it has opened.
namespace devres::vfio {

/// Makes a function of an open device.
template <class System>
auto basic_bus<System>::add(detail::device_file<System> device, pci::address where, std::optional<unsigned> group,
                            const detail::open_errors& errors) -> opened {
    functions_.reserve(functions_.size() + 1);
    std::unique_ptr<function_type> made(new function_type(*this, std::move(device)));
    function_type& f = *made;
    f.address_ = where;
    f.group_ = group;
    const auto refuse = [&](open_error error) {
        if (!group && where == pci::address())
            f.device_.release();  // it was handed in
        return std::unexpected(std::move(error));
    };
    const auto info = f.device_.info();
    if (!info || (info->flags & VFIO_DEVICE_FLAGS_PCI) == 0)
        return refuse(info ? errors.not_pci() : errors.failed("ask what the device is", info.error()));
    f.can_reset_ = (info->flags & VFIO_DEVICE_FLAGS_RESET) != 0;
    if (const auto known = examine(f); !known)
        return refuse(errors.failed("ask what the device has", known.error()));
    if (const auto watched = watch_events(f); !watched) {
        give_up(f);
        return refuse(errors.failed("watch the device's events", watched.error()));
    }
    functions_.push_back(std::move(made));
    return &f;
}

/// What the device is and has.
template <class System>
result<> basic_bus<System>::examine(function_type& f) noexcept {
    DEVRES_TRY(const auto space, f.device_.region(VFIO_PCI_CONFIG_REGION_INDEX));
    f.config_offset_ = space.offset;
    f.config_size_ = space.size;
    const auto word = [&](unsigned offset) { return static_cast<std::uint16_t>(config(f, offset, 2)); };
    f.id_ = {.vendor = word(PCI_VENDOR_ID),
             .device = word(PCI_DEVICE_ID),
             .subsystem_vendor = word(PCI_SUBSYSTEM_VENDOR_ID),
             .subsystem_device = word(PCI_SUBSYSTEM_ID),
             .class_code = config(f, PCI_CLASS_REVISION, 4) >> 8U};
    for (unsigned bar = 0; bar != pci::bar_count; ++bar) {
        DEVRES_TRY(const auto layout, f.device_.region(VFIO_PCI_BAR0_REGION_INDEX + bar));
        const bool io = (config(f, PCI_BASE_ADDRESS_0 + 4 * bar, 4) & PCI_BASE_ADDRESS_SPACE_IO) != 0;
        if (layout.size != 0)
            f.decode_ |= io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    }
    DEVRES_TRY(f.intx_, f.device_.irq_count(VFIO_PCI_INTX_IRQ_INDEX));
    DEVRES_TRY(f.msi_, f.device_.irq_count(VFIO_PCI_MSI_IRQ_INDEX));
    DEVRES_TRY(f.msix_, f.device_.irq_count(VFIO_PCI_MSIX_IRQ_INDEX));
    examine_capabilities(f);
    return {};
}

template <class System>
void basic_bus<System>::examine_capabilities(function_type& f) noexcept {
    if ((config(f, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) == 0)
        return;
    unsigned at = config(f, PCI_CAPABILITY_LIST, 1) & 0xfcU;
    for (unsigned steps = 0; at >= 0x40 && steps != 48; ++steps) {
        const unsigned id = config(f, at, 1);
        if (id == PCI_CAP_ID_PM) {
            f.power_management_ = at;
        } else if (id == PCI_CAP_ID_MSIX) {
            const std::uint32_t table = config(f, at + PCI_MSIX_TABLE, 4);
            const std::uint64_t entries = (config(f, at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1U;
            const std::uint64_t begin = table & PCI_MSIX_TABLE_OFFSET;
            f.msix_table_bar_ = table & PCI_MSIX_TABLE_BIR;
            f.msix_table_ = {begin, begin + entries * PCI_MSIX_ENTRY_SIZE};
        }
        at = config(f, at + 1, 1) & 0xfcU;
    }
}

}  // namespace devres::vfio
