// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <devres/core/detail/exceptions.hpp>
#include <devres/hardware/detail/dump_blueprint.hpp>
#include <devres/hardware/detail/library_memory.hpp>
#include <devres/hardware/dump.hpp>
#include <devres/hardware/function.hpp>
#include <devres/hardware/function_config.hpp>
#include <devres/hardware/irq_domain.hpp>
#include <devres/hardware/ledger.hpp>
#include <devres/hardware/region.hpp>
#include <devres/hardware/work_queue.hpp>

namespace devres::hardware {

/// A machine: PCI functions, the interrupt controller they send to, memory, and a ledger of what its operating system holds
/// of them and does wrong. An operating system on it (`sim::bus`, `linux_model::kernel`) decides who may have what.
///
/// The calls about one function are made on one thread at a time; functions interrupt, and are looked for, on any.
class machine {
public:
    machine() = default;
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    /// Puts a function into the machine. The reference is good for the life of the machine, which the config's model must
    /// outlive.
    /// @throws std::invalid_argument if there can be no such function, or its address is taken: the message names
    /// the field, its value, and what would be right.
    function& add(const function_config& config) { return place(detail::plan(config)); }

    /// Puts a function into the machine that has the configuration space of a real one. `model` may be null.
    /// What the dump does not say is chosen and noted: see `function::notes`.
    /// @throws std::invalid_argument if the address is taken
    template <std::same_as<dumped_function> Dump>  // so that add({...}) means a function_config
    function& add(const Dump& dump, device_model* model = nullptr) {
        return place(detail::plan(dump, model));
    }

    /// The function at an address. @throws std::out_of_range, naming it, if there is none
    [[nodiscard]] function& at(pci::address where) {
        if (function* const found = find(where))
            return *found;
        devres::detail::raise<std::out_of_range>("no function at " + std::string(where.text()));
    }
    /// The function at an address, or null.
    [[nodiscard]] function* find(pci::address where) noexcept {
        const std::scoped_lock hold(lock_);
        const auto found = by_address_.find(where);
        return found == by_address_.end() ? nullptr : found->second;
    }
    /// All of them, in the order they were added.
    [[nodiscard]] std::deque<function>& functions() noexcept { return functions_; }

    /// Vendor, device, subsystem (0 for a bridge) and class of a function, as its registers say.
    [[nodiscard]] static pci::device_id id(const function& f) noexcept;

    /// What is held, and what went wrong.
    [[nodiscard]] hardware::ledger& ledger() noexcept { return ledger_; }
    /// What is held of one function, a line each, as in the ledger but without its address.
    [[nodiscard]] static std::vector<std::string> held(const function& f);

    /// The interrupt controller.
    [[nodiscard]] irq_domain& interrupts() noexcept { return irqs_; }
    /// Makes the machine short of MSI and MSI-X vectors: `count` can be in use at a time, over all functions.
    void set_available_vectors(unsigned count) noexcept { irqs_.limit(count); }

    /// Deferred work, and the clock.
    [[nodiscard]] work_queue& work() noexcept { return work_; }

    /// How many CPUs vectors are spread over: 8 unless said otherwise. @throws std::invalid_argument unless 1 to 64
    void set_possible_cpus(unsigned cpus) {
        if (cpus == 0 || cpus > 64)
            devres::detail::raise<std::invalid_argument>("set_possible_cpus(" + std::to_string(cpus) +
                                                         "): must be 1 to 64");
        cpus_ = cpus;
    }
    [[nodiscard]] unsigned possible_cpus() const noexcept { return cpus_; }  ///< over which vectors are spread

    /// Where addresses for DMA begin, for functions that are there and those to come: 256 MiB unless said otherwise. At 4 GiB
    /// and above, a driver needs a DMA mask of more than 32 bits.
    void set_dma_base(pci::bus_address base) {
        const std::scoped_lock hold(lock_);
        dma_base_ = base;
        for (function& f : functions_)
            f.dma().set_base(base);
    }

    /// Whether a device and a driver see at once what the other writes to mapped memory; true unless said otherwise, for mappings
    /// that are made from now on. If not, `dma_sync_single_for_cpu` and `..._for_device` say when, as the map and the unmap do.
    void set_coherent(bool on) noexcept { coherent_ = on; }

