// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/sim/bus.hpp>

/// The bus's primitives that are not about interrupts: drivers, power, BARs, DMA; and what is held.
namespace devres::sim {

inline function& bus::place(detail::blueprint plan) {
    const std::scoped_lock hold(lock_);
    const auto taken = [&](pci::address where) {
        for (const function& f : functions_) {
            if (f.address() == where)
                return true;
        }
        return false;
    };
    if (plan.address == next_free_address) {
        unsigned slot = 1;
        const auto numbered = [](unsigned n) {
            return pci::address(0, static_cast<std::uint8_t>(n / 32), static_cast<std::uint8_t>(n % 32), 0);
        };
        while (taken(numbered(slot)))
            ++slot;
        plan.address = numbered(slot);
    } else if (taken(plan.address)) {
        throw std::invalid_argument(std::string("function_config.address is ") + plan.address.text().c_str() +
                                    ": must be one that no function of the bus has");
    }
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        detail::bar_window& bar = plan.bars[i];
        if (bar.size == 0 || plan.assigned)
            continue;
        const auto next = [size = bar.size](auto& cursor) {
            using number = std::remove_reference_t<decltype(cursor)>;
            const auto base = static_cast<number>((cursor + size - 1) / size * size);
            cursor = static_cast<number>(base + size);
            return base;
        };
        std::uint64_t base = bar.io ? next(next_io_) : bar.wide ? next(next_wide_) : next(next_memory_);
        if (bar.io ? base + bar.size > 0x1'0000 : !bar.wide && base + bar.size > 0xfec0'0000)
            base = 0;  // no room is left: the BAR has no address, which nothing here depends on
        const std::uint32_t flags = bar.io ? 1 : bar.wide ? 4 : 0;
        detail::set_field(plan.config, registers::bar + 4 * i, 4, static_cast<std::uint32_t>(base) | flags);
        if (bar.wide)
            detail::set_field(plan.config, registers::bar + 4 * i + 4, 4, static_cast<std::uint32_t>(base >> 32U));
    }
    const unsigned pin = detail::field(plan.config, registers::interrupt_pin, 1);
    detail::set_field(plan.config, registers::interrupt_line, 1,
                      pin == 0 ? 0 : irq_domain::first_line + (plan.address.device() + pin - 1) % irq_domain::lines);
    return functions_.emplace_back(std::move(plan), irqs_, ledger_);
}

inline result<> bus::attach(function& f) noexcept {
    if (!f.present())
        return fail(errc::enodev);
    if (f.driver_.attached.exchange(true))
        return fail(errc::ebusy);
    return {};
}

inline void bus::detach(function& f) noexcept {
    if (!f.driver_.attached.exchange(false)) {
        ledger_.record(violation_kind::detached_without_driver, f.address(), "detached, but no driver has it");
        return;
    }
    for (const std::string& line : held(f))
        ledger_.record(violation_kind::detached_with_resources, f.address(), "detached while held: " + line);
    if (std::exchange(f.driver_.mastering, false) && f.present() &&
        (f.command() & registers::command_bits::master) != 0)
        ledger_.record(violation_kind::detached_with_master, f.address(),
                       "detached while it is bus master, and may still write to memory that is the next one's: "
                       "set_master(false), or the last disable, comes first");
    if (f.driver_.saved) {
        f.driver_.saved.reset();
        wake(f);
    }
}

inline pci::device_id bus::id(const function& f) noexcept {
    const auto word = [&](unsigned offset) { return static_cast<std::uint16_t>(f.config_.read(offset, 2)); };
    const bool bridge = (f.config_.read(registers::header_type, 1) & 0x7fU) != 0;  // its subsystem is elsewhere
    return {.vendor = word(registers::vendor_id),
            .device = word(registers::device_id),
            .subsystem_vendor = bridge ? std::uint16_t{0} : word(registers::subsystem_vendor_id),
            .subsystem_device = bridge ? std::uint16_t{0} : word(registers::subsystem_id),
            .class_code = f.config_.read(registers::revision, 4) >> 8U};
}

