// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/platform.hpp>

namespace devres::pci {

/// The least that is a platform: every primitive declared, none defined. It proves that the concept asks for
/// no more than it says, and is the list to start from when writing a platform of one's own.
struct platform_archetype {
    struct function_type;
    struct region_type {};

    static constexpr bool hybrid_irq_vectors = false;

    void* allocate(std::size_t size, std::size_t alignment) noexcept;
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept;
    void relax() noexcept;

    result<> attach(function_type&) noexcept;
    void detach(function_type&) noexcept;
    device_id id(const function_type&) noexcept;

    result<> enable(function_type&) noexcept;
    void disable(function_type&) noexcept;
    result<> set_master(function_type&, bool on) noexcept;
    result<> suspend(function_type&) noexcept;
    result<> resume(function_type&) noexcept;

    result<std::uint32_t> read_config(function_type&, unsigned offset, unsigned width) noexcept;
    result<> write_config(function_type&, unsigned offset, unsigned width, std::uint32_t value) noexcept;

    result<region_type> map_bar(function_type&, bar_number, const char* name) noexcept;
    void unmap_bar(function_type&, region_type&) noexcept;
    std::size_t bar_size(const region_type&) noexcept;
    template <class T>
    T read(const region_type&, std::size_t offset) noexcept;
    template <class T>
    void write(const region_type&, std::size_t offset, T value) noexcept;

    result<vector_grant> allocate_vectors(function_type&, const vector_request&) noexcept;
    result<> free_vectors(function_type&) noexcept;
    irq_number vector_number(function_type&, vector_index) noexcept;

    result<handler_id> register_handler(function_type&, vector_index, const irq_action&) noexcept;
    result<> unregister_handler(function_type&, handler_id) noexcept;
    bool handler_registered(function_type&, handler_id) noexcept;
    bool in_handler(const function_type&) noexcept;

    result<dma_block> allocate_dma(function_type&, std::size_t size) noexcept;
    void free_dma(function_type&, const dma_block&) noexcept;
};

static_assert(platform<platform_archetype>);

}  // namespace devres::pci
