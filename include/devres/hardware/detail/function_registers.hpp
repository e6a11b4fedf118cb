// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/hardware/function.hpp>

/// What a function's registers do: configuration space, BARs, power, reset, removal.
namespace devres::hardware {

inline function::function(detail::blueprint plan, irq_domain& irqs, hardware::ledger& books)
    : address_(plan.address), irqs_(&irqs), ledger_(&books), model_(plan.model), notes_(std::move(plan.notes)),
      layout_(capability_layout::of(plan.config)) {
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        bars_[i] = plan.bars[i];
        memory_[i] = std::make_unique<sparse_memory>(plan.bars[i].size);
    }
    config_.load(plan.config);
    intx_line_ = &irqs.line(config_.read(pci::registers::interrupt_line, 1));
    set_up_registers();
    if (!plan.present) {
        gone_.store(true);
        asleep_.store(true);
    }
    if (model_ != nullptr)
        model_->attached(*this);
}

inline void function::set_up_registers() {
    namespace reg = pci::registers;
    namespace bits = pci::registers::command_bits;
    const bool bridge = (config_.read(reg::header_type, 1) & 0x7fU) == 1;
    config_.writable(reg::command, 2,
                     bits::io | bits::memory | bits::master | bits::parity | bits::serr | bits::intx_disable);
    if (layout_.pcie == 0)
        config_.writable(reg::command, 2, bits::invalidate);
    config_.cleared_by_one(reg::status, 2, reg::status_bits::errors);
    config_.writable(reg::cache_line_size, 1, 0xff);
    config_.writable(reg::latency_timer, 1, 0xff);
    config_.writable(reg::interrupt_line, 1, 0xff);
    if (bridge) {
        for (unsigned at = reg::bridge_windows; at != 0x34; at += 4)
            config_.writable(at, 4, ~0U);
        config_.writable(reg::bridge_control, 2, ~0U);
    }
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        const detail::bar_window& bar = bars_[i];
        if (bar.size == 0)
            continue;
        const std::uint64_t address_bits = ~(bar.size - 1) & ~std::uint64_t{3};  // the flags below them are read-only
        config_.writable(reg::bar + 4 * i, 4, static_cast<std::uint32_t>(address_bits));
        if (bar.wide)
            config_.writable(reg::bar + 4 * i + 4, 4, static_cast<std::uint32_t>(address_bits >> 32U));
    }
    if (layout_.power_management != 0) {
        namespace pm = reg::power_management;
        const bool signals = config_.read(layout_.power_management + pm::capabilities, 2) / pm::pme_from != 0;
        config_.writable(layout_.power_management + pm::control, 2, pm::state | (signals ? pm::pme_enable : 0U));
        config_.cleared_by_one(layout_.power_management + pm::control, 2, pm::pme_status);
    }
    if (layout_.msi != 0) {
        config_.writable(layout_.msi + reg::msi::control, 2, reg::msi::enable | reg::msi::multiple_enable);
        config_.writable(layout_.msi + reg::msi::address, 4, ~3U);
        if ((msi_control() & reg::msi::wide) != 0)
            config_.writable(layout_.msi + reg::msi::address + 4, 4, ~0U);
        config_.writable(layout_.msi_data, 2, 0xffff);
        if (layout_.msi_mask != 0)
            config_.writable(layout_.msi_mask, 4, msi_vectors() >= 32 ? ~0U : (1U << msi_vectors()) - 1);
    }
    if (layout_.msix != 0) {
        config_.writable(layout_.msix + reg::msix::control, 2, reg::msix::enable | reg::msix::function_mask);
        table_ = msix_table((msix_control() & reg::msix::size) + 1);
        const std::uint32_t table = config_.read(layout_.msix + reg::msix::table, 4);
        const std::uint32_t pba = config_.read(layout_.msix + reg::msix::pba, 4);
        place_ = {table & reg::msix::bir, table & ~reg::msix::bir, pba & reg::msix::bir, pba & ~reg::msix::bir};
    }
    if (layout_.pcie != 0) {
        config_.writable(layout_.pcie + reg::pcie::device_control, 2, 0x7fff);
        config_.cleared_by_one(layout_.pcie + reg::pcie::device_status, 2, 0xf);
    }
}

