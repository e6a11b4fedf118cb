// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>

#include <devres/core/event.hpp>
#include <devres/pci/detail/platform_calls.hpp>
#include <devres/pci/platform.hpp>
#include <devres/pci/register_window.hpp>

/// Platforms whose type a driver does not know, so that it is compiled once for all of them.
namespace devres::pci {

class any_platform;

/// A function of a platform that is an `any_platform` to the driver. The program makes one with `erased_function`, and it lasts
/// longer than the driver that is put on it.
class any_function {
public:
    any_function(const any_function&) = delete;
    any_function& operator=(const any_function&) = delete;

    /// The platform that the function is of.
    [[nodiscard]] any_platform& platform() const noexcept { return *platform_; }

protected:
    /// A function of `platform`, which outlives it.
    explicit any_function(any_platform& platform) noexcept : platform_(&platform) {}
    ~any_function() = default;

private:
    any_platform* platform_;
};

/// A mapped BAR of any platform. A copy is the same mapping, and good as long as it.
struct any_region {
    void* mapped = nullptr;  ///< what the platform underneath gave
    std::size_t size = 0;    ///< of the BAR, in bytes
    register_window window;  ///< what of it is read and written without a call
};

/// The primitives of a platform behind a table of functions: a platform itself, which stands for any other. A driver bound on it
/// is an ordinary class and its state is too, and neither is compiled again for another platform.
///
/// A primitive is one indirect call, and what the platform underneath makes of it. A register that is in memory
/// (`register_window`) is read and written without one, and so is the size of a BAR known. Interrupts reach the driver directly.
/// What the primitives guarantee is what those of the platform underneath do.
///
/// `erased<P>` makes one of any platform; the contract of each primitive is on its line of <devres/pci/platform_archetype.hpp>.
class any_platform {
public:
    using function_type = any_function;  ///< what a driver is put on
    using region_type = any_region;      ///< what a mapped BAR is

    /// The platform underneath may be one where vectors of a managed device are managed. The driver that is right there is right
    /// everywhere, so plain vectors of a managed device do not compile (D003) for any.
    static constexpr bool hybrid_irq_vectors = true;

    any_platform(const any_platform&) = delete;
    any_platform& operator=(const any_platform&) = delete;

    /// A primitive of a platform: its contract is that of `pci::platform_archetype`.
    /// @{
    void* allocate(std::size_t size, std::size_t alignment) noexcept {
        return calls_->allocate(*this, size, alignment);
    }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        calls_->deallocate(*this, block, size, alignment);
    }
    void relax() noexcept { calls_->relax(*this); }

    /// @}

    /// The primitive, and `einval` too for a function of another platform.
    result<> attach(any_function& f) noexcept { return calls_->attach(*this, f); }
    /// The primitive; of a function of another platform, that of no device.
    device_id id(const any_function& f) noexcept { return calls_->id(*this, f); }

    /// A primitive of a platform: its contract is that of `pci::platform_archetype`.
    /// @{
    void detach(any_function& f) noexcept { calls_->detach(*this, f); }

    result<> enable(any_function& f) noexcept { return calls_->enable(*this, f); }
    void disable(any_function& f) noexcept { calls_->disable(*this, f); }
    result<> set_master(any_function& f, bool on) noexcept { return calls_->set_master(*this, f, on); }
    result<> suspend(any_function& f) noexcept { return calls_->suspend(*this, f); }
    result<> resume(any_function& f) noexcept { return calls_->resume(*this, f); }

    result<std::uint32_t> read_config(any_function& f, unsigned offset, unsigned width) noexcept {
        return calls_->read_config(*this, f, offset, width);
    }
    result<> write_config(any_function& f, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        return calls_->write_config(*this, f, offset, width, value);
    }

    /// The primitive, and `enotsupp` if the platform underneath has none.
    result<bar_resource> describe_bar(const any_function& f, bar_number bar) noexcept {
        return calls_->describe_bar(*this, f, bar);
    }
    result<any_region> map_bar(any_function& f, bar_number bar, const char* name) noexcept {
        return calls_->map_bar(*this, f, bar, name);
    }
    void unmap_bar(any_function& f, any_region& region) noexcept { calls_->unmap_bar(*this, f, region); }
    std::size_t bar_size(const any_region& region) const noexcept { return region.size; }
    template <class T>
    [[nodiscard]] T read(const any_region& region, std::size_t offset) noexcept {
        if (const register_window& in = region.window; offset - in.begin < in.length) [[likely]]
            return *reinterpret_cast<const volatile T*>(in.base + offset);
        if constexpr (sizeof(T) == 1)
            return read8(region, offset);
        else if constexpr (sizeof(T) == 2)
            return read16(region, offset);
        else if constexpr (sizeof(T) == 4)
            return read32(region, offset);
        else
            return read64(region, offset);
    }
    template <class T>
    void write(const any_region& region, std::size_t offset, T value) noexcept {
        if (const register_window& in = region.window; offset - in.begin < in.length) [[likely]]
            *reinterpret_cast<volatile T*>(in.base + offset) = value;
        else if constexpr (sizeof(T) == 1)
            write8(region, offset, value);
        else if constexpr (sizeof(T) == 2)
            write16(region, offset, value);
        else if constexpr (sizeof(T) == 4)
            write32(region, offset, value);
        else
            write64(region, offset, value);
    }

    result<vector_grant> allocate_vectors(any_function& f, const vector_request& request) noexcept {
        return calls_->allocate_vectors(*this, f, request);
    }
    result<> free_vectors(any_function& f) noexcept { return calls_->free_vectors(*this, f); }
    irq_number vector_number(any_function& f, vector_index vector) noexcept {
        return calls_->vector_number(*this, f, vector);
    }

