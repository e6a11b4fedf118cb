// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/any_platform.hpp>
#include <devres/pci/detail/optional_primitives.hpp>

/// A platform whose type is known, as one whose type is not.
namespace devres::pci {

template <platform P>
class erased_function;

/// Platform `P` as an `any_platform`. It refers to that platform, which must outlive it, and any thread may call what it may call
/// there. A decorator is a platform, so it may be underneath; and one may be on top.
///
/// Example:
/// @code
/// pci::erased platform{bus};
/// pci::erased_function function{platform, bus.at("0000:3a:00.0")};
/// auto bound = pci::bind<driver>(function.platform(), function);
/// @endcode
template <platform P>
class erased final : public any_platform {
    using optional = detail::optional_primitives<P>;
    template <class T>
    static constexpr bool has_direct_registers = requires(P& p, const T& region) {
        { p.direct_registers(region) } noexcept -> std::same_as<register_window>;
    };

public:
    /// Stands for `inner`, which outlives it.
    [[nodiscard]] explicit erased(P& inner DEVRES_LIFETIMEBOUND) noexcept : any_platform(calls), inner_(&inner) {}

    /// The platform underneath.
    [[nodiscard]] P& inner() const noexcept { return *inner_; }

    /// A primitive of a platform: its contract is that of `pci::platform_archetype`.
    /// @{
    void* allocate(std::size_t size, std::size_t alignment) noexcept { return inner_->allocate(size, alignment); }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        inner_->deallocate(block, size, alignment);
    }
    void relax() noexcept { inner_->relax(); }

    result<> attach(any_function& f) noexcept {
        if (&f.platform() != this) [[unlikely]]
            return fail(errc::einval);
        return inner_->attach(of(f));
    }
    void detach(any_function& f) noexcept { inner_->detach(of(f)); }
    device_id id(const any_function& f) noexcept {
        if (&f.platform() != this) [[unlikely]]
            return {};
        return inner_->id(of(f));
    }

    result<> enable(any_function& f) noexcept { return inner_->enable(of(f)); }
    void disable(any_function& f) noexcept { inner_->disable(of(f)); }
    result<> set_master(any_function& f, bool on) noexcept { return inner_->set_master(of(f), on); }
    result<> suspend(any_function& f) noexcept { return inner_->suspend(of(f)); }
    result<> resume(any_function& f) noexcept { return inner_->resume(of(f)); }

    result<std::uint32_t> read_config(any_function& f, unsigned offset, unsigned width) noexcept {
        return inner_->read_config(of(f), offset, width);
    }
    result<> write_config(any_function& f, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        return inner_->write_config(of(f), offset, width, value);
    }

    result<bar_resource> describe_bar(const any_function& f, bar_number bar) noexcept {
        return optional::describe_bar(*inner_, of(f), bar);
    }
    result<any_region> map_bar(any_function& f, bar_number bar, const char* name) noexcept {
        if (bar.value() >= bar_count) [[unlikely]]
            return fail(errc::einval);
        auto mapped = inner_->map_bar(of(f), bar, name);
        if (!mapped) [[unlikely]]
            return fail(mapped.error());
        auto& kept = known(f).regions_[bar.value()];
        kept = *mapped;
        any_region region{.mapped = &kept, .size = inner_->bar_size(kept), .window = {}};
        if constexpr (has_direct_registers<typename P::region_type>)
            region.window = inner_->direct_registers(kept);
        return region;
    }
    void unmap_bar(any_function& f, any_region& region) noexcept { inner_->unmap_bar(of(f), in(region)); }

    result<vector_grant> allocate_vectors(any_function& f, const vector_request& request) noexcept {
        return inner_->allocate_vectors(of(f), request);
    }
    result<> free_vectors(any_function& f) noexcept { return inner_->free_vectors(of(f)); }
    irq_number vector_number(any_function& f, vector_index vector) noexcept {
        return inner_->vector_number(of(f), vector);
    }

    result<handler_id> register_handler(any_function& f, vector_index vector, const irq_action& action) noexcept {
        return optional::register_handler(*inner_, of(f), vector, action);
    }
    result<> unregister_handler(any_function& f, handler_id id) noexcept {
        return inner_->unregister_handler(of(f), id);
    }
    bool handler_registered(any_function& f, handler_id id) noexcept { return inner_->handler_registered(of(f), id); }
    bool in_handler(const any_function& f) noexcept { return inner_->in_handler(of(f)); }
    result<> synchronize_handler(any_function& f, handler_id id) noexcept {
        return inner_->synchronize_handler(of(f), id);
    }
    result<> disable_handler(any_function& f, handler_id id) noexcept { return inner_->disable_handler(of(f), id); }
    result<> enable_handler(any_function& f, handler_id id) noexcept { return inner_->enable_handler(of(f), id); }

