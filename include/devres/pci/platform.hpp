// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>

#include <devres/core/result.hpp>
#include <devres/pci/affinity.hpp>
#include <devres/pci/types.hpp>

/// What the library asks of a platform: unmanaged primitives on one function at a time. The library adds
/// ownership on top, so managed behaviour is the same on every platform.
///
/// A platform's release primitives (disable, unmap_bar, free_vectors, unregister_handler, free_dma, detach,
/// deallocate) succeed on a device that is gone, and leave errno as it was. The library calls the primitives on one
/// function from one thread at a time, but for these, which any thread may call at any time: allocate, deallocate and
/// relax, read and write, in_handler.
namespace devres::pci {

/// What a driver asks for: `min` >= 1, `min` <= `max` (the library refuses anything else before the platform
/// sees it). `affinity` is null unless the vectors are to be spread.
struct vector_request {
    unsigned min = 1;
    unsigned max = 1;
    irq_types types;
    const irq_affinity* affinity = nullptr;
};

/// What it got: `count` vectors of one type.
struct vector_grant {
    unsigned count = 0;
    irq_type type = irq_type::intx;
};

/// A handler as a platform calls it, on any thread.
using irq_entry = irq_return (*)(void* context, vector_index vector) noexcept;

/// What is to be called when a vector fires (`struct irqaction`). The platform copies the name.
struct irq_action {
    irq_entry entry = nullptr;
    void* context = nullptr;
    const char* name = nullptr;
};

/// Names one registration of a handler. A platform never gives the same one out twice for a function, so
/// that an old id cannot end a new registration.
enum class handler_id : std::uint64_t { none = 0 };

/// Memory that the CPU and the device share.
struct dma_block {
    void* cpu = nullptr;
    bus_address bus{};
    std::size_t size = 0;
};

/// Memory for the library's own records, and a pause for its waiting loops.
/// allocate: null where there is none. relax: let other threads run.
template <class P>
concept has_memory = requires(P& p, void* block, std::size_t size) {
    { p.allocate(size, size) } noexcept -> std::same_as<void*>;
    { p.deallocate(block, size, size) } noexcept;
    { p.relax() } noexcept;
};

/// A driver takes a function and gives it back.
/// attach: `ebusy` if a driver has it, `enodev` if the device is gone. detach: undoes an attach; the library calls it
/// when nothing of the driver's is left.
template <class P>
concept has_functions = requires(P& p, typename P::function_type& f) {
    { p.attach(f) } noexcept -> std::same_as<result<>>;
    { p.detach(f) } noexcept;
    { p.id(f) } noexcept -> std::same_as<device_id>;
};

/// enable: counted, as `pci_enable_device()`; disable undoes one. set_master: whether the function may send
/// messages and DMA; the last disable clears it. suspend: state saved, D3hot; resume: D0, state restored.
template <class P>
concept has_power = requires(P& p, typename P::function_type& f, bool on) {
    { p.enable(f) } noexcept -> std::same_as<result<>>;
    { p.disable(f) } noexcept;
    { p.set_master(f, on) } noexcept -> std::same_as<result<>>;
    { p.suspend(f) } noexcept -> std::same_as<result<>>;
    { p.resume(f) } noexcept -> std::same_as<result<>>;
};

/// Configuration space: `width` is 1, 2 or 4 bytes, `offset` a multiple of it; `einval` otherwise. A device
/// that is gone reads as all ones and ignores writes.
template <class P>
concept has_config_space = requires(P& p, typename P::function_type& f, unsigned offset, unsigned width,
                                    std::uint32_t value) {
    { p.read_config(f, offset, width) } noexcept -> std::same_as<result<std::uint32_t>>;
    { p.write_config(f, offset, width, value) } noexcept -> std::same_as<result<>>;
};

/// Base address registers. map_bar requests the region and maps it: `einval` for a BAR that does not exist,
/// `ebusy` if it is taken, `enomem` if it cannot be mapped. A region is cheap to copy; bar_size is in bytes.
/// read, write: T is std::uint8_t to std::uint64_t, `offset` a multiple of its size, within the BAR.
template <class P, class T>
concept has_registers = requires(P& p, const typename P::region_type& mapped, std::size_t offset, T value) {
    { p.template read<T>(mapped, offset) } noexcept -> std::same_as<T>;
    { p.template write<T>(mapped, offset, value) } noexcept;
};
template <class P>
concept has_bars =
    std::semiregular<typename P::region_type> && has_registers<P, std::uint8_t> && has_registers<P, std::uint16_t> &&
    has_registers<P, std::uint32_t> && has_registers<P, std::uint64_t> &&
    requires(P& p, typename P::function_type& f, bar_number bar, const char* name, typename P::region_type& region,
             const typename P::region_type& mapped) {
        { p.map_bar(f, bar, name) } noexcept -> std::same_as<result<typename P::region_type>>;
        { p.unmap_bar(f, region) } noexcept;
        { p.bar_size(mapped) } noexcept -> std::same_as<std::size_t>;
    };

/// Vectors. allocate_vectors: one range at a time, `ebusy` while one is live, INTx included; tries MSI-X, then MSI, then
/// INTx (one vector, so only for a `min` of 1), of those asked for, and gives the error of the last, `enospc` if none is
/// asked for. With an affinity, MSI-X and MSI give `spread_vector_count` vectors at the most. free_vectors: ends the
/// handlers still registered, newest first, waiting for running ones; nothing if there is no range, which the library
/// does not rule out; `edeadlk`, and nothing freed, from inside one of them. vector_number: 0 for a vector that is not
/// allocated.
template <class P>
concept has_vectors = requires(P& p, typename P::function_type& f, const vector_request& request, vector_index v) {
    { P::hybrid_irq_vectors } -> std::convertible_to<bool>;
    { p.allocate_vectors(f, request) } noexcept -> std::same_as<result<vector_grant>>;
    { p.free_vectors(f) } noexcept -> std::same_as<result<>>;
    { p.vector_number(f, v) } noexcept -> std::same_as<irq_number>;
};

/// Handlers, one per vector, which is not run on two threads at once. register_handler: `ebusy` if the vector has one,
/// `einval` if there is no such vector; the handler may run before it returns. unregister_handler: returns when no
/// invocation is running; an id that has ended is ignored; `edeadlk`, reported, and nothing changed, from inside the
/// handler. handler_registered: whether an id has not ended. in_handler: whether this thread is running a handler of
/// the function; it waits for no other.
template <class P>
concept has_handlers = requires(P& p, typename P::function_type& f, vector_index v, const irq_action& action,
                                handler_id id) {
    { p.register_handler(f, v, action) } noexcept -> std::same_as<result<handler_id>>;
    { p.unregister_handler(f, id) } noexcept -> std::same_as<result<>>;
    { p.handler_registered(f, id) } noexcept -> std::same_as<bool>;
    { p.in_handler(f) } noexcept -> std::same_as<bool>;
};

/// Memory shared with the device: zeroed, at least `size` bytes, aligned to a page; `enomem`.
template <class P>
concept has_dma = requires(P& p, typename P::function_type& f, std::size_t size, const dma_block& block) {
    { p.allocate_dma(f, size) } noexcept -> std::same_as<result<dma_block>>;
    { p.free_dma(f, block) } noexcept;
};

/// A platform: what drivers of this library run on.
template <class P>
concept platform = has_memory<P> && has_functions<P> && has_power<P> && has_config_space<P> && has_bars<P> &&
                   has_vectors<P> && has_handlers<P> && has_dma<P>;

}  // namespace devres::pci