    result<handler_id> register_handler(any_function& f, vector_index vector, const irq_action& action) noexcept {
        return calls_->register_handler(*this, f, vector, action);
    }
    result<> unregister_handler(any_function& f, handler_id id) noexcept {
        return calls_->unregister_handler(*this, f, id);
    }
    bool handler_registered(any_function& f, handler_id id) noexcept {
        return calls_->handler_registered(*this, f, id);
    }
    bool in_handler(const any_function& f) noexcept { return calls_->in_handler(*this, f); }
    result<> synchronize_handler(any_function& f, handler_id id) noexcept {
        return calls_->synchronize_handler(*this, f, id);
    }
    result<> disable_handler(any_function& f, handler_id id) noexcept { return calls_->disable_handler(*this, f, id); }
    result<> enable_handler(any_function& f, handler_id id) noexcept { return calls_->enable_handler(*this, f, id); }

    /// The primitive; 0 if the platform underneath has it not.
    std::uint64_t vector_affinity(any_function& f, vector_index vector) noexcept {
        return calls_->vector_affinity(*this, f, vector);
    }
    /// The primitive; `enotsupp` if the platform underneath has it not.
    result<> hint_affinity(any_function& f, vector_index vector, std::uint64_t cpus, bool apply) noexcept {
        return calls_->hint_affinity(*this, f, vector, cpus, apply);
    }
    /// The primitive; `enotsupp` if the platform underneath has it not, as for a handler that is to be registered disabled.
    result<> hold_handler(any_function& f, handler_id id) noexcept { return calls_->hold_handler(*this, f, id); }
    /// The primitive, and `enotsupp` if the platform underneath has no work.
    result<work_id> add_work(any_function& f, const work_action& action) noexcept {
        return calls_->add_work(*this, f, action);
    }
    result<bool> schedule_work(any_function& f, work_id id, std::uint64_t nanoseconds, bool again) noexcept {
        return calls_->schedule_work(*this, f, id, nanoseconds, again);
    }
    result<bool> cancel_work(any_function& f, work_id id, bool wait) noexcept {
        return calls_->cancel_work(*this, f, id, wait);
    }
    result<bool> flush_work(any_function& f, work_id id) noexcept { return calls_->flush_work(*this, f, id); }
    result<> remove_work(any_function& f, work_id id) noexcept { return calls_->remove_work(*this, f, id); }

    /// The primitive, and `enotsupp` if the platform underneath has none.
    result<> set_dma_mask(any_function& f, dma_use use, std::uint64_t mask) noexcept {
        return calls_->set_dma_mask(*this, f, use, mask);
    }
    /// The primitive, and all bits if the platform underneath has none.
    std::uint64_t required_dma_mask(const any_function& f) noexcept { return calls_->required_dma_mask(*this, f); }
    result<dma_block> allocate_dma(any_function& f, std::size_t size) noexcept {
        return calls_->allocate_dma(*this, f, size);
    }
    void free_dma(any_function& f, const dma_block& block) noexcept { calls_->free_dma(*this, f, block); }
    /// The primitive; in both directions if the platform underneath knows none.
    result<dma_block> map_dma(any_function& f, void* memory, std::size_t size,
                              dma_direction direction = dma_direction::bidirectional) noexcept {
        return calls_->map_dma(*this, f, memory, size, direction);
    }
    void unmap_dma(any_function& f, const dma_block& mapping,
                   dma_direction direction = dma_direction::bidirectional) noexcept {
        calls_->unmap_dma(*this, f, mapping, direction);
    }
    /// The primitive, and nothing if the platform underneath has none.
    void sync_dma_for_cpu(any_function& f, const dma_block& part, dma_direction direction) noexcept {
        calls_->sync_dma_for_cpu(*this, f, part, direction);
    }
    /// As `sync_dma_for_cpu`.
    void sync_dma_for_device(any_function& f, const dma_block& part, dma_direction direction) noexcept {
        calls_->sync_dma_for_device(*this, f, part, direction);
    }
    /// @}

    /// Tells the platform underneath of a resource, if it listens; without a call if it does not.
    void note(any_function& f, const resource_event& event) noexcept {
        if (calls_->note_event != nullptr) [[unlikely]]
            calls_->note_event(*this, f, event);
    }

protected:
    /// A platform that does what the table says; the table outlives it.
    explicit any_platform(const detail::platform_calls& calls) noexcept : calls_(&calls) {}
    ~any_platform() = default;

private:
    /// A register that is not in memory.
    std::uint8_t read8(const any_region& region, std::size_t offset) noexcept {
        return calls_->read8(*this, region, offset);
    }
    std::uint16_t read16(const any_region& region, std::size_t offset) noexcept {
        return calls_->read16(*this, region, offset);
    }
    std::uint32_t read32(const any_region& region, std::size_t offset) noexcept {
        return calls_->read32(*this, region, offset);
    }
    std::uint64_t read64(const any_region& region, std::size_t offset) noexcept {
        return calls_->read64(*this, region, offset);
    }
    void write8(const any_region& region, std::size_t offset, std::uint8_t value) noexcept {
        calls_->write8(*this, region, offset, value);
    }
    void write16(const any_region& region, std::size_t offset, std::uint16_t value) noexcept {
        calls_->write16(*this, region, offset, value);
    }
    void write32(const any_region& region, std::size_t offset, std::uint32_t value) noexcept {
        calls_->write32(*this, region, offset, value);
    }
    void write64(const any_region& region, std::size_t offset, std::uint64_t value) noexcept {
        calls_->write64(*this, region, offset, value);
    }

    const detail::platform_calls* calls_;
};

static_assert(platform<any_platform>);

}  // namespace devres::pci
