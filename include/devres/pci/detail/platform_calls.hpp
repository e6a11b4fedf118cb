// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <devres/core/event.hpp>
#include <devres/pci/platform.hpp>

/// What stands behind an `any_platform`.
namespace devres::pci {

class any_platform;
class any_function;
struct any_region;

namespace detail {

/// The primitives of a platform, and `note`, which is null where the platform does not listen. A table, because clang 19 forgets
/// to define virtual functions of a class template that it meets first while it deduces a lambda's result.
struct platform_calls {
    void* (*allocate)(any_platform& self, std::size_t size, std::size_t alignment) noexcept;
    void (*deallocate)(any_platform& self, void* block, std::size_t size, std::size_t alignment) noexcept;
    void (*relax)(any_platform& self) noexcept;
    result<> (*attach)(any_platform& self, any_function& f) noexcept;
    void (*detach)(any_platform& self, any_function& f) noexcept;
    device_id (*id)(any_platform& self, const any_function& f) noexcept;
    result<> (*enable)(any_platform& self, any_function& f) noexcept;
    void (*disable)(any_platform& self, any_function& f) noexcept;
    result<> (*set_master)(any_platform& self, any_function& f, bool on) noexcept;
    result<> (*suspend)(any_platform& self, any_function& f) noexcept;
    result<> (*resume)(any_platform& self, any_function& f) noexcept;
    result<std::uint32_t> (*read_config)(any_platform& self, any_function& f, unsigned offset, unsigned width) noexcept;
    result<> (*write_config)(any_platform& self, any_function& f, unsigned offset, unsigned width,
                             std::uint32_t value) noexcept;
    result<bar_resource> (*describe_bar)(any_platform& self, const any_function& f, bar_number bar) noexcept;
    result<any_region> (*map_bar)(any_platform& self, any_function& f, bar_number bar, const char* name) noexcept;
    void (*unmap_bar)(any_platform& self, any_function& f, any_region& region) noexcept;
    result<vector_grant> (*allocate_vectors)(any_platform& self, any_function& f,
                                             const vector_request& request) noexcept;
    result<> (*free_vectors)(any_platform& self, any_function& f) noexcept;
    irq_number (*vector_number)(any_platform& self, any_function& f, vector_index vector) noexcept;
    result<handler_id> (*register_handler)(any_platform& self, any_function& f, vector_index vector,
                                           const irq_action& action) noexcept;
    result<> (*unregister_handler)(any_platform& self, any_function& f, handler_id id) noexcept;
    bool (*handler_registered)(any_platform& self, any_function& f, handler_id id) noexcept;
    bool (*in_handler)(any_platform& self, const any_function& f) noexcept;
    result<> (*synchronize_handler)(any_platform& self, any_function& f, handler_id id) noexcept;
    result<> (*disable_handler)(any_platform& self, any_function& f, handler_id id) noexcept;
    result<> (*enable_handler)(any_platform& self, any_function& f, handler_id id) noexcept;
    std::uint64_t (*vector_affinity)(any_platform& self, any_function& f, vector_index vector) noexcept;
    result<> (*hint_affinity)(any_platform& self, any_function& f, vector_index vector, std::uint64_t cpus,
                              bool apply) noexcept;
    result<> (*hold_handler)(any_platform& self, any_function& f, handler_id id) noexcept;
    result<work_id> (*add_work)(any_platform& self, any_function& f, const work_action& action) noexcept;
    result<bool> (*schedule_work)(any_platform& self, any_function& f, work_id id, std::uint64_t nanoseconds,
                                  bool again) noexcept;
    result<bool> (*cancel_work)(any_platform& self, any_function& f, work_id id, bool wait) noexcept;
    result<bool> (*flush_work)(any_platform& self, any_function& f, work_id id) noexcept;
    result<> (*remove_work)(any_platform& self, any_function& f, work_id id) noexcept;
    result<> (*set_dma_mask)(any_platform& self, any_function& f, dma_use use, std::uint64_t mask) noexcept;
    std::uint64_t (*required_dma_mask)(any_platform& self, const any_function& f) noexcept;
    result<dma_block> (*allocate_dma)(any_platform& self, any_function& f, std::size_t size) noexcept;
    void (*free_dma)(any_platform& self, any_function& f, const dma_block& block) noexcept;
    result<dma_block> (*map_dma)(any_platform& self, any_function& f, void* memory, std::size_t size,
                                 dma_direction direction) noexcept;
    void (*unmap_dma)(any_platform& self, any_function& f, const dma_block& mapping, dma_direction direction) noexcept;
    void (*sync_dma_for_cpu)(any_platform& self, any_function& f, const dma_block& part,
                             dma_direction direction) noexcept;
    void (*sync_dma_for_device)(any_platform& self, any_function& f, const dma_block& part,
                                dma_direction direction) noexcept;
    std::uint8_t (*read8)(any_platform& self, const any_region& region, std::size_t offset) noexcept;
    std::uint16_t (*read16)(any_platform& self, const any_region& region, std::size_t offset) noexcept;
    std::uint32_t (*read32)(any_platform& self, const any_region& region, std::size_t offset) noexcept;
    std::uint64_t (*read64)(any_platform& self, const any_region& region, std::size_t offset) noexcept;
    void (*write8)(any_platform& self, const any_region& region, std::size_t offset, std::uint8_t value) noexcept;
    void (*write16)(any_platform& self, const any_region& region, std::size_t offset, std::uint16_t value) noexcept;
    void (*write32)(any_platform& self, const any_region& region, std::size_t offset, std::uint32_t value) noexcept;
    void (*write64)(any_platform& self, const any_region& region, std::size_t offset, std::uint64_t value) noexcept;
    void (*note_event)(any_platform& self, any_function& f, const resource_event& event) noexcept;
};

}  // namespace detail
}  // namespace devres::pci
