// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>
#include <devres/pci/spread_vectors.hpp>

#include "bar_access.hpp"
#include "child_function.hpp"
#include "child_functions.hpp"
#include "child_interrupts.hpp"
#include "registers.hpp"

namespace vmd {

/// The bus behind a VMD: a platform, so that drivers of the functions on it are drivers like any other and
/// cannot tell.
///
/// `Parent` is the device that the VMD driver is bound to. A configuration space is a page of VMD's CFGBAR;
/// a child's BAR is a part of one of VMD's windows; its interrupts are messages that name a vector of VMD's;
/// its memory and DMA are VMD's. Children have MSI-X or nothing: there is no INTx behind a VMD, and the
/// messages of MSI are left out here.
///
/// A managed object of the VMD driver. Children must be unbound before it goes, which the driver does when
/// it is stopped.
///
/// # Threads
/// As for any platform: the device calls of one function are made on one thread at a time, those of
/// different functions may be made on different ones. `lock_` is for what children share: which vector of
/// VMD's has how many of their interrupts. Delivery does not take it.
template <class Parent>
class child_bus {
    using parent_platform = typename Parent::platform_type;
    using delivery = std::optional<devres::managed_ref<child_interrupts>>;

public:
    using function_type = child_function;
    /// A part of a window.
    struct region_type {
        std::size_t offset = 0;
        std::size_t size = 0;
        unsigned window = 0;
        unsigned bar = 0;
    };

    /// The bus of these functions; `config` is CFGBAR, the windows are MEMBAR1 and MEMBAR2. Children interrupt
    /// through VMD's vectors, by `interrupts`. Without, they have no vectors (`enotsupp`).
    child_bus(const pci::enabled_of<Parent>& enabled, const pci::bar_of<Parent>& config,
              const pci::bar_of<Parent>& window1, const pci::bar_of<Parent>& window2,
              child_functions<Parent>&& functions, const delivery& interrupts) noexcept
        : enabled_(enabled), config_(config), windows_{window1, window2}, functions_(std::move(functions)),
          interrupts_(interrupts) {
        if (!interrupts_)
            return;
        child_interrupts& all = **interrupts_;
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
    /// Nothing where children cannot interrupt through VMD.
    [[nodiscard]] const delivery& interrupts() const noexcept { return interrupts_; }

    // The primitives of pci::platform; their contracts are there.

    static constexpr bool hybrid_irq_vectors = false;

    void* allocate(std::size_t size, std::size_t alignment) noexcept { return platform().allocate(size, alignment); }
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
        return width == 1   ? get<std::uint8_t>(f, offset)
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
        bar.mapped = true;
        return region_type{.offset = static_cast<std::size_t>(functions_.place_in_window(bar)),
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
        return read_register<T>(windows_[region.window], region.offset + offset);
    }
    template <class T>
    void write(const region_type& region, std::size_t offset, T value) noexcept {
        write_register(windows_[region.window], region.offset + offset, value);
    }

    result<pci::vector_grant> allocate_vectors(child_function& f, const pci::vector_request& request) noexcept {
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
            child_irq& irq = f.irqs[i];
            delivered().list(irq.vector).remove(irq);
            irq.forget();
            delivered().give_back(irq.vector);
        }
        if (f.enables.settle(f.needs_enable()))
            disable_now(f);
        return {};
    }
    /// A number that no other function of this machine's VMDs has: beyond those of the machine itself.
    pci::irq_number vector_number(child_function& f, pci::vector_index vector) noexcept {
        const auto devfn = static_cast<unsigned>(f.config >> 12U);
        return pci::irq_number(((f.address.domain() & 0xffU) + 1) << 19U | devfn << 11U | vector.value());
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
        delivered().list(irq.vector).add(irq);
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
    // A registration's id says which vector it is on, and is never used again.
    static constexpr unsigned index_bits = 12;
    [[nodiscard]] static unsigned index_of(pci::handler_id id) noexcept {
        return static_cast<unsigned>(id) & ((1U << index_bits) - 1);
    }

    [[nodiscard]] Parent& parent() const noexcept { return enabled_.dev(); }
    [[nodiscard]] parent_platform& platform() const noexcept { return parent().platform(); }

    /// Where children have vectors, they have been given a way to interrupt.
    [[nodiscard]] child_interrupts& delivered() const noexcept { return **interrupts_; }

    // Configuration space.

    [[nodiscard]] static bool is_register(unsigned offset, unsigned width) noexcept {
        return (width == 1 || width == 2 || width == 4) && offset % width == 0 && offset < 4096;
    }
    template <class T>
    [[nodiscard]] T get(const child_function& f, unsigned offset) const noexcept {
        return read_register<T>(config_, f.config + offset);
    }
    template <class T>
    void put(const child_function& f, unsigned offset, T value) const noexcept {
        write_register(config_, f.config + offset, value);
    }
    void put_command(const child_function& f, std::uint32_t value) const noexcept {
        put(f, child_config::command, static_cast<std::uint16_t>(value));
    }
    void disable_now(child_function& f) noexcept { put_command(f, f.command_before & ~child_config::command_master); }
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

    // MSI-X.

    result<unsigned> allocate_msix(child_function& f, const pci::vector_request& request) noexcept {
        const auto& bar = f.bars[f.table_bar];
        if (f.msix == 0 || f.enables.count() == 0 || f.saved.valid || !bar.placed)
            return fail(errc::einval);
        if (!interrupts_)
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
        for (unsigned i = 0; i != count; ++i) {
            f.irqs[i].vector = delivered().take(f.is_nvme());
            write_entry(f, i, true);
        }
        enable_msix(f, true);
        f.vectors.store(count, std::memory_order_release);
        return count;
    }
    void enable_msix(const child_function& f, bool on) const noexcept {
        const unsigned at = f.msix + child_config::msix_control;
        const std::uint32_t others = get<std::uint16_t>(f, at) &
                                     ~(child_config::msix_enable | child_config::msix_function_mask);
        put(f, at, static_cast<std::uint16_t>(others | (on ? child_config::msix_enable : 0)));
    }

    void put_entry(const child_function& f, unsigned index, unsigned word, std::uint32_t value) const noexcept {
        const auto& bar = f.bars[f.table_bar];
        const std::uint64_t table = functions_.place_in_window(bar) + f.table_offset;
        const std::size_t entry = index * child_config::msix_entry + word * std::size_t{4};
        write_register(windows_[bar.window], static_cast<std::size_t>(table) + entry, value);
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
    /// Ends the handler of a vector; returns when it is not running. The interrupt stays on its list, for messages
    /// that are under way.
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

    pci::enabled_of<Parent> enabled_;
    pci::bar_of<Parent> config_;
    std::array<pci::bar_of<Parent>, 2> windows_;
    child_functions<Parent> functions_;
    delivery interrupts_;
    std::mutex lock_;
    std::atomic<std::uint64_t> registrations_{0};
};

// It is a platform on any parent, and asks nothing of the parent that the concept does not.
static_assert(pci::platform<child_bus<pci::device<pci::platform_archetype>>>);

}  // namespace vmd