/// Whether a handler of the function's, here and now, is to be refused what it acquires.
inline bool bus::acquires_inside_handler(const function& f, const char* primitive) noexcept {
    if (detail::running_handlers == nullptr || !in_handler(f))
        return false;
    ledger_.record(violation_kind::acquired_inside_handler, f.address(),
                   std::string(primitive) + " from inside a handler, which nothing is acquired in: do it before the "
                                            "handler is registered, or on the thread of the function's calls");
    return true;
}

inline result<> bus::enable(function& f) noexcept {
    namespace bits = registers::command_bits;
    if (acquires_inside_handler(f, "enable"))
        return fail(errc::edeadlk);
    if (!f.present())
        return fail(errc::enodev);
    if (!f.driver_.enables.enable())
        return {};
    wake(f);
    unsigned decode = 0;
    for (const detail::bar_window& bar : f.bars_) {
        if (bar.size != 0)
            decode |= bar.io ? bits::io : bits::memory;
    }
    f.driver_.decode_before = f.command() & (bits::io | bits::memory);
    f.config_.set_bits(registers::command, 2, decode, decode);
    return {};
}

/// COMMAND as it was before the first enable.
inline void bus::undecode(function& f) noexcept {
    namespace bits = registers::command_bits;
    f.config_.set_bits(registers::command, 2, bits::io | bits::memory | bits::master, f.driver_.decode_before);
}

/// To D0.
inline void bus::wake(function& f) noexcept {
    if (f.layout_.power_management != 0)
        (void)f.write_config(f.layout_.power_management + registers::power_management::control, 2, 0);
    else if (f.present())
        f.set_power(false);
}

inline void bus::disable(function& f) noexcept {
    if (f.driver_.enables.count() == 0) {
        ledger_.record(violation_kind::disabled_too_often, f.address(), "disabled, but it is not enabled");
        return;
    }
    if (f.driver_.enables.disable(f.driver_.needs_enable()))
        disable_now(f);
}

inline void bus::disable_now(function& f) noexcept {
    f.driver_.mastering = false;
    if (!f.present())
        return;
    undecode(f);
    if (f.model_ == nullptr)
        f.lower_intx();  // a device without a model has no reason to interrupt that could last
}

inline result<> bus::set_master(function& f, bool on) noexcept {
    if (!f.present())
        return fail(errc::enodev);
    f.config_.set_bits(registers::command, 2, registers::command_bits::master,
                       on ? registers::command_bits::master : 0);
    f.driver_.mastering = on;
    return {};
}

inline result<> bus::suspend(function& f) noexcept try {
    if (!f.present())
        return fail(errc::enodev);
    if (f.driver_.saved)
        return fail(errc::einval);
    f.driver_.saved.emplace(f.config_.first_registers(), f.table_.words_of_table());
    if (f.layout_.power_management != 0)
        return f.write_config(f.layout_.power_management + registers::power_management::control, 2,
                              registers::power_management::state);
    f.set_power(true);
    return {};
} catch (const std::bad_alloc&) {
    return fail(errc::enomem);
}

inline result<> bus::resume(function& f) noexcept {
    if (!f.driver_.saved)
        return fail(f.present() ? errc::einval : errc::enodev);
    const auto saved = std::move(*f.driver_.saved);
    f.driver_.saved.reset();
    if (!f.present())
        return fail(errc::enodev);
    wake(f);
    f.table_.restore(saved.msix_table);
    f.config_.restore(saved.registers);
    if (f.driver_.vectors.load() == 0)  // freed meanwhile, as the function may have been disabled
        silence(f, f.msix_vectors());
    if (f.driver_.enables.count() == 0 && !f.driver_.enables.disable_is_due())
        undecode(f);
    f.send_pending();
    f.service_intx();
    return {};
}

