// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <type_traits>

#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>

#include "child_function.hpp"
#include "child_interrupts.hpp"
#include "platform_array.hpp"
#include "registers.hpp"

namespace vmd {

/// One of VMD's two windows to the BARs of its children, before anything is placed in it.
struct window_space {
    std::uint64_t address = 0;  ///< on the child bus, where the BAR of VMD's begins
    std::size_t first = 0;      ///< what is below belongs to VMD
    std::size_t size = 0;       ///< of the BAR
};

/// The bus behind a VMD: a platform, so that drivers of the functions on it are drivers like any other and
/// cannot tell.
///
/// `Parent` is the device that the VMD driver is bound to. A configuration space is a page of VMD's CFGBAR;
/// a child's BAR is a part of one of VMD's windows, which is mapped while a child has a BAR in it; a
/// child's interrupts are messages that name a vector of VMD's; its memory and DMA are VMD's. Children have
/// MSI-X or nothing: there is no INTx behind a VMD, and the messages of MSI are left out here.
///
/// A managed object of the VMD driver. Children must be unbound before it goes, which the driver does in
/// remove().
///
/// # Threads
/// As for any platform: the device calls of one function are made on one thread at a time, those of
/// different functions may be made on different ones. `lock_` is for what children share (windows, vectors,
/// numbers). Delivery does not take it.
template <class Parent>
class child_bus {
    using parent_platform = typename Parent::platform_type;
    using parent_driver = typename Parent::driver_type;
    using enabled_parent = pci::enabled_device<devres::managed_t, parent_platform, parent_driver>;
    using config_window = pci::bar_mapping<devres::managed_t, parent_platform, parent_driver>;
    using mapped_window = pci::bar_mapping<devres::unmanaged_t, parent_platform, parent_driver>;

public:
    using function_type = child_function;
    /// A part of a window.
    struct region_type {
        std::size_t offset = 0;
        std::size_t size = 0;
        unsigned window = 0;
        unsigned bar = 0;
    };

    /// A bus without functions; `config` is CFGBAR, from the configuration space of
    /// `domain`:`first_bus`:00.0 on.
    child_bus(enabled_parent enabled, config_window config, std::uint32_t domain, std::uint8_t first_bus,
              std::array<window_space, 2> windows) noexcept
        : enabled_(enabled), config_(config), domain_(domain), first_bus_(first_bus) {
        for (unsigned i = 0; i != windows.size(); ++i) {
            windows_[i].space = windows[i];
            windows_[i].next = windows[i].address + windows[i].first;
        }
    }
    child_bus(const child_bus&) = delete;
    child_bus& operator=(const child_bus&) = delete;

    /// Takes the addresses away again that the scan gave to BARs.
    ~child_bus() {
        for (child_function& f : functions_) {
            for (unsigned i = 0; i != pci::bar_count; ++i) {
                if (f.bars[i].size != 0)
                    put<std::uint32_t>(f, child_config::bar + 4 * i, f.bars_found[i]);
                if (f.bars[i].wide)
                    put<std::uint32_t>(f, child_config::bar + 4 * i + 4, f.bars_found[i + 1]);
            }
        }
    }

    /// Finds the functions on the bus, places their BARs in the windows, and maps the windows that have any: VMD's
    /// handlers call those of children, which use them.
    /// @returns `enomem`
    result<> scan() noexcept {
        std::size_t found = 0;
        each_present([&](unsigned) { ++found; });
        DEVRES_TRY(functions_, platform_array<child_function>::make(parent().resources().memory(), found));
        std::size_t next = 0;
        each_present([&](unsigned devfn) {
            if (next != functions_.size())
                read_function(functions_[next++], devfn);
        });
        for (unsigned i = 0; i != windows_.size(); ++i) {
            if (windows_[i].next != windows_[i].space.address + windows_[i].space.first) {
                DEVRES_TRY(use_window(i));
            }
        }
        return {};
    }

    /// The functions on the bus, in the order of their addresses.
    [[nodiscard]] std::span<child_function> functions() noexcept {
        return {functions_.data(), functions_.size()};
    }

