// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>

#include "bar_access.hpp"
#include "child_access.hpp"
#include "child_config.hpp"
#include "child_function.hpp"
#include "child_functions.hpp"
#include "child_interrupts.hpp"
#include "child_vectors.hpp"

namespace vmd {

/// The bus behind a VMD: a platform, so that drivers of the functions on it are drivers like any other and
/// cannot tell.
///
/// `Parent` is the device that the VMD driver is bound to. A configuration space is a page of VMD's CFGBAR;
/// a child's BAR is a part of one of VMD's windows; its interrupts are messages that name a vector of VMD's
/// (`child_vectors`); its memory and DMA are VMD's.
///
/// A managed object of the VMD driver. Children must be unbound before it goes, which the driver does when
/// it is stopped.
template <class Parent>
class child_bus : public child_vectors<Parent> {
    using vectors = child_vectors<Parent>;
    using vectors::access, vectors::parent, vectors::platform, vectors::restore_vectors;
    using parent_platform = typename Parent::platform_type;

public:
    using typename vectors::delivery;
    using vectors::in_handler, vectors::interrupts;
    using function_type = child_function;
    /// A part of a window.
    struct region_type {
        std::size_t offset = 0;
        std::size_t size = 0;
        unsigned window = 0;
        unsigned bar = 0;
    };

    /// The bus of these functions; `config` is CFGBAR, the windows are MEMBAR1 and MEMBAR2. Children interrupt
    /// through VMD's vectors, by `delivered`. Without, they have no vectors (`enotsupp`).
    child_bus(const pci::enabled_of<Parent>& enabled, const pci::bar_of<Parent>& config,
              const pci::bar_of<Parent>& window1, const pci::bar_of<Parent>& window2,
              child_functions<Parent>&& functions, const delivery& delivered) noexcept
        : vectors(enabled, child_access<Parent>(child_config<Parent>(config), {window1, window2}), delivered),
          functions_(std::move(functions)) {
        if (!delivered)
            return;
        child_interrupts& all = **delivered;
        std::size_t next = 0;
        for (child_function& f : functions_.all()) {
            f.irqs = all.irqs().subspan(next, functions_.irqs_of(f, all.vectors()));
            next += f.irqs.size();
        }
    }
    child_bus(const child_bus&) = delete;
    child_bus& operator=(const child_bus&) = delete;

    /// The functions on the bus, in the order of their addresses.
    [[nodiscard]] std::span<child_function> functions() noexcept { return functions_.all(); }

    // The primitives of pci::platform; their contracts are there.

    static constexpr bool hybrid_irq_vectors = false;

    void* allocate(std::size_t size, std::size_t alignment) noexcept { return platform().allocate(size, alignment); }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        platform().deallocate(block, size, alignment);
    }

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
        config().set_power(f, 0);
        f.command_before = config().command(f);
        config().put_command(f, f.command_before | pci::registers::command_bits::memory);
        return {};
    }
    void disable(child_function& f) noexcept {
        if (f.enables.disable(f.needs_enable()))
            disable_now(f);
    }
    result<> set_master(child_function& f, bool on) noexcept {
        if (!is_present(f))
            return fail(errc::enodev);
        config().put_command(f, (config().command(f) & ~pci::registers::command_bits::master) |
                                    (on ? pci::registers::command_bits::master : 0));
        return {};
    }

    result<> suspend(child_function& f) noexcept {
        if (!is_present(f))
            return fail(errc::enodev);
        if (f.saved.valid)
            return fail(errc::einval);
        for (unsigned i = 0; i != f.saved.header.size(); ++i)
            f.saved.header[i] = config().template get<std::uint32_t>(f, 4 * i);
        f.saved.valid = true;
        config().set_power(f, pci::registers::power_management::state);
        return {};
    }
    result<> resume(child_function& f) noexcept {
        if (!f.saved.valid)
            return fail(errc::einval);
        f.saved.valid = false;
        if (!is_present(f))
            return fail(errc::enodev);
        config().set_power(f, 0);
        for (unsigned i = pci::registers::bar / 4; i != f.saved.header.size(); ++i)
            config().put(f, 4 * i, f.saved.header[i]);
        config().put_command(f, f.saved.header[pci::registers::command / 4] & 0xffffU);
        restore_vectors(f);
        return {};
    }

    result<std::uint32_t> read_config(child_function& f, unsigned offset, unsigned width) noexcept {
        return config().read(f.config, offset, width);
    }
    result<> write_config(child_function& f, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        return config().write(f, offset, width, value);
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
        bar.mapped = true;
        return region_type{.offset = static_cast<std::size_t>(bar.offset),
                           .size = static_cast<std::size_t>(bar.size),
                           .window = bar.window,
                           .bar = number.value()};
    }
    void unmap_bar(child_function& f, region_type& region) noexcept {
        f.bars[region.bar].mapped = false;
        if (f.enables.settle(f.needs_enable()))
            disable_now(f);
    }
    std::size_t bar_size(const region_type& region) noexcept { return region.size; }
    template <class T>
    T read(const region_type& region, std::size_t offset) noexcept {
        return read_register<T>(access().window(region.window), region.offset + offset);
    }
    template <class T>
    void write(const region_type& region, std::size_t offset, T value) noexcept {
        write_register(access().window(region.window), region.offset + offset, value);
    }

    result<> free_vectors(child_function& f) noexcept {
        if (f.vectors.load(std::memory_order_relaxed) == 0)
            return {};
        DEVRES_TRY(vectors::free_vectors(f));
        if (f.enables.settle(f.needs_enable()))
            disable_now(f);
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
        requires requires(parent_platform& watched, typename Parent::function_type& vmd) { watched.note(vmd, event); }
    {
        if (!event.managed)
            return;  // a platform may take those for VMD's own
        const auto where = f.address.text();
        devres::resource_event named = event;
        named.name = where.c_str();
        platform().note(parent().function(), named);
    }

private:
    [[nodiscard]] const child_config<Parent>& config() const noexcept { return access().config(); }
    [[nodiscard]] bool is_present(const child_function& f) const noexcept { return config().is_present(f.config); }
    void disable_now(child_function& f) noexcept {
        config().put_command(f, f.command_before & ~pci::registers::command_bits::master);
    }

    child_functions<Parent> functions_;
};

// It is a platform on any parent, and asks nothing of the parent that the concept does not.
static_assert(pci::platform<child_bus<pci::device<pci::platform_archetype>>>);

}  // namespace vmd
