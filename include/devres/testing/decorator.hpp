// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include <devres/core/event.hpp>
#include <devres/pci/platform.hpp>
#include <devres/testing/primitive.hpp>

namespace devres::testing {

/// A platform that passes every primitive on to another one, through a function of `Derived` that may look at
/// it, refuse it, or do something before and after it:
///
/// @code
/// template <class Forward>
/// auto around(const primitive_call& call, function_type* function, Forward forward) noexcept
///     -> std::invoke_result_t<Forward> { return forward(); }
/// @endcode
///
/// `function` is null for memory. Questions and `relax` are passed on directly; so are
/// resource events, where the inner platform listens. A decorator may be used on every thread the inner
/// platform may; it refers to that platform, which must outlive it.
template <class Derived, pci::platform P>
class decorator {
public:
    using inner_type = P;                             ///< the platform underneath
    using function_type = typename P::function_type;  ///< its functions: they are the same
    /// A region of the inner platform, and the BAR it is of which function, so that accesses can be told apart.
    struct region_type {
        typename P::region_type inner;      ///< of the platform underneath
        unsigned bar = 0;                   ///< its number
        function_type* function = nullptr;  ///< whose it is
    };

    static constexpr bool hybrid_irq_vectors = P::hybrid_irq_vectors;  ///< the inner platform's

    decorator(const decorator&) = delete;
    decorator& operator=(const decorator&) = delete;

    /// The platform underneath, for what only that platform can do: `traced.inner().at(address).raise(0)`.
    [[nodiscard]] P& inner() const noexcept { return *inner_; }

    /// A primitive, passed on through `around`; its contract is in `pci::platform_archetype`.
    /// @{
    void* allocate(std::size_t size, std::size_t alignment) noexcept {
        return pass({.what = primitive::allocate, .size = size}, nullptr,
                    [&] { return inner_->allocate(size, alignment); });
    }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        pass({.what = primitive::deallocate, .size = size}, nullptr,
             [&] { inner_->deallocate(block, size, alignment); });
    }
    void relax() noexcept { inner_->relax(); }

    result<> attach(function_type& f) noexcept {
        return pass({.what = primitive::attach}, &f, [&] { return inner_->attach(f); });
    }
    void detach(function_type& f) noexcept {
        pass({.what = primitive::detach}, &f, [&] { inner_->detach(f); });
    }
    pci::device_id id(function_type& f) noexcept { return inner_->id(f); }

    result<> enable(function_type& f) noexcept {
        return pass({.what = primitive::enable}, &f, [&] { return inner_->enable(f); });
    }
    void disable(function_type& f) noexcept {
        pass({.what = primitive::disable}, &f, [&] { inner_->disable(f); });
    }
    result<> set_master(function_type& f, bool on) noexcept {
        return pass({.what = primitive::set_master, .number = on ? 1U : 0U}, &f,
                    [&] { return inner_->set_master(f, on); });
    }
    result<> suspend(function_type& f) noexcept {
        return pass({.what = primitive::suspend}, &f, [&] { return inner_->suspend(f); });
    }
    result<> resume(function_type& f) noexcept {
        return pass({.what = primitive::resume}, &f, [&] { return inner_->resume(f); });
    }

    result<std::uint32_t> read_config(function_type& f, unsigned offset, unsigned width) noexcept {
        return pass({.what = primitive::read_config, .offset = offset, .size = width}, &f,
                    [&] { return inner_->read_config(f, offset, width); });
    }
    result<> write_config(function_type& f, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        return pass({.what = primitive::write_config, .offset = offset, .size = width}, &f,
                    [&] { return inner_->write_config(f, offset, width, value); });
    }