    /// How many interrupts children can have, of whom none is offered more than VMD has vectors.
    [[nodiscard]] std::size_t irqs_wanted(unsigned vectors) const noexcept {
        std::size_t all = 0;
        for (std::size_t i = 0; i != functions_.size(); ++i)
            all += irqs_of(functions_[i], vectors);
        return all;
    }

    /// Lets children interrupt through VMD's vectors. Without it, they have no vectors (`enotsupp`).
    void remap_to(child_interrupts& interrupts) noexcept {
        interrupts_ = &interrupts;
        std::size_t next = 0;
        for (child_function& f : functions_) {
            f.irqs = interrupts.irqs().subspan(next, irqs_of(f, interrupts.vectors()));
            next += f.irqs.size();
        }
    }
    /// Null while children cannot interrupt through VMD.
    [[nodiscard]] child_interrupts* interrupts() const noexcept { return interrupts_; }

    // The primitives of pci::platform; their contracts are there.

    static constexpr bool hybrid_irq_vectors = false;

    void* allocate(std::size_t size, std::size_t alignment) noexcept {
        return platform().allocate(size, alignment);
    }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        platform().deallocate(block, size, alignment);
    }
    void relax() noexcept { platform().relax(); }

    result<> attach(child_function& f) noexcept {
        if (!is_present(f))
            return fail(errc::enodev);
        if (f.attached)
            return fail(errc::ebusy);
        f.attached = true;
        return {};
    }
    void detach(child_function& f) noexcept {
        if (f.saved.valid)
            (void)resume(f);
        f.attached = false;
    }
    pci::device_id id(const child_function& f) noexcept { return f.identity; }

