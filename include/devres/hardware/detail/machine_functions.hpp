// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/detail/exceptions.hpp>
#include <devres/hardware/machine.hpp>

/// The functions of a machine: where they are, and what is held of them.
namespace devres::hardware {

/// The first device number, from 0000:00:01.0, that no function has. Functions do not leave, so that the search goes on
/// where it ended.
inline pci::address machine::free_address() {
    for (;; ++next_slot_) {
        const pci::address slot(next_slot_ >> 13U, static_cast<std::uint8_t>(next_slot_ / 32),
                                static_cast<std::uint8_t>(next_slot_ % 32), 0);
        if (!by_address_.contains(slot))
            return slot;
    }
}

/// Gives BARs that have no addresses theirs; one that finds no room stays without, which nothing here depends on.
inline void machine::assign_bars(detail::blueprint& plan) noexcept {
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        const detail::bar_window& bar = plan.bars[i];
        if (bar.size == 0)
            continue;
        const auto next = [size = bar.size](auto& cursor) {
            using number = std::remove_reference_t<decltype(cursor)>;
            const auto base = static_cast<number>((cursor + size - 1) / size * size);
            cursor = static_cast<number>(base + size);
            return base;
        };
        std::uint64_t base = bar.io ? next(next_io_) : bar.wide ? next(next_wide_) : next(next_memory_);
        if (bar.io ? base + bar.size > 0x1'0000 : !bar.wide && base + bar.size > 0xfec0'0000)
            base = 0;
        const std::uint32_t flags = bar.io ? 1 : bar.wide ? 4 : 0;
        detail::set_field(plan.config, pci::registers::bar + 4 * i, 4, static_cast<std::uint32_t>(base) | flags);
        if (bar.wide)
            detail::set_field(plan.config, pci::registers::bar + 4 * i + 4, 4, static_cast<std::uint32_t>(base >> 32U));
    }
}

inline function& machine::place(detail::blueprint plan) {
    const std::scoped_lock hold(lock_);
    if (plan.address == next_free_address)
        plan.address = free_address();
    if (by_address_.contains(plan.address))
        devres::detail::raise<std::invalid_argument>("function_config.address is " + std::string(plan.address.text()) +
                                                     ": must be one that no function of the bus has");
    decltype(by_address_) added;  // merging cannot fail
    function*& entry = added[plan.address];
    if (!plan.assigned)
        assign_bars(plan);
    const unsigned pin = detail::field(plan.config, pci::registers::interrupt_pin, 1);
    detail::set_field(plan.config, pci::registers::interrupt_line, 1,
                      pin == 0 ? 0 : irq_domain::first_line + (plan.address.device() + pin - 1) % irq_domain::lines);
    entry = &functions_.emplace_back(std::move(plan), irqs_, ledger_);
    entry->dma().set_base(dma_base_);
    if (entry->intx())
        irqs_.line(entry->config().read(pci::registers::interrupt_line, 1)).join(*entry);
    by_address_.merge(added);
    return *entry;
}

inline pci::device_id machine::id(const function& f) noexcept {
    namespace reg = pci::registers;
    const auto word = [&](unsigned offset) { return static_cast<std::uint16_t>(f.config().read(offset, 2)); };
    const bool bridge = (f.config().read(reg::header_type, 1) & 0x7fU) != 0;  // its subsystem is elsewhere
    return {.vendor = word(reg::vendor_id),
            .device = word(reg::device_id),
            .subsystem_vendor = bridge ? std::uint16_t{0} : word(reg::subsystem_vendor_id),
            .subsystem_device = bridge ? std::uint16_t{0} : word(reg::subsystem_id),
            .class_code = f.config().read(reg::revision, 4) >> 8U};
}

inline std::vector<std::string> machine::held(const function& f) {
    std::vector<std::string> lines;
    if (const auto* const os = f.occupant())
        os->describe(lines);
    for (unsigned bar = 0; bar != pci::bar_count; ++bar) {
        if (f.mappings().mapped(bar))
            lines.push_back("BAR " + std::to_string(bar) + " mapped as \"" + f.mappings().name(bar) + '"');
    }
    const auto dma = [&](const char* what, const pci::dma_block& block) {
        lines.push_back(what + std::to_string(block.size) + " bytes at " +
                        detail::hex(static_cast<std::uint64_t>(block.bus)));
    };
    for (const pci::dma_block& block : f.dma().blocks())
        dma("DMA block of ", block);
    for (const pci::dma_block& mapping : f.dma().mappings())
        dma("DMA mapping of ", mapping);
    return lines;
}

inline void machine::collect(const void* self, std::vector<std::string>& lines) {
    const machine& m = *static_cast<const machine*>(self);
    const std::scoped_lock hold(m.lock_);
    for (const function& f : m.functions_) {
        for (const std::string& line : held(f))
            lines.push_back(std::string(f.address().text()) + ' ' + line);
    }
    if (const auto memory = m.memory_.in_use(); memory.blocks != 0)
        lines.push_back("memory: " + std::to_string(memory.blocks) + (memory.blocks == 1 ? " block, " : " blocks, ") +
                        std::to_string(memory.bytes) + " bytes");
}

inline bool machine::acquires_inside_handler(const function& f, const char* primitive) noexcept {
    if (detail::running_handlers == nullptr || !in_handler(f))
        return false;
    ledger_.record(violation_kind::acquired_inside_handler, f.address(),
                   std::string(primitive) + " from inside a handler, which nothing is acquired in: do it before the "
                                            "handler is registered, or on the thread of the function's calls");
    return true;
}

}  // namespace devres::hardware
