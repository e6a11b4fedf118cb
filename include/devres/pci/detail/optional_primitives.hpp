// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <devres/pci/platform.hpp>

namespace devres::pci::detail {

/// The optional primitives of any platform: its own, or the answer that it has none.
template <class P>
struct optional_primitives {
    using function = typename P::function_type;

    static result<bar_resource> describe_bar(P& p, const function& f, bar_number bar) noexcept {
        if constexpr (describes_bars<P>)
            return p.describe_bar(f, bar);
        else
            return fail(errc::enotsupp);
    }

    static result<handler_id> register_handler(P& p, function& f, vector_index vector,
                                               const irq_action& action) noexcept {
        if constexpr (!holds_handlers<P>) {
            if (action.disabled) [[unlikely]]
                return not_held();
        }
        return p.register_handler(f, vector, action);
    }

    static std::uint64_t vector_affinity(P& p, function& f, vector_index vector) noexcept {
        if constexpr (steers_vectors<P>)
            return p.vector_affinity(f, vector);
        else
            return 0;
    }
    static result<> hint_affinity(P& p, function& f, vector_index vector, std::uint64_t cpus, bool apply) noexcept {
        if constexpr (steers_vectors<P>)
            return p.hint_affinity(f, vector, cpus, apply);
        else
            return fail(errc::enotsupp);
    }

    static result<> hold_handler(P& p, function& f, handler_id id) noexcept {
        if constexpr (holds_handlers<P>)
            return p.hold_handler(f, id);
        else
            return fail(errc::enotsupp);
    }

    static result<work_id> add_work(P& p, function& f, const work_action& action) noexcept {
        if constexpr (defers_work<P>)
            return p.add_work(f, action);
        else
            return fail(errc::enotsupp);
    }
    static result<bool> schedule_work(P& p, function& f, work_id id, std::uint64_t nanoseconds, bool again) noexcept {
        if constexpr (defers_work<P>)
            return p.schedule_work(f, id, nanoseconds, again);
        else
            return fail(errc::enoent);
    }
    static result<bool> cancel_work(P& p, function& f, work_id id, bool wait) noexcept {
        if constexpr (defers_work<P>)
            return p.cancel_work(f, id, wait);
        else
            return false;
    }
    static result<bool> flush_work(P& p, function& f, work_id id) noexcept {
        if constexpr (defers_work<P>)
            return p.flush_work(f, id);
        else
            return false;
    }
    static result<> remove_work(P& p, function& f, work_id id) noexcept {
        if constexpr (defers_work<P>)
            return p.remove_work(f, id);
        else
            return {};
    }

    /// Out of line, so that the answer of the other is not copied.
    [[gnu::noinline, gnu::cold]] static result<handler_id> not_held() noexcept { return fail(errc::enotsupp); }

    static result<> set_dma_mask(P& p, function& f, dma_use use, std::uint64_t mask) noexcept {
        if constexpr (has_dma_masks<P>)
            return p.set_dma_mask(f, use, mask);
        else
            return fail(errc::enotsupp);
    }
    static std::uint64_t required_dma_mask(P& p, const function& f) noexcept {
        if constexpr (has_dma_masks<P>)
            return p.required_dma_mask(f);
        else
            return dma_bit_mask(64);
    }
    static result<dma_block> map_dma(P& p, function& f, void* memory, std::size_t size,
                                     dma_direction direction) noexcept {
        if constexpr (has_dma_directions<P>)
            return p.map_dma(f, memory, size, direction);
        else
            return p.map_dma(f, memory, size);
    }
    static void unmap_dma(P& p, function& f, const dma_block& mapping, dma_direction direction) noexcept {
        if constexpr (has_dma_directions<P>)
            p.unmap_dma(f, mapping, direction);
        else
            p.unmap_dma(f, mapping);
    }
    static void sync_dma_for_cpu(P& p, function& f, const dma_block& part, dma_direction direction) noexcept {
        if constexpr (has_dma_directions<P>)
            p.sync_dma_for_cpu(f, part, direction);
    }
    static void sync_dma_for_device(P& p, function& f, const dma_block& part, dma_direction direction) noexcept {
        if constexpr (has_dma_directions<P>)
            p.sync_dma_for_device(f, part, direction);
    }
};

}  // namespace devres::pci::detail