    result<> enable(child_function& f) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        if (!is_present(f))
            return fail(errc::enodev);
        if (!f.enables.enable())
            return {};
        set_power(f, 0);
        f.command_before = get<std::uint16_t>(f, child_config::command);
        put_command(f, f.command_before | child_config::command_memory);
        return {};
    }
    void disable(child_function& f) noexcept {
        if (f.enables.disable(f.needs_enable()))
            disable_now(f);
    }
    result<> set_master(child_function& f, bool on) noexcept {
        if (!is_present(f))
            return fail(errc::enodev);
        const std::uint32_t command = get<std::uint16_t>(f, child_config::command);
        put_command(f, (command & ~child_config::command_master) | (on ? child_config::command_master : 0));
        return {};
    }

    result<> suspend(child_function& f) noexcept {
        if (!is_present(f))
            return fail(errc::enodev);
        if (f.saved.valid)
            return fail(errc::einval);
        for (unsigned i = 0; i != f.saved.header.size(); ++i)
            f.saved.header[i] = get<std::uint32_t>(f, 4 * i);
        f.saved.valid = true;
        set_power(f, child_config::power_state);
        return {};
    }
    result<> resume(child_function& f) noexcept {
        if (!f.saved.valid)
            return fail(errc::einval);
        f.saved.valid = false;
        if (!is_present(f))
            return fail(errc::enodev);
        set_power(f, 0);
        for (unsigned i = child_config::bar / 4; i != f.saved.header.size(); ++i)
            put<std::uint32_t>(f, 4 * i, f.saved.header[i]);
        put_command(f, f.saved.header[child_config::command / 4] & 0xffffU);
        const unsigned count = f.vectors.load(std::memory_order_relaxed);
        for (unsigned i = 0; i != count; ++i)
            write_entry(f, i, f.irqs[i].id() == pci::handler_id::none || f.irqs[i].disables() != 0);
        if (count != 0)
            enable_msix(f, true);
        return {};
    }

    result<std::uint32_t> read_config(child_function& f, unsigned offset, unsigned width) noexcept {
        if (!is_register(offset, width))
            return fail(errc::einval);
        return width == 1 ? get<std::uint8_t>(f, offset)
             : width == 2 ? get<std::uint16_t>(f, offset)
                          : get<std::uint32_t>(f, offset);
    }
    result<> write_config(child_function& f, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        if (!is_register(offset, width))
            return fail(errc::einval);
        if (width == 1)
            put(f, offset, static_cast<std::uint8_t>(value));
        else if (width == 2)
            put(f, offset, static_cast<std::uint16_t>(value));
        else
            put(f, offset, value);
        return {};
    }

    result<region_type> map_bar(child_function& f, pci::bar_number number, const char*) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        if (number.value() >= pci::bar_count || f.bars[number.value()].size == 0)
            return fail(errc::einval);
        auto& bar = f.bars[number.value()];
        if (bar.mapped)
            return fail(errc::ebusy);
        if (!bar.placed)
            return fail(errc::enomem);
        DEVRES_TRY(use_window(bar.window));
        bar.mapped = true;
        const std::uint64_t base = windows_[bar.window].space.address;
        return region_type{.offset = static_cast<std::size_t>(bar.address - base),
                           .size = static_cast<std::size_t>(bar.size),
                           .window = bar.window,
                           .bar = number.value()};
    }
    void unmap_bar(child_function& f, region_type& region) noexcept {
        f.bars[region.bar].mapped = false;
        leave_window(region.window);
        if (f.enables.settle(f.needs_enable()))
            disable_now(f);
    }
    std::size_t bar_size(const region_type& region) noexcept { return region.size; }
    template <class T>
    T read(const region_type& region, std::size_t offset) noexcept {
        return get<T>(windows_[region.window].mapping, region.offset + offset);
    }
    template <class T>
    void write(const region_type& region, std::size_t offset, T value) noexcept {
        put(windows_[region.window].mapping, region.offset + offset, value);
    }

    result<pci::vector_grant> allocate_vectors(child_function& f,
                                               const pci::vector_request& request) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        if (!is_present(f))
            return fail(errc::enodev);
        if (f.vectors.load(std::memory_order_relaxed) != 0)
            return fail(errc::ebusy);
        errc last = errc::enospc;
        if (request.types.has(pci::irq_type::msix)) {
            const auto count = allocate_msix(f, request);
            if (count)
                return pci::vector_grant{.count = *count, .type = pci::irq_type::msix};
            last = count.error();
        }
        if (request.types.has(pci::irq_type::msi))
            last = errc::einval;  // as if it had no such capability
        return fail(last);
    }
    result<> free_vectors(child_function& f) noexcept {
        const unsigned count = f.vectors.load(std::memory_order_relaxed);
        if (count == 0)
            return {};
        if (in_handler(f))
            return fail(errc::edeadlk);
        enable_msix(f, false);
        while (const auto newest = newest_registered(f))
            end(f, static_cast<unsigned>(newest - f.irqs.data()));
        const std::scoped_lock hold(lock_);
        f.vectors.store(0, std::memory_order_release);
        for (unsigned i = count; i-- != 0;) {
            clear_entry(f, i);
            interrupts_->list(f.irqs[i].vector).remove(f.irqs[i]);
            f.irqs[i].forget();
            interrupts_->give_back(f.irqs[i].vector);
        }
        release_window(f.bars[f.table_bar].window);
        if (f.enables.settle(f.needs_enable()))
            disable_now(f);
        return {};
    }
    /// A number that no other function of this machine's VMDs has: beyond those of the machine itself.
    pci::irq_number vector_number(child_function& f, pci::vector_index vector) noexcept {
        const auto devfn = static_cast<unsigned>(f.config >> 12U);
        return pci::irq_number(((domain_ & 0xffU) + 1) << 19U | devfn << 11U | vector.value());
    }

    result<pci::handler_id> register_handler(child_function& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept {
        const unsigned index = vector.value();
        if (in_handler(f))
            return fail(errc::edeadlk);
        if (action.entry == nullptr || index >= f.vectors.load(std::memory_order_relaxed))
            return fail(errc::einval);
        child_irq& irq = f.irqs[index];
        if (irq.id() != pci::handler_id::none)
            return fail(errc::ebusy);
        const auto id = static_cast<pci::handler_id>(++registrations_ << index_bits | index);
        irq.give(action, vector, id);
        interrupts_->list(irq.vector).add(irq);
        start(f, index);
        return id;
    }
    result<> unregister_handler(child_function& f, pci::handler_id id) noexcept {
        if (!handler_registered(f, id))
            return {};
        const unsigned index = index_of(id);
        if (f.irqs[index].is_running_here())
            return fail(errc::edeadlk);
        end(f, index);
        return {};
    }
    bool handler_registered(child_function& f, pci::handler_id id) noexcept {
        return id != pci::handler_id::none && index_of(id) < f.irqs.size() && f.irqs[index_of(id)].id() == id;
    }
    bool in_handler(const child_function& f) noexcept {
        for (const child_irq& irq : f.irqs) {
            if (irq.is_running_here())
                return true;
        }
        return false;
    }
    result<> synchronize_handler(child_function& f, pci::handler_id id) noexcept {
        if (id == pci::handler_id::none) {
            if (in_handler(f))
                return fail(errc::edeadlk);
            for (child_irq& irq : f.irqs)
                irq.wait(*this);
            return {};
        }
        if (!handler_registered(f, id))
            return {};
        child_irq& irq = f.irqs[index_of(id)];
        if (irq.is_running_here())
            return fail(errc::edeadlk);
        irq.wait(*this);
        return {};
    }
    result<> disable_handler(child_function& f, pci::handler_id id) noexcept {
        if (!handler_registered(f, id))
            return fail(errc::enoent);
        child_irq& irq = f.irqs[index_of(id)];
        if (irq.is_running_here())
            return fail(errc::edeadlk);
        if (irq.disables()++ == 0) {
            mask_entry(f, index_of(id), true);
            irq.hold(*this);
        }
        return {};
    }
    result<> enable_handler(child_function& f, pci::handler_id id) noexcept {
        if (!handler_registered(f, id))
            return fail(errc::enoent);
        child_irq& irq = f.irqs[index_of(id)];
        if (irq.disables() == 0)
            return fail(errc::einval);
        if (--irq.disables() == 0)
            start(f, index_of(id));
        return {};
    }

    /// To the machine's IOMMU, what a child does is done by its VMD.
    result<pci::dma_block> allocate_dma(child_function& f, std::size_t size) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        return platform().allocate_dma(parent().function(), size);
    }
    void free_dma(child_function&, const pci::dma_block& block) noexcept {
        platform().free_dma(parent().function(), block);
    }
    result<pci::dma_block> map_dma(child_function& f, void* memory, std::size_t size) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        return platform().map_dma(parent().function(), memory, size);
    }
    void unmap_dma(child_function&, const pci::dma_block& mapping) noexcept {
        platform().unmap_dma(parent().function(), mapping);
    }

    /// Where VMD's platform is watched, children are too: what devres owns of theirs, under their address.
    void note(child_function& f, const devres::resource_event& event) noexcept
        requires requires(parent_platform& watched, typename Parent::function_type& vmd) {
            watched.note(vmd, event);
        }
    {
        if (!event.managed)
            return;  // a platform may take those for VMD's own
        const auto where = f.address.text();
        devres::resource_event named = event;
        named.name = where.c_str();
        platform().note(parent().function(), named);
    }