    result<pci::bar_resource> describe_bar(const function_type& f, pci::bar_number bar) noexcept
        requires pci::describes_bars<P>
    {
        return inner_->describe_bar(f, bar);
    }
    result<region_type> map_bar(function_type& f, pci::bar_number bar, const char* name) noexcept {
        return pass({.what = primitive::map_bar, .number = bar.value(), .name = name}, &f,
                    [&]() -> result<region_type> {
                        auto mapped = inner_->map_bar(f, bar, name);
                        if (!mapped)
                            return fail(mapped.error());
                        return region_type{.inner = *mapped, .bar = bar.value(), .function = std::addressof(f)};
                    });
    }
    void unmap_bar(function_type& f, region_type& region) noexcept {
        pass({.what = primitive::unmap_bar, .number = region.bar}, &f, [&] { inner_->unmap_bar(f, region.inner); });
    }
    std::size_t bar_size(const region_type& region) noexcept { return inner_->bar_size(region.inner); }
    template <class T>
    T read(const region_type& region, std::size_t offset) noexcept {
        return pass({.what = primitive::read, .number = region.bar, .offset = offset, .size = sizeof(T)},
                    region.function, [&] { return inner_->template read<T>(region.inner, offset); });
    }
    template <class T>
    void write(const region_type& region, std::size_t offset, T value) noexcept {
        pass({.what = primitive::write, .number = region.bar, .offset = offset, .size = sizeof(T)}, region.function,
             [&] { inner_->template write<T>(region.inner, offset, value); });
    }

    result<pci::vector_grant> allocate_vectors(function_type& f, const pci::vector_request& request) noexcept {
        return pass({.what = primitive::allocate_vectors, .number = request.min, .size = request.max}, &f,
                    [&] { return inner_->allocate_vectors(f, request); });
    }
    result<> free_vectors(function_type& f) noexcept {
        return pass({.what = primitive::free_vectors}, &f, [&] { return inner_->free_vectors(f); });
    }
    pci::irq_number vector_number(function_type& f, pci::vector_index vector) noexcept {
        return inner_->vector_number(f, vector);
    }

