// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>

#include <devres/devres.hpp>

#include "opaque.h"

namespace devres::benchmarks {

/// The calls of opaque.h as a platform: each primitive is one call and the translation of its answer. What a
/// driver of the benchmarks does not need answers without a call.
struct opaque_platform {
    using function_type = ::opaque_function;
    using region_type = void*;

    static constexpr bool hybrid_irq_vectors = false;

    void* allocate(std::size_t size, std::size_t) noexcept { return std::malloc(size); }
    void deallocate(void* block, std::size_t, std::size_t) noexcept { std::free(block); }
    void relax() noexcept {}

    result<> attach(function_type&) noexcept { return {}; }
    void detach(function_type&) noexcept {}
    pci::device_id id(const function_type&) noexcept { return {}; }

    result<> enable(function_type& f) noexcept { return answer(opaque_enable(&f)); }
    void disable(function_type& f) noexcept { opaque_disable(&f); }
    result<> set_master(function_type& f, bool on) noexcept { return answer(opaque_set_master(&f, on)); }
    result<> suspend(function_type&) noexcept { return {}; }
    result<> resume(function_type&) noexcept { return {}; }

    result<std::uint32_t> read_config(function_type&, unsigned, unsigned) noexcept { return 0; }
    result<> write_config(function_type&, unsigned, unsigned, std::uint32_t) noexcept { return {}; }

    result<region_type> map_bar(function_type& f, pci::bar_number bar, const char* name) noexcept {
        void* const registers = opaque_map_bar(&f, bar.value(), name);
        if (registers == nullptr) [[unlikely]]
            return fail(errc::enomem);
        return registers;
    }
    void unmap_bar(function_type& f, region_type& region) noexcept { opaque_unmap_bar(&f, region); }
    std::size_t bar_size(const region_type&) noexcept { return 0; }
    template <class T>
    T read(const region_type&, std::size_t) noexcept {
        return {};
    }
    template <class T>
    void write(const region_type& region, std::size_t offset, T value) noexcept {
        opaque_write32(region, offset, static_cast<std::uint32_t>(value));
    }

    result<pci::vector_grant> allocate_vectors(function_type& f, const pci::vector_request& request) noexcept {
        const int count = opaque_alloc_vectors(&f, request.min, request.max, request.types.bits());
        if (count < 0) [[unlikely]]
            return fail(errc{-count});
        return pci::vector_grant{.count = static_cast<unsigned>(count), .type = pci::irq_type::msix};
    }
    result<> free_vectors(function_type& f) noexcept {
        opaque_free_vectors(&f);
        return {};
    }
    pci::irq_number vector_number(function_type&, pci::vector_index vector) noexcept {
        return pci::irq_number(vector.value());
    }

    result<pci::handler_id> register_handler(function_type& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept {
        const auto handler = reinterpret_cast<opaque_handler>(reinterpret_cast<void (*)()>(action.entry));
        const int error = opaque_request_irq(&f, vector.value(), handler, action.context, action.name);
        if (error != 0) [[unlikely]]
            return fail(errc{-error});
        return pci::handler_id{vector.value() + 1};
    }
    result<> unregister_handler(function_type& f, pci::handler_id id) noexcept {
        opaque_free_irq(&f, static_cast<unsigned>(id) - 1);
        return {};
    }
    bool handler_registered(function_type&, pci::handler_id id) noexcept { return id != pci::handler_id::none; }
    bool in_handler(const function_type&) noexcept { return false; }
    result<> synchronize_handler(function_type&, pci::handler_id) noexcept { return {}; }
    result<> disable_handler(function_type&, pci::handler_id) noexcept { return {}; }
    result<> enable_handler(function_type&, pci::handler_id) noexcept { return {}; }

    result<pci::dma_block> allocate_dma(function_type& f, std::size_t size) noexcept {
        void* const memory = opaque_alloc_coherent(&f, size);
        if (memory == nullptr) [[unlikely]]
            return fail(errc::enomem);
        return pci::dma_block{.cpu = memory, .bus = {}, .size = size};
    }
    void free_dma(function_type& f, const pci::dma_block& block) noexcept {
        opaque_free_coherent(&f, block.cpu, block.size);
    }
    result<pci::dma_block> map_dma(function_type&, void*, std::size_t) noexcept { return fail(errc::enomem); }
    void unmap_dma(function_type&, const pci::dma_block&) noexcept {}

private:
    static result<> answer(int error) noexcept {
        if (error != 0) [[unlikely]]
            return fail(errc{-error});
        return {};
    }
};

static_assert(pci::platform<opaque_platform>);

}  // namespace devres::benchmarks