inline result<region> bus::map_bar(function& f, pci::bar_number bar, const char* name) noexcept {
    if (acquires_inside_handler(f, "map_bar"))
        return fail(errc::edeadlk);
    if (!f.present())
        return fail(errc::enodev);
    if (f.bar_size(bar) == 0)
        return fail(errc::einval);
    auto& mapping = f.driver_.mappings[bar.value()];
    if (mapping.generation.load() != 0)
        return fail(errc::ebusy);
    mapping.name.set(name);
    if (++f.driver_.generations == 0)
        ++f.driver_.generations;
    mapping.generation.store(f.driver_.generations);
    region out;
    out.function_ = &f;
    out.size_ = f.bar_size(bar);
    out.generation_ = f.driver_.generations;
    out.bar_ = static_cast<std::uint8_t>(bar.value());
    return out;
}

inline void bus::unmap_bar(function& f, region& mapped) noexcept {
    auto& mapping = f.driver_.mappings[mapped.bar_];
    if (mapped.function_ != &f || mapping.generation.load() != mapped.generation_) {
        ledger_.record(violation_kind::unmapped_twice, f.address(),
                       "BAR " + std::to_string(mapped.bar_) + " is unmapped, but that mapping is not there");
        return;
    }
    mapping.generation.store(0);
    if (f.driver_.enables.settle(f.driver_.needs_enable()))
        disable_now(f);
}

inline bool bus::accessible(const region& mapped, std::size_t offset, unsigned width) noexcept {
    if (mapped.function_ == nullptr) {
        ledger_.record(violation_kind::used_after_unmap, "access through a region that was never mapped");
        return false;
    }
    function& f = *mapped.function_;
    const auto wrong = [&](violation_kind kind, const char* why) {
        ledger_.record(kind, f.address(),
                       "access of " + std::to_string(width) + " bytes at " + detail::hex(offset) + " of BAR " +
                           std::to_string(mapped.bar_) + ": " + why);
        return false;
    };
    if (f.driver_.mappings[mapped.bar_].generation.load(std::memory_order_relaxed) != mapped.generation_)
        return wrong(violation_kind::used_after_unmap, "it is not mapped any more");
    if (offset > mapped.size_ || width > mapped.size_ - offset)
        return wrong(violation_kind::access_out_of_range, ("it has " + detail::bytes_text(mapped.size_)).c_str());
    if (offset % width != 0)
        return wrong(violation_kind::access_misaligned, "the offset is no multiple of the size");
    if (!f.awake())
        return false;
    const unsigned decode = f.bars_[mapped.bar_].io ? registers::command_bits::io : registers::command_bits::memory;
    if ((f.command() & decode) == 0)
        return f.present() &&
               wrong(violation_kind::access_not_decoded, "COMMAND does not enable it: enable comes first");
    return true;
}

/// Once for each handler and BAR: what it uses there may have gone before it, or is said not to be used.
inline void bus::check_handler(const region& mapped, const char* does) noexcept {
    irq_slot& slot = *detail::running_handlers->slot;
    if (slot.owner != mapped.function_ || slot.id.load(std::memory_order_relaxed) == 0)
        return;
    const auto bit = static_cast<std::uint8_t>(1U << mapped.bar_);
    const auto tell = [&](std::atomic<std::uint8_t>& told, violation_kind kind, const char* what) {
        if ((told.fetch_or(bit, std::memory_order_relaxed) & bit) == 0)
            ledger_.record(kind, mapped.function_->address(),
                           "handler \"" + slot.name.get() + "\" " + does + " BAR " + std::to_string(mapped.bar_) +
                               what);
    };
    if (static_cast<std::int32_t>(mapped.generation_ - slot.youngest_mapping) > 0)
        tell(slot.told_younger, violation_kind::bar_younger_than_handler,
             ", which is younger than the handler and may go before it: request the handler after what it uses");
    if ((slot.keeps_off_bars & bit) != 0)
        tell(slot.told_kept_off, violation_kind::bar_kept_off,
             ", which its driver's table says it keeps off: take the BAR out of irq_handler.without, or out of the "
             "handler");
}