inline unsigned function::msi_vectors() const noexcept {
    return layout_.msi == 0 ? 0 : 1U << (msi_control() >> pci::registers::msi::capable_shift & 7U);
}

inline result<std::uint32_t> function::read_config(unsigned offset, unsigned width) const noexcept {
    if (!config_space::valid(offset, width))
        return fail(errc::einval);
    if (!present())
        return config_space::ones(width);
    std::uint32_t value = config_.read(offset, width);
    if (offset / 4 == pci::registers::command / 4 && intx_asserted_.load(std::memory_order_relaxed))
        value |= (pci::registers::status_bits::interrupt << 16U >> offset % 4 * 8) & config_space::ones(width);
    return value;
}

inline result<> function::write_config(unsigned offset, unsigned width, std::uint32_t value) noexcept {
    if (!config_space::valid(offset, width))
        return fail(errc::einval);
    if (!present())
        return {};
    if (layout_.pcie != 0 && offset / 4 == (layout_.pcie + pci::registers::pcie::device_control) / 4) {
        const unsigned written = offset % 4 < 2 ? value << offset % 4 * 8 & 0xffffU : 0;
        const std::uint32_t able = config_.read(layout_.pcie + pci::registers::pcie::device_capabilities, 4);
        if ((written & pci::registers::pcie::function_level_reset) != 0 && offset % 4 + width > 1 &&
            (able & pci::registers::pcie::function_level_reset_capable) != 0) {
            reset();
            return {};
        }
    }
    config_written(offset & ~3U, config_.write(offset, width, value));
    return {};
}

inline void function::config_written(unsigned offset, config_space::change change) noexcept {
    namespace reg = pci::registers;
    if (change.before == change.after)
        return;
    const std::uint32_t cleared = change.before & ~change.after;
    if (offset == reg::command && (cleared & reg::command_bits::intx_disable) != 0)
        service_intx();
    if (layout_.power_management != 0 && offset == layout_.power_management + reg::power_management::control)
        set_power((change.after & reg::power_management::state) != 0);
    if (layout_.msix != 0 && offset == layout_.msix) {
        if ((cleared & reg::msix::enable << 16U) != 0)
            table_.clear_pending();
        send_pending();
    }
    if (layout_.msi != 0 && offset == layout_.msi) {
        if ((cleared & reg::msi::enable << 16U) != 0 && layout_.msi_mask != 0)
            config_.set(layout_.msi_mask + 4, 4, 0);
        send_pending();
    }
    if (layout_.msi_mask != 0 && offset == layout_.msi_mask)
        send_pending();
}

inline void function::set_power(bool asleep) noexcept {
    namespace pm = pci::registers::power_management;
    if (asleep_.exchange(asleep) == asleep || asleep)
        return;
    const unsigned control = layout_.power_management == 0 ? pm::no_soft_reset
                                                           : config_.read(layout_.power_management + pm::control, 2);
    if ((control & pm::no_soft_reset) == 0)
        reset();
    else
        service_intx();
}

inline unsigned function::decode_bits() const noexcept {
    namespace bits = pci::registers::command_bits;
    unsigned out = 0;
    for (const detail::bar_window& bar : bars_) {
        if (bar.size != 0)
            out |= bar.io ? bits::io : bits::memory;
    }
    return out;
}

namespace detail {

/// What a change of the power state writes back of the register that it is in, at capability `at`.
inline unsigned beside_power_state(const config_space& config, unsigned at) noexcept {
    namespace pm = pci::registers::power_management;
    return config.read(at + pm::control, 2) & ~(pm::state | pm::pme_status);
}

}  // namespace detail

inline void function::sleep() noexcept {
    namespace pm = pci::registers::power_management;
    if (const unsigned at = layout_.power_management; at != 0)
        (void)write_config(at + pm::control, 2, detail::beside_power_state(config_, at) | pm::state);
    else if (present())
        set_power(true);
}

