// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/detail/exceptions.hpp>
#include <devres/hardware/machine.hpp>

/// BARs that are mapped, what an access through one is checked for, and DMA.
namespace devres::hardware {

inline result<pci::bar_resource> machine::describe_bar(const function& f, pci::bar_number bar) noexcept {
    if (f.bar_size(bar) == 0)
        return fail(errc::einval);
    const auto read = [&](unsigned number) { return f.config().read(pci::registers::bar + 4 * number, 4); };
    return pci::bar_resource_of(read(bar.value()), bar.value() + 1 == pci::bar_count ? 0 : read(bar.value() + 1),
                                f.bar_size(bar));
}

inline result<region> machine::map_bar(function& f, pci::bar_number bar, const char* name) noexcept {
    if (acquires_inside_handler(f, "map_bar"))
        return fail(errc::edeadlk);
    if (!f.present())
        return fail(errc::enodev);
    if (f.bar_size(bar) == 0)
        return fail(errc::einval);
    if (f.mappings().mapped(bar.value()))
        return fail(errc::ebusy);
    region out;
    out.function_ = &f;
    out.size_ = f.bar_size(bar);
    out.generation_ = f.mappings().map(bar.value(), name);
    out.bar_ = static_cast<std::uint8_t>(bar.value());
    return out;
}

inline bool machine::unmap_bar(function& f, const region& mapped) noexcept {
    if (mapped.function_ != &f || !f.mappings().current(mapped.bar_, mapped.generation_)) {
        ledger_.record(violation_kind::unmapped_twice, f.address(),
                       "BAR " + std::to_string(mapped.bar_) + " is unmapped, but that mapping is not there");
        return false;
    }
    f.mappings().unmap(mapped.bar_);
    return true;
}

inline bool machine::accessible(const region& mapped, std::size_t offset, unsigned width) noexcept {
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
    if (!f.mappings().current(mapped.bar_, mapped.generation_))
        return wrong(violation_kind::used_after_unmap, "it is not mapped any more");
    if (offset > mapped.size_ || width > mapped.size_ - offset)
        return wrong(violation_kind::access_out_of_range, ("it has " + detail::bytes_text(mapped.size_)).c_str());
    if (offset % width != 0)
        return wrong(violation_kind::access_misaligned, "the offset is no multiple of the size");
    if (!f.awake())
        return false;
    const unsigned decode = f.io_bar(mapped.bar_) ? pci::registers::command_bits::io
                                                  : pci::registers::command_bits::memory;
    if ((f.command() & decode) == 0)
        return f.present() &&
               wrong(violation_kind::access_not_decoded, "COMMAND does not enable it: enable comes first");
    return true;
}

/// Once for each handler and BAR: what it uses there may have gone before it, or is said not to be used.
inline void machine::check_handler(const region& mapped, const char* does) noexcept {
    irq_slot& slot = *detail::running_handlers->slot;
    if (slot.owner != mapped.function_ || slot.id.load(std::memory_order_relaxed) == 0)
        return;
    const std::uint32_t bit = 1U << mapped.bar_;
    const auto tell = [&](std::atomic<std::uint32_t>& told, violation_kind kind, const char* what) {
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

inline result<pci::dma_block> machine::allocate_dma(function& f, std::size_t size) noexcept {
    return devres::detail::unless_out_of_memory([&]() -> result<pci::dma_block> {
        if (acquires_inside_handler(f, "allocate_dma"))
            return fail(errc::edeadlk);
        auto block = f.dma().allocate(size);
        if (!block)
            return fail(errc::enomem);
        return *block;
    });
}

inline void machine::free_dma(function& f, const pci::dma_block& block) noexcept {
    if (!f.dma().free(block))
        ledger_.record(violation_kind::dma_freed_twice, f.address(),
                       "DMA block at " + detail::hex(static_cast<std::uint64_t>(block.bus)) +
                           " is freed, but it is not allocated");
}

inline result<pci::dma_block> machine::map_dma(function& f, void* memory, std::size_t size,
                                               pci::dma_direction direction) noexcept {
    return devres::detail::unless_out_of_memory([&]() -> result<pci::dma_block> {
        if (acquires_inside_handler(f, "map_dma"))
            return fail(errc::edeadlk);
        auto mapping = f.dma().map(memory, size, direction, coherent_);
        if (!mapping)
            return fail(errc::enomem);
        return *mapping;
    });
}

inline void machine::unmap_dma(function& f, const pci::dma_block& mapping) noexcept {
    if (f.dma().sync_for_cpu(mapping) == dma_space::synced::clash)
        tell_sync(f, mapping, dma_space::synced::clash,
                  "the driver wrote bytes of it that it did not sync for the device");
    if (!f.dma().unmap(mapping))
        ledger_.record(violation_kind::dma_unmapped_twice, f.address(),
                       "DMA mapping at " + detail::hex(static_cast<std::uint64_t>(mapping.bus)) +
                           " is unmapped, but it is not mapped");
}

inline void machine::sync_dma_for_cpu(function& f, const pci::dma_block& part) noexcept {
    tell_sync(f, part, f.dma().sync_for_cpu(part), "the driver wrote bytes of it that it did not sync for the device");
}
inline void machine::sync_dma_for_device(function& f, const pci::dma_block& part) noexcept {
    tell_sync(f, part, f.dma().sync_for_device(part), "the device wrote bytes of it that the driver did not sync");
}
inline void machine::tell_sync(function& f, const pci::dma_block& part, dma_space::synced outcome,
                               const char* clash) noexcept {
    if (outcome == dma_space::synced::done)
        return;
    const bool mapped = outcome != dma_space::synced::not_mapped;
    ledger_.record(mapped ? violation_kind::dma_not_synced : violation_kind::dma_synced_unmapped, f.address(),
                   "sync of " + std::to_string(part.size) + " bytes at " +
                       detail::hex(static_cast<std::uint64_t>(part.bus)) + ": " +
                       (mapped ? clash : "no memory is mapped there"));
}

}  // namespace devres::hardware