    std::uint64_t vector_affinity(any_function& f, vector_index vector) noexcept {
        return optional::vector_affinity(*inner_, of(f), vector);
    }
    result<> hint_affinity(any_function& f, vector_index vector, std::uint64_t cpus, bool apply) noexcept {
        return optional::hint_affinity(*inner_, of(f), vector, cpus, apply);
    }
    result<> hold_handler(any_function& f, handler_id id) noexcept {
        return optional::hold_handler(*inner_, of(f), id);
    }
    result<work_id> add_work(any_function& f, const work_action& action) noexcept {
        return optional::add_work(*inner_, of(f), action);
    }
    result<bool> schedule_work(any_function& f, work_id id, std::uint64_t nanoseconds, bool again) noexcept {
        return optional::schedule_work(*inner_, of(f), id, nanoseconds, again);
    }
    result<bool> cancel_work(any_function& f, work_id id, bool wait) noexcept {
        return optional::cancel_work(*inner_, of(f), id, wait);
    }
    result<bool> flush_work(any_function& f, work_id id) noexcept { return optional::flush_work(*inner_, of(f), id); }
    result<> remove_work(any_function& f, work_id id) noexcept { return optional::remove_work(*inner_, of(f), id); }

    result<> set_dma_mask(any_function& f, dma_use use, std::uint64_t mask) noexcept {
        return optional::set_dma_mask(*inner_, of(f), use, mask);
    }
    std::uint64_t required_dma_mask(const any_function& f) noexcept {
        return optional::required_dma_mask(*inner_, of(f));
    }
    result<dma_block> allocate_dma(any_function& f, std::size_t size) noexcept {
        return inner_->allocate_dma(of(f), size);
    }
    void free_dma(any_function& f, const dma_block& block) noexcept { inner_->free_dma(of(f), block); }
    result<dma_block> map_dma(any_function& f, void* memory, std::size_t size, dma_direction direction = {}) noexcept {
        return optional::map_dma(*inner_, of(f), memory, size, direction);
    }
    void unmap_dma(any_function& f, const dma_block& mapping, dma_direction direction = {}) noexcept {
        optional::unmap_dma(*inner_, of(f), mapping, direction);
    }
    void sync_dma_for_cpu(any_function& f, const dma_block& part, dma_direction direction) noexcept {
        optional::sync_dma_for_cpu(*inner_, of(f), part, direction);
    }
    void sync_dma_for_device(any_function& f, const dma_block& part, dma_direction direction) noexcept {
        optional::sync_dma_for_device(*inner_, of(f), part, direction);
    }
    /// @}

private:
    std::uint8_t read8(const any_region& region, std::size_t offset) noexcept {
        return inner_->template read<std::uint8_t>(in(region), offset);
    }
    std::uint16_t read16(const any_region& region, std::size_t offset) noexcept {
        return inner_->template read<std::uint16_t>(in(region), offset);
    }
    std::uint32_t read32(const any_region& region, std::size_t offset) noexcept {
        return inner_->template read<std::uint32_t>(in(region), offset);
    }
    std::uint64_t read64(const any_region& region, std::size_t offset) noexcept {
        return inner_->template read<std::uint64_t>(in(region), offset);
    }
    void write8(const any_region& region, std::size_t offset, std::uint8_t value) noexcept {
        inner_->template write<std::uint8_t>(in(region), offset, value);
    }
    void write16(const any_region& region, std::size_t offset, std::uint16_t value) noexcept {
        inner_->template write<std::uint16_t>(in(region), offset, value);
    }
    void write32(const any_region& region, std::size_t offset, std::uint32_t value) noexcept {
        inner_->template write<std::uint32_t>(in(region), offset, value);
    }
    void write64(const any_region& region, std::size_t offset, std::uint64_t value) noexcept {
        inner_->template write<std::uint64_t>(in(region), offset, value);
    }
    void note_event(any_function& f, const resource_event& event) noexcept { inner_->note(of(f), event); }