private:
    struct window {
        window_space space;
        std::uint64_t next = 0;  // where the next BAR is placed, on the child bus
        unsigned users = 0;      // BARs of children that are mapped, MSI-X tables in use
        mapped_window mapping;   // while there are users
    };

    // A registration's id says which vector it is on, and is never used again.
    static constexpr unsigned index_bits = 12;
    [[nodiscard]] static unsigned index_of(pci::handler_id id) noexcept {
        return static_cast<unsigned>(id) & ((1U << index_bits) - 1);
    }

    [[nodiscard]] Parent& parent() const noexcept { return enabled_.dev(); }
    [[nodiscard]] parent_platform& platform() const noexcept { return parent().platform(); }

    template <class T, class Mapping>
    [[nodiscard]] static T get(const Mapping& bar, std::size_t offset) noexcept {
        if constexpr (sizeof(T) == 1)
            return bar.read8(offset);
        else if constexpr (sizeof(T) == 2)
            return bar.read16(offset);
        else if constexpr (sizeof(T) == 4)
            return bar.read32(offset);
        else
            return bar.read64(offset);
    }
    template <class T, class Mapping>
        requires(!std::is_same_v<Mapping, child_function>)
    static void put(const Mapping& bar, std::size_t offset, T value) noexcept {
        if constexpr (sizeof(T) == 1)
            bar.write8(offset, value);
        else if constexpr (sizeof(T) == 2)
            bar.write16(offset, value);
        else if constexpr (sizeof(T) == 4)
            bar.write32(offset, value);
        else
            bar.write64(offset, value);
    }

    // Configuration space.

    [[nodiscard]] static bool is_register(unsigned offset, unsigned width) noexcept {
        return (width == 1 || width == 2 || width == 4) && offset % width == 0 && offset < 4096;
    }
    template <class T>
    [[nodiscard]] T get(const child_function& f, unsigned offset) const noexcept {
        return get<T>(config_, f.config + offset);
    }
    template <class T>
    void put(const child_function& f, unsigned offset, T value) const noexcept {
        put(config_, f.config + offset, value);
    }
    void put_command(const child_function& f, std::uint32_t value) const noexcept {
        put(f, child_config::command, static_cast<std::uint16_t>(value));
    }
    [[nodiscard]] bool is_present(const child_function& f) const noexcept {
        return get<std::uint16_t>(f, child_config::vendor_id) != 0xffff;
    }
    void set_power(const child_function& f, std::uint32_t state) const noexcept {
        if (f.power_management == 0)
            return;
        const unsigned control = f.power_management + child_config::power_control;
        const std::uint32_t others = get<std::uint16_t>(f, control) & ~child_config::power_state;
        put(f, control, static_cast<std::uint16_t>(others | state));
    }

    // Finding functions.

    /// Calls `visit` with the device and function number, as bits 7 to 3 and 2 to 0, of each function on
    /// the bus.
    template <class Visit>
    void each_present(Visit visit) const noexcept {
        const auto is_there = [&](unsigned devfn) {
            return config_.read16((std::size_t{devfn} << 12U) + child_config::vendor_id) != 0xffff;
        };
        for (unsigned device = 0; device != 256; device += 8) {
            if (!is_there(device))
                continue;
            visit(device);
            const std::uint8_t header = config_.read8((std::size_t{device} << 12U) + child_config::header_type);
            if ((header & child_config::multifunction) == 0)
                continue;
            for (unsigned devfn = device + 1; devfn != device + 8; ++devfn) {
                if (is_there(devfn))
                    visit(devfn);
            }
        }
    }

    void read_function(child_function& f, unsigned devfn) noexcept {
        f.config = std::size_t{devfn} << 12U;
        f.address = pci::address(domain_, first_bus_, static_cast<std::uint8_t>(devfn / 8),
                                 static_cast<std::uint8_t>(devfn % 8));
        const auto ids = get<std::uint32_t>(f, child_config::vendor_id);
        const auto subsystem = get<std::uint32_t>(f, child_config::subsystem);
        f.identity = {.vendor = static_cast<std::uint16_t>(ids),
                      .device = static_cast<std::uint16_t>(ids >> 16U),
                      .subsystem_vendor = static_cast<std::uint16_t>(subsystem),
                      .subsystem_device = static_cast<std::uint16_t>(subsystem >> 16U),
                      .class_code = get<std::uint32_t>(f, child_config::class_revision) >> 8U};
        if ((get<std::uint8_t>(f, child_config::header_type) & 0x7fU) != 0)
            return;  // a bridge: there is nothing on it for a driver here
        read_capabilities(f);
        for (unsigned i = 0; i != pci::bar_count; i += f.bars[i].wide ? 2 : 1)
            place_bar(f, i);
    }

    void read_capabilities(child_function& f) noexcept {
        if ((get<std::uint16_t>(f, child_config::status) & child_config::status_capabilities) == 0)
            return;
        unsigned at = get<std::uint8_t>(f, child_config::capabilities) & 0xfcU;
        for (unsigned left = 48; at >= 0x40 && left != 0; --left) {  // more do not fit: a loop
            const unsigned id = get<std::uint8_t>(f, at);
            if (id == child_config::power_management_id)
                f.power_management = at;
            if (id == child_config::msix_id) {
                f.msix = at;
                const auto table = get<std::uint32_t>(f, at + child_config::msix_table);
                const auto control = get<std::uint16_t>(f, at + child_config::msix_control);
                f.table_size = (control & child_config::msix_size) + 1;
                f.table_bar = table & child_config::msix_bir;
                f.table_offset = table & ~child_config::msix_bir;
            }
            at = get<std::uint8_t>(f, at + 1) & 0xfcU;
        }
        if (f.table_bar >= pci::bar_count)
            f.msix = 0;
    }

    /// Finds out how large a BAR is and gives it an address: 64-bit ones in the second window, others in
    /// the first. One that finds no room stays without, and cannot be mapped.
    void place_bar(child_function& f, unsigned number) noexcept {
        auto& bar = f.bars[number];
        const unsigned at = child_config::bar + 4 * number;
        const auto found = f.bars_found[number] = get<std::uint32_t>(f, at);
        if ((found & 1U) != 0)
            return;  // I/O space: there is none behind a VMD
        put(f, at, ~std::uint32_t{0});
        const std::uint32_t low = get<std::uint32_t>(f, at);
        if (low == 0)
            return;
        bar.wide = (low & 7U) == 4 && number + 1 != pci::bar_count;
        std::uint64_t mask = (low & ~std::uint32_t{15}) | 0xffff'ffff'0000'0000;
        if (bar.wide) {
            f.bars_found[number + 1] = get<std::uint32_t>(f, at + 4);
            put(f, at + 4, ~std::uint32_t{0});
            mask = (mask & 0xffff'ffffU) | std::uint64_t{get<std::uint32_t>(f, at + 4)} << 32U;
        }
        bar.size = ~mask + 1;
        bar.window = bar.wide ? 1 : 0;
        window& in = windows_[bar.window];
        const std::uint64_t place = (in.next + bar.size - 1) & ~(bar.size - 1);
        bar.placed = std::has_single_bit(bar.size) && place - in.space.address + bar.size <= in.space.size &&
                     (bar.wide || place + bar.size <= 0x1'0000'0000);
        if (bar.placed) {
            bar.address = place;
            in.next = place + bar.size;
        }
        put(f, at, static_cast<std::uint32_t>(bar.address));
        if (bar.wide)
            put(f, at + 4, static_cast<std::uint32_t>(bar.address >> 32U));
    }

    // Windows.

    result<> use_window(unsigned number) noexcept {
        const std::scoped_lock hold(lock_);
        return acquire_window(number);
    }
    void leave_window(unsigned number) noexcept {
        const std::scoped_lock hold(lock_);
        release_window(number);
    }
    result<> acquire_window(unsigned number) noexcept {
        window& w = windows_[number];
        if (w.users == 0) {
            if (number == 0) {
                DEVRES_TRY(w.mapping, pci::pci_iomap_region<membar1>(enabled_, "vmd-window"));
            } else {
                DEVRES_TRY(w.mapping, pci::pci_iomap_region<membar2>(enabled_, "vmd-window"));
            }
        }
        ++w.users;
        return {};
    }
    void disable_now(child_function& f) noexcept { put_command(f, f.command_before & ~child_config::command_master); }

    void release_window(unsigned number) noexcept {
        window& w = windows_[number];
        if (--w.users == 0)
            w.mapping = {};
    }

    // MSI-X.

    [[nodiscard]] static std::size_t irqs_of(const child_function& f, unsigned vectors) noexcept {
        return f.msix == 0 ? 0 : f.table_size < vectors ? f.table_size : vectors;
    }

    result<unsigned> allocate_msix(child_function& f, const pci::vector_request& request) noexcept {
        const auto& bar = f.bars[f.table_bar];
        if (f.msix == 0 || f.enables.count() == 0 || f.saved.valid || !bar.placed)
            return fail(errc::einval);
        if (interrupts_ == nullptr)
            return fail(errc::enotsupp);  // messages pass VMD by, to an interrupt controller that is not ours
        auto count = static_cast<unsigned>(f.irqs.size());
        if (request.max < count)
            count = request.max;
        if (request.affinity != nullptr) {  // as many CPUs as there may be: VMD's vectors are where they are
            DEVRES_TRY(count, pci::spread_vector_count(*request.affinity, request.min, count, ~0U));
        }
        if (count < request.min)
            return fail(errc::enospc);
        if (request.affinity != nullptr && request.affinity->calculate_sets != nullptr) {
            pci::irq_affinity sets = *request.affinity;
            sets.calculate_sets(sets, count - sets.pre_vectors - sets.post_vectors);
        }
        const std::scoped_lock hold(lock_);
        DEVRES_TRY(acquire_window(bar.window));  // for the table
        for (unsigned i = 0; i != count; ++i) {
            f.irqs[i].vector = interrupts_->take(f.is_nvme());
            write_entry(f, i, true);
        }
        enable_msix(f, true);
        f.vectors.store(count, std::memory_order_release);
        return count;
    }
    void enable_msix(const child_function& f, bool on) const noexcept {
        const unsigned at = f.msix + child_config::msix_control;
        const std::uint32_t others =
            get<std::uint16_t>(f, at) & ~(child_config::msix_enable | child_config::msix_function_mask);
        put(f, at, static_cast<std::uint16_t>(others | (on ? child_config::msix_enable : 0)));
    }

    void put_entry(const child_function& f, unsigned index, unsigned word, std::uint32_t value) const noexcept {
        const auto& bar = f.bars[f.table_bar];
        const window& in = windows_[bar.window];
        const std::uint64_t table = bar.address - in.space.address + f.table_offset;
        const std::size_t entry = index * child_config::msix_entry + word * std::size_t{4};
        put(in.mapping, static_cast<std::size_t>(table) + entry, value);
    }
    void mask_entry(const child_function& f, unsigned index, bool masked) const noexcept {
        put_entry(f, index, 3, masked ? 1 : 0);
    }
    void write_entry(const child_function& f, unsigned index, bool masked) const noexcept {
        put_entry(f, index, 0, message::address(f.irqs[index].vector));
        put_entry(f, index, 1, 0);
        put_entry(f, index, 2, 0);
        mask_entry(f, index, masked);
    }
    void clear_entry(const child_function& f, unsigned index) const noexcept {
        mask_entry(f, index, true);
        put_entry(f, index, 0, 0);
    }

    /// Lets a vector's interrupts reach its handler; those that were held do here, on this thread.
    void start(child_function& f, unsigned index) noexcept {
        f.irqs[index].allow();
        mask_entry(f, index, false);
    }
    /// Ends the handler of a vector; returns when it is not running. The interrupt stays on its list, for messages that are
    /// under way.
    void end(child_function& f, unsigned index) noexcept {
        mask_entry(f, index, true);
        f.irqs[index].hold(*this);
        f.irqs[index].take();
    }
    [[nodiscard]] static child_irq* newest_registered(const child_function& f) noexcept {
        child_irq* newest = nullptr;
        for (child_irq& irq : f.irqs) {
            if (irq.id() != pci::handler_id::none && (newest == nullptr || irq.id() > newest->id()))
                newest = &irq;
        }
        return newest;
    }

    enabled_parent enabled_;
    config_window config_;
    std::uint32_t domain_;
    std::uint8_t first_bus_;
    std::array<window, 2> windows_;
    platform_array<child_function> functions_;
    child_interrupts* interrupts_ = nullptr;
    std::mutex lock_;
    std::atomic<std::uint64_t> registrations_{0};
};

// It is a platform on any parent, and asks nothing of the parent that the concept does not.
static_assert(pci::platform<child_bus<pci::device<pci::platform_archetype>>>);

}  // namespace vmd
