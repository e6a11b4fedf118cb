// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <new>

#include <linux/pci_regs.h>

#include <devres/vfio/bus.hpp>

/// The bus's primitives that are not about interrupts or memory: drivers, power, configuration space, BARs.
namespace devres::vfio {

template <class System>
std::uint32_t basic_bus<System>::config(const function_type& f, unsigned offset, unsigned width) const noexcept {
    std::uint32_t value = ~std::uint32_t{0};
    std::uint32_t answer = 0;
    if (offset + width <= f.config_size_ && f.device_.read(f.config_offset_ + offset, width, &answer))
        value = answer;
    return width == 4 ? value : value & ((1U << 8 * width) - 1);
}

template <class System>
void basic_bus<System>::set_config(const function_type& f, unsigned offset, unsigned width,
                                   std::uint32_t value) const noexcept {
    if (offset + width <= f.config_size_)
        (void)f.device_.write(f.config_offset_ + offset, width, &value);
}

template <class System>
void basic_bus<System>::set_command(const function_type& f, unsigned mask, unsigned bits) const noexcept {
    const unsigned before = config(f, PCI_COMMAND, 2);
    if (before != 0xffff)  // it answers
        set_config(f, PCI_COMMAND, 2, (before & ~mask) | bits);
}

template <class System>
result<std::uint32_t> basic_bus<System>::read_config(function_type& f, unsigned offset, unsigned width) noexcept {
    if ((width != 1 && width != 2 && width != 4) || offset % width != 0 || offset >= 4096)
        return fail(errc::einval);
    return config(f, offset, width);
}

template <class System>
result<> basic_bus<System>::write_config(function_type& f, unsigned offset, unsigned width,
                                         std::uint32_t value) noexcept {
    if ((width != 1 && width != 2 && width != 4) || offset % width != 0 || offset >= 4096)
        return fail(errc::einval);
    set_config(f, offset, width, value);
    return {};
}

template <class System>
result<> basic_bus<System>::attach(function_type& f) noexcept {
    if (f.unplug_requested_.load())
        return fail(errc::enodev);
    if (f.attached_)
        return fail(errc::ebusy);
    f.attached_ = true;
    f.streaming_mask_ = f.coherent_mask_ = pci::dma_bit_mask(32);
    return {};
}

template <class System>
void basic_bus<System>::detach(function_type& f) noexcept {
    if (f.suspended_)
        (void)resume(f);
    f.suspended_.reset();
    f.attached_ = false;
}

/// The kernel has enabled the function when it was opened; what is left is to let it answer at its BARs, as
/// `pci_enable_device()` does.
template <class System>
result<> basic_bus<System>::enable(function_type& f) noexcept {
    if (in_handler(f))
        return fail(errc::edeadlk);
    if (f.unplug_requested_.load())
        return fail(errc::enodev);
    if (f.enables_.enable()) {
        f.command_before_ = config(f, PCI_COMMAND, 2) & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
        set_command(f, f.decode_, f.decode_);
    }
    return {};
}

template <class System>
void basic_bus<System>::disable(function_type& f) noexcept {
    if (f.enables_.count() != 0 && f.enables_.disable(f.needs_enable()))
        disable_now(f);
}

template <class System>
void basic_bus<System>::disable_now(function_type& f) noexcept {
    set_command(f, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, f.command_before_);
}

template <class System>
result<> basic_bus<System>::set_master(function_type& f, bool on) noexcept {
    set_command(f, PCI_COMMAND_MASTER, on ? PCI_COMMAND_MASTER : 0);
    return {};
}

/// @returns whether the device is in the state then: one that is gone is in none
template <class System>
bool basic_bus<System>::set_power_state(const function_type& f, unsigned state) const noexcept {
    const unsigned at = f.power_management_ + PCI_PM_CTRL;
    const unsigned before = config(f, at, 2);
    set_config(f, at, 2, (before & ~unsigned{PCI_PM_CTRL_STATE_MASK}) | state);
    const unsigned after = config(f, at, 2);
    return after != 0xffff && (after & PCI_PM_CTRL_STATE_MASK) == state;
}

/// The kernel sees the write, and saves and restores what the device loses, its interrupts included.
template <class System>
result<> basic_bus<System>::suspend(function_type& f) noexcept {
    if (f.power_management_ == 0)
        return fail(errc::enotsupp);
    if (f.suspended_)
        return fail(errc::einval);
    const unsigned command = config(f, PCI_COMMAND, 2);
    if (!set_power_state(f, 3)) {
        (void)set_power_state(f, 0);
        return fail(errc::eio);
    }
    f.suspended_ = command;
    return {};
}

template <class System>
result<> basic_bus<System>::resume(function_type& f) noexcept {
    if (!f.suspended_)
        return fail(errc::einval);
    if (!set_power_state(f, 0))
        return fail(errc::eio);
    set_config(f, PCI_COMMAND, 2, *f.suspended_);
    f.suspended_.reset();
    return {};
}

template <class System>
result<> basic_bus<System>::reset(function_type& f) noexcept {
    if (!f.can_reset_)
        return fail(errc::enotsupp);
    return f.device_.reset();
}

template <class System>
result<pci::bar_resource> basic_bus<System>::describe_bar(const function_type& f, pci::bar_number bar) noexcept {
    if (bar.value() >= pci::bar_count)
        return fail(errc::einval);
    DEVRES_TRY(auto layout, f.device_.region(VFIO_PCI_BAR0_REGION_INDEX + bar.value()));
    if (layout.size == 0)
        return fail(errc::einval);
    const auto read = [&](unsigned number) { return config(f, PCI_BASE_ADDRESS_0 + 4 * number, 4); };
    return pci::bar_resource_of(read(bar.value()), bar.value() + 1 == pci::bar_count ? 0 : read(bar.value() + 1),
                                layout.size);
}

template <class System>
result<basic_region<System>> basic_bus<System>::map_bar(function_type& f, pci::bar_number bar, const char*) noexcept {
    if (in_handler(f))
        return fail(errc::edeadlk);
    if (bar.value() >= pci::bar_count)
        return fail(errc::einval);
    auto& mapping = f.bars_[bar.value()];
    if (mapping.device != nullptr)
        return fail(errc::ebusy);
    const auto layout = f.device_.region(VFIO_PCI_BAR0_REGION_INDEX + bar.value());
    if (!layout)
        return fail(layout.error());
    if (layout->size == 0)
        return fail(errc::einval);
    const detail::bar_area table = bar.value() == f.msix_table_bar_ ? f.msix_table_ : detail::bar_area{};
    if (const auto mapped = mapping.map(f.device_, *layout, table); !mapped)
        return fail(mapped.error());
    return region_type(mapping);
}

template <class System>
void basic_bus<System>::unmap_bar(function_type& f, region_type& mapped) noexcept {
    for (auto& mapping : f.bars_) {
        if (mapped.is_of(mapping) && mapping.device != nullptr)
            mapping.unmap();
    }
    mapped = {};
    if (f.enables_.settle(f.needs_enable()))
        disable_now(f);
}

template <class System>
std::vector<std::string> basic_bus<System>::held(const function_type& f) const {
    std::vector<std::string> lines;
    const auto count = [&](unsigned how_many, const char* what) {
        if (how_many != 0)
            lines.push_back(std::to_string(how_many) + ' ' + what);
    };
    if (f.attached_)
        lines.emplace_back("a driver");
    count(f.enables_.count(), "enables");
    for (unsigned bar = 0; bar != pci::bar_count; ++bar) {
        if (f.bars_[bar].device != nullptr)
            lines.push_back("BAR " + std::to_string(bar));
    }
    count(f.granted_.count, "vectors");
    unsigned handlers = 0;
    for (unsigned i = 0; i != f.capacity_; ++i)
        handlers += f.vectors_[i].id != 0 ? 1U : 0U;
    count(handlers, "handlers");
    count(loop_.count_work_of(&f), "pieces of work");
    count(f.dma_blocks_, "DMA blocks");
    count(f.dma_mappings_, "DMA mappings");
    return lines;
}

}  // namespace devres::vfio