    /// A function of the table, for a member function.
    template <auto Member>
    struct call;
    template <class Result, class... Argument, Result (erased::*Member)(Argument...) noexcept>
    struct call<Member> {
        static Result function(any_platform& self, Argument... arguments) noexcept {
            return (static_cast<erased&>(self).*Member)(arguments...);
        }
    };
    static constexpr auto note_function() noexcept {
        using function_pointer = void (*)(any_platform&, any_function&, const resource_event&) noexcept;
        if constexpr (requires(P& p, typename P::function_type& f, const resource_event& event) { p.note(f, event); })
            return function_pointer(&call<&erased::note_event>::function);
        else
            return function_pointer(nullptr);
    }
    static constexpr detail::platform_calls calls{
        .allocate = &call<&erased::allocate>::function,
        .deallocate = &call<&erased::deallocate>::function,
        .relax = &call<&erased::relax>::function,
        .attach = &call<&erased::attach>::function,
        .detach = &call<&erased::detach>::function,
        .id = &call<&erased::id>::function,
        .enable = &call<&erased::enable>::function,
        .disable = &call<&erased::disable>::function,
        .set_master = &call<&erased::set_master>::function,
        .suspend = &call<&erased::suspend>::function,
        .resume = &call<&erased::resume>::function,
        .read_config = &call<&erased::read_config>::function,
        .write_config = &call<&erased::write_config>::function,
        .describe_bar = &call<&erased::describe_bar>::function,
        .map_bar = &call<&erased::map_bar>::function,
        .unmap_bar = &call<&erased::unmap_bar>::function,
        .allocate_vectors = &call<&erased::allocate_vectors>::function,
        .free_vectors = &call<&erased::free_vectors>::function,
        .vector_number = &call<&erased::vector_number>::function,
        .register_handler = &call<&erased::register_handler>::function,
        .unregister_handler = &call<&erased::unregister_handler>::function,
        .handler_registered = &call<&erased::handler_registered>::function,
        .in_handler = &call<&erased::in_handler>::function,
        .synchronize_handler = &call<&erased::synchronize_handler>::function,
        .disable_handler = &call<&erased::disable_handler>::function,
        .enable_handler = &call<&erased::enable_handler>::function,
        .vector_affinity = &call<&erased::vector_affinity>::function,
        .hint_affinity = &call<&erased::hint_affinity>::function,
        .hold_handler = &call<&erased::hold_handler>::function,
        .add_work = &call<&erased::add_work>::function,
        .schedule_work = &call<&erased::schedule_work>::function,
        .cancel_work = &call<&erased::cancel_work>::function,
        .flush_work = &call<&erased::flush_work>::function,
        .remove_work = &call<&erased::remove_work>::function,
        .set_dma_mask = &call<&erased::set_dma_mask>::function,
        .required_dma_mask = &call<&erased::required_dma_mask>::function,
        .allocate_dma = &call<&erased::allocate_dma>::function,
        .free_dma = &call<&erased::free_dma>::function,
        .map_dma = &call<&erased::map_dma>::function,
        .unmap_dma = &call<&erased::unmap_dma>::function,
        .sync_dma_for_cpu = &call<&erased::sync_dma_for_cpu>::function,
        .sync_dma_for_device = &call<&erased::sync_dma_for_device>::function,
        .read8 = &call<&erased::read8>::function,
        .read16 = &call<&erased::read16>::function,
        .read32 = &call<&erased::read32>::function,
        .read64 = &call<&erased::read64>::function,
        .write8 = &call<&erased::write8>::function,
        .write16 = &call<&erased::write16>::function,
        .write32 = &call<&erased::write32>::function,
        .write64 = &call<&erased::write64>::function,
        .note_event = note_function(),
    };

    static erased_function<P>& known(any_function& f) noexcept { return static_cast<erased_function<P>&>(f); }
    static const erased_function<P>& known(const any_function& f) noexcept {
        return static_cast<const erased_function<P>&>(f);
    }
    static typename P::region_type& in(const any_region& region) noexcept {
        return *static_cast<typename P::region_type*>(region.mapped);
    }
    static typename P::function_type& of(const any_function& f) noexcept { return *known(f).of_; }

    P* inner_;
};

/// A function of platform `P` for a driver that knows only `any_platform`. It refers to the function and to the erased platform,
/// which outlive it, and keeps what the platform gave for a mapped BAR.
template <platform P>
class erased_function final : public any_function {
public:
    /// Function `of` of the platform underneath `platform`.
    [[nodiscard]] erased_function(erased<P>& platform DEVRES_LIFETIMEBOUND,
                                  typename P::function_type& of DEVRES_LIFETIMEBOUND) noexcept
        : any_function(platform), of_(&of) {}

    /// The function underneath.
    [[nodiscard]] typename P::function_type& inner() const noexcept { return *of_; }

private:
    friend erased<P>;
    typename P::function_type* of_;
    typename P::region_type regions_[bar_count]{};
};

}  // namespace devres::pci