    result<pci::handler_id> register_handler(function_type& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept {
        return pass({.what = primitive::register_handler, .number = vector.value(), .name = action.name}, &f,
                    [&] { return inner_->register_handler(f, vector, action); });
    }
    result<> unregister_handler(function_type& f, pci::handler_id id) noexcept {
        return pass({.what = primitive::unregister_handler}, &f, [&] { return inner_->unregister_handler(f, id); });
    }
    bool handler_registered(function_type& f, pci::handler_id id) noexcept { return inner_->handler_registered(f, id); }
    bool in_handler(function_type& f) noexcept { return inner_->in_handler(f); }
    result<> synchronize_handler(function_type& f, pci::handler_id id) noexcept {
        return pass({.what = primitive::synchronize_handler}, &f, [&] { return inner_->synchronize_handler(f, id); });
    }
    result<> disable_handler(function_type& f, pci::handler_id id) noexcept {
        return pass({.what = primitive::disable_handler}, &f, [&] { return inner_->disable_handler(f, id); });
    }
    result<> enable_handler(function_type& f, pci::handler_id id) noexcept {
        return pass({.what = primitive::enable_handler}, &f, [&] { return inner_->enable_handler(f, id); });
    }

    std::uint64_t vector_affinity(function_type& f, pci::vector_index vector) noexcept
        requires pci::steers_vectors<P>
    {
        return inner_->vector_affinity(f, vector);
    }
    result<> hint_affinity(function_type& f, pci::vector_index vector, std::uint64_t cpus, bool apply) noexcept
        requires pci::steers_vectors<P>
    {
        return pass({.what = primitive::hint_affinity, .number = vector.value()}, &f,
                    [&] { return inner_->hint_affinity(f, vector, cpus, apply); });
    }
    result<> hold_handler(function_type& f, pci::handler_id id) noexcept
        requires pci::holds_handlers<P>
    {
        return pass({.what = primitive::hold_handler}, &f, [&] { return inner_->hold_handler(f, id); });
    }
    result<pci::work_id> add_work(function_type& f, const pci::work_action& action) noexcept
        requires pci::defers_work<P>
    {
        return pass({.what = primitive::add_work, .name = action.name}, &f,
                    [&] { return inner_->add_work(f, action); });
    }
    result<bool> schedule_work(function_type& f, pci::work_id id, std::uint64_t nanoseconds, bool again) noexcept
        requires pci::defers_work<P>
    {
        return pass({.what = primitive::schedule_work}, &f,
                    [&] { return inner_->schedule_work(f, id, nanoseconds, again); });
    }
    result<bool> cancel_work(function_type& f, pci::work_id id, bool wait) noexcept
        requires pci::defers_work<P>
    {
        return pass({.what = primitive::cancel_work}, &f, [&] { return inner_->cancel_work(f, id, wait); });
    }
    result<bool> flush_work(function_type& f, pci::work_id id) noexcept
        requires pci::defers_work<P>
    {
        return pass({.what = primitive::flush_work}, &f, [&] { return inner_->flush_work(f, id); });
    }
    result<> remove_work(function_type& f, pci::work_id id) noexcept
        requires pci::defers_work<P>
    {
        return pass({.what = primitive::remove_work}, &f, [&] { return inner_->remove_work(f, id); });
    }
    result<> set_dma_mask(function_type& f, pci::dma_use use, std::uint64_t mask) noexcept
        requires pci::has_dma_masks<P>
    {
        return pass({.what = primitive::set_dma_mask,
                     .number = static_cast<unsigned>(use),
                     .size = static_cast<unsigned>(std::bit_width(mask))},
                    &f, [&] { return inner_->set_dma_mask(f, use, mask); });
    }
    std::uint64_t required_dma_mask(const function_type& f) noexcept
        requires pci::has_dma_masks<P>
    {
        return inner_->required_dma_mask(f);
    }
    result<pci::dma_block> allocate_dma(function_type& f, std::size_t size) noexcept {
        return pass({.what = primitive::allocate_dma, .size = size}, &f, [&] { return inner_->allocate_dma(f, size); });
    }
    void free_dma(function_type& f, const pci::dma_block& block) noexcept {
        pass({.what = primitive::free_dma, .size = block.size}, &f, [&] { inner_->free_dma(f, block); });
    }
    result<pci::dma_block> map_dma(function_type& f, void* memory, std::size_t size) noexcept {
        return pass({.what = primitive::map_dma, .size = size}, &f, [&] { return inner_->map_dma(f, memory, size); });
    }
    result<pci::dma_block> map_dma(function_type& f, void* memory, std::size_t size,
                                   pci::dma_direction direction) noexcept
        requires pci::has_dma_directions<P>
    {
        return pass({.what = primitive::map_dma, .size = size}, &f,
                    [&] { return inner_->map_dma(f, memory, size, direction); });
    }
    void unmap_dma(function_type& f, const pci::dma_block& mapping, pci::dma_direction direction) noexcept
        requires pci::has_dma_directions<P>
    {
        pass({.what = primitive::unmap_dma, .size = mapping.size}, &f,
             [&] { inner_->unmap_dma(f, mapping, direction); });
    }
    void sync_dma_for_cpu(function_type& f, const pci::dma_block& part, pci::dma_direction direction) noexcept
        requires pci::has_dma_directions<P>
    {
        pass({.what = primitive::sync_dma_for_cpu, .size = part.size}, &f,
             [&] { inner_->sync_dma_for_cpu(f, part, direction); });
    }
    void sync_dma_for_device(function_type& f, const pci::dma_block& part, pci::dma_direction direction) noexcept
        requires pci::has_dma_directions<P>
    {
        pass({.what = primitive::sync_dma_for_device, .size = part.size}, &f,
             [&] { inner_->sync_dma_for_device(f, part, direction); });
    }
    void unmap_dma(function_type& f, const pci::dma_block& mapping) noexcept {
        pass({.what = primitive::unmap_dma, .size = mapping.size}, &f, [&] { inner_->unmap_dma(f, mapping); });
    }
    /// @}

    /// Passed on to a platform that listens.
    void note(function_type& f, const resource_event& event) noexcept
        requires requires(P& inner) { inner.note(f, event); }
    {
        inner_->note(f, event);
    }

protected:
    /// For `Derived`: over `inner`, which must outlive it.
    explicit decorator(P& inner) noexcept : inner_(std::addressof(inner)) {}
    ~decorator() = default;

private:
    template <class Forward>
    std::invoke_result_t<Forward> pass(const primitive_call& call, function_type* function, Forward forward) noexcept {
        return static_cast<Derived&>(*this).around(call, function, forward);
    }

    P* inner_;
};

}  // namespace devres::testing