inline result<pci::dma_block> bus::allocate_dma(function& f, std::size_t size) noexcept try {
    if (acquires_inside_handler(f, "allocate_dma"))
        return fail(errc::edeadlk);
    auto block = f.dma_.allocate(size);
    if (!block)
        return fail(errc::enomem);
    return *block;
} catch (const std::bad_alloc&) {
    return fail(errc::enomem);
}

inline void bus::free_dma(function& f, const pci::dma_block& block) noexcept {
    if (!f.dma_.free(block))
        ledger_.record(violation_kind::dma_freed_twice, f.address(),
                       "DMA block at " + detail::hex(static_cast<std::uint64_t>(block.bus)) +
                           " is freed, but it is not allocated");
}

inline result<pci::dma_block> bus::map_dma(function& f, void* memory, std::size_t size) noexcept try {
    if (acquires_inside_handler(f, "map_dma"))
        return fail(errc::edeadlk);
    auto mapping = f.dma_.map(memory, size);
    if (!mapping)
        return fail(errc::enomem);
    return *mapping;
} catch (const std::bad_alloc&) {
    return fail(errc::enomem);
}

inline void bus::unmap_dma(function& f, const pci::dma_block& mapping) noexcept {
    if (!f.dma_.unmap(mapping))
        ledger_.record(violation_kind::dma_unmapped_twice, f.address(),
                       "DMA mapping at " + detail::hex(static_cast<std::uint64_t>(mapping.bus)) +
                           " is unmapped, but it is not mapped");
}

inline std::vector<std::string> bus::held(const function& f) {
    std::vector<std::string> lines;
    const detail::driver_side& driver = f.driver_;
    if (const unsigned enables = driver.enables.count(); enables == 1)
        lines.emplace_back("enabled");
    else if (enables != 0)
        lines.push_back("enabled " + std::to_string(enables) + " times");
    for (unsigned bar = 0; bar != pci::bar_count; ++bar) {
        if (driver.mappings[bar].generation.load() != 0)
            lines.push_back("BAR " + std::to_string(bar) + " mapped as \"" + driver.mappings[bar].name.get() + '"');
    }
    if (const unsigned count = driver.vectors.load(); count != 0) {
        const unsigned base = driver.base.load();
        lines.push_back(std::to_string(count) + ' ' + detail::type_name(driver.type.load()) +
                        (count == 1 ? " vector, irq " : " vectors, irq ") + std::to_string(base) +
                        (count == 1 ? "" : '-' + std::to_string(base + count - 1)));
        const irq_slot* const slots = driver.slots.load(std::memory_order_acquire);
        for (unsigned i = 0; i != count; ++i) {
            if (slots[i].id.load(std::memory_order_acquire) != 0)
                lines.push_back("handler \"" + slots[i].name.get() + "\" on vector " + std::to_string(i));
        }
    }
    const auto dma = [&](const char* what, const pci::dma_block& block) {
        lines.push_back(what + std::to_string(block.size) + " bytes at " +
                        detail::hex(static_cast<std::uint64_t>(block.bus)));
    };
    for (const pci::dma_block& block : f.dma_.blocks())
        dma("DMA block of ", block);
    for (const pci::dma_block& mapping : f.dma_.mappings())
        dma("DMA mapping of ", mapping);
    return lines;
}

inline void bus::collect(const void* self, std::vector<std::string>& lines) {
    const bus& b = *static_cast<const bus*>(self);
    const std::scoped_lock hold(b.lock_);
    for (const function& f : b.functions_) {
        const std::string where = f.address().text().c_str() + std::string(" ");
        if (f.driver_.attached.load())
            lines.push_back(where + "driver attached");
        for (const std::string& line : held(f))
            lines.push_back(where + line);
    }
    if (const auto memory = b.memory_.in_use(); memory.blocks != 0)
        lines.push_back("memory: " + std::to_string(memory.blocks) + (memory.blocks == 1 ? " block, " : " blocks, ") +
                        std::to_string(memory.bytes) + " bytes");
}

}  // namespace devres::sim