    /// Whether this thread is in a handler of the function's.
    [[nodiscard]] static bool in_handler(const function& f) noexcept {
        for (const detail::handler_frame* frame = detail::running_handlers; frame != nullptr; frame = frame->outer) {
            if (frame->slot->owner == &f)
                return true;
        }
        return false;
    }
    /// The same, which is then written down as a violation: a handler acquires something. `primitive` is what it called.
    bool acquires_inside_handler(const function& f, const char* primitive) noexcept;

    /// Memory, BARs and DMA are the hardware's to give; the contracts are those of `pci::platform_archetype`.
    /// @{
    [[nodiscard]] void* allocate(std::size_t size, std::size_t alignment) noexcept {
        return memory_.allocate(size, alignment);
    }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        memory_.deallocate(block, size, alignment);
    }

    [[nodiscard]] static result<pci::bar_resource> describe_bar(const function& f, pci::bar_number bar) noexcept;
    result<region> map_bar(function& f, pci::bar_number bar, const char* name) noexcept;
    /// @returns false, with a violation, if that mapping is not there.
    bool unmap_bar(function& f, const region& mapped) noexcept;
    [[nodiscard]] static std::size_t bar_size(const region& mapped) noexcept {
        return static_cast<std::size_t>(mapped.size_);
    }

    template <class T>
    T read(const region& mapped, std::size_t offset) noexcept {
        static_assert(std::is_unsigned_v<T>);
        if (!accessible(mapped, offset, sizeof(T))) [[unlikely]]
            return static_cast<T>(~T{});
        if (detail::running_handlers != nullptr)
            check_handler(mapped, "reads");
        return static_cast<T>(mapped.function_->read_bar(pci::bar_number(mapped.bar_), offset, sizeof(T)));
    }
    template <class T>
    void write(const region& mapped, std::size_t offset, T value) noexcept {
        static_assert(std::is_unsigned_v<T>);
        if (!accessible(mapped, offset, sizeof(T))) [[unlikely]]
            return;
        if (detail::running_handlers != nullptr)
            check_handler(mapped, "writes");
        mapped.function_->write_bar(pci::bar_number(mapped.bar_), offset, sizeof(T), value);
    }

    static result<> set_dma_mask(function& f, pci::dma_use use, std::uint64_t mask) noexcept {
        return f.dma().set_mask(use, mask) ? result<>() : fail(errc::eio);
    }
    [[nodiscard]] static std::uint64_t required_dma_mask(const function& f) noexcept { return f.dma().required_mask(); }
    result<pci::dma_block> allocate_dma(function& f, std::size_t size) noexcept;
    void free_dma(function& f, const pci::dma_block& block) noexcept;
    result<pci::dma_block> map_dma(function& f, void* memory, std::size_t size,
                                   pci::dma_direction direction = pci::dma_direction::bidirectional) noexcept;
    void unmap_dma(function& f, const pci::dma_block& mapping) noexcept;
    void sync_dma_for_cpu(function& f, const pci::dma_block& part) noexcept;
    void sync_dma_for_device(function& f, const pci::dma_block& part) noexcept;
    /// @}

private:
    function& place(detail::blueprint plan);
    pci::address free_address();
    void assign_bars(detail::blueprint& plan) noexcept;
    void tell_sync(function& f, const pci::dma_block& part, dma_space::synced outcome, const char* clash) noexcept;
    bool accessible(const region& mapped, std::size_t offset, unsigned width) noexcept;
    void check_handler(const region& mapped, const char* does) noexcept;
    static void collect(const void* self, std::vector<std::string>& lines);

    hardware::ledger ledger_{&collect, this};
    irq_domain irqs_;
    work_queue work_;
    library_memory memory_{ledger_};
    mutable std::mutex lock_;
    std::deque<function> functions_;
    std::map<pci::address, function*> by_address_;
    unsigned next_slot_ = 1;  // no address below it is free; as bus * 32 + device
    std::uint32_t next_io_ = 0x1000;
    std::uint64_t next_memory_ = 0x8000'0000;
    std::uint64_t next_wide_ = 0x40'0000'0000;
    unsigned cpus_ = 8;
    pci::bus_address dma_base_{0x1000'0000};
    bool coherent_ = true;
};

}  // namespace devres::hardware

#include <devres/hardware/detail/machine_functions.hpp>
#include <devres/hardware/detail/machine_memory.hpp>