inline void function::wake() noexcept {
    namespace pm = pci::registers::power_management;
    if (const unsigned at = layout_.power_management; at != 0)
        (void)write_config(at + pm::control, 2, detail::beside_power_state(config_, at));
    else if (present())
        set_power(false);
}

inline void function::reset() noexcept {
    if (!present())
        return;
    intx_asserted_.store(false);
    config_.reset();
    table_.reset();
    asleep_.store(false);
    if (model_ != nullptr)
        model_->reset(*this);
}

inline void function::surprise_remove() noexcept {
    if (gone_.exchange(true))
        return;
    asleep_.store(true);
    intx_asserted_.store(false);
    if (model_ != nullptr)
        model_->removed(*this);
}

inline void function::insert() {
    if (present())
        devres::detail::raise<std::logic_error>(std::string(address_.text()) + ": insert: the slot is not empty");
    if (const auto* const os = occupant(); os != nullptr && os->in_use())
        devres::detail::raise<std::logic_error>(std::string(address_.text()) +
                                                ": insert: a driver still has the old device");
    for (const auto& memory : memory_)
        memory->clear();
    gone_.store(false);
    reset();
}

inline std::uint64_t function::read_bar(pci::bar_number bar, std::uint64_t offset, unsigned width) noexcept {
    if (!awake())
        return width == 8 ? ~std::uint64_t{0} : config_space::ones(width);
    if (in_table(bar.value(), offset))
        return table_.read(offset - place_.table_offset, width);
    if (in_pending(bar.value(), offset))
        return table_.read_pending(offset - place_.pba_offset, width);
    return model_ != nullptr ? model_->read(*this, bar, offset, width) : memory_[bar.value()]->read(offset, width);
}

inline void function::write_bar(pci::bar_number bar, std::uint64_t offset, unsigned width,
                                std::uint64_t value) noexcept {
    if (!awake())
        return;
    if (in_table(bar.value(), offset)) {
        table_.write(offset - place_.table_offset, width, value);
        send_pending_msix(static_cast<unsigned>((offset - place_.table_offset) / msix_table::entry_size));
    } else if (in_pending(bar.value(), offset)) {
        return;
    } else if (model_ != nullptr) {
        model_->write(*this, bar, offset, width, value);
    } else {
        memory_[bar.value()]->write(offset, width, value);
    }
}

inline std::uint64_t device_model::read(function& self, pci::bar_number bar, std::uint64_t offset, unsigned width) {
    return self.memory(bar).read(offset, width);
}

inline void device_model::write(function& self, pci::bar_number bar, std::uint64_t offset, unsigned width,
                                std::uint64_t value) {
    self.memory(bar).write(offset, width, value);
}

inline bool function::dma_read(pci::bus_address at, void* to, std::size_t size) noexcept {
    if (!awake())
        return false;
    const bool allowed = (command() & pci::registers::command_bits::master) != 0;
    if (allowed && dma_.is_stale(at, size))
        ledger_->record(violation_kind::dma_not_synced, address_,
                        "DMA read of " + std::to_string(size) + " bytes at " +
                            detail::hex(static_cast<std::uint64_t>(at)) +
                            ": they are stale, as the driver wrote to them and did not sync them for the device");
    if (allowed && dma_.read(at, to, size))
        return true;
    ledger_->record(violation_kind::dma_fault, address_, detail::dma_fault_text("read", at, size, allowed));
    return false;
}

inline bool function::dma_write(pci::bus_address at, const void* from, std::size_t size) noexcept {
    if (!awake())
        return false;
    const bool allowed = (command() & pci::registers::command_bits::master) != 0;
    if (allowed && dma_.write(at, from, size))
        return true;
    ledger_->record(violation_kind::dma_fault, address_, detail::dma_fault_text("write", at, size, allowed));
    return false;
}

inline snapshot function::state() const {
    snapshot out;
    out.present = present();
    out.config = config_.bytes();
    out.msix_table = table_.words_of_table();
    out.msix_pending = table_.words_of_pending();
    return out;
}

}  // namespace devres::hardware
