// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

#include <devres/pci/platform.hpp>
#include <devres/sim/function.hpp>
#include <devres/sim/function_config.hpp>
#include <devres/sim/irq_domain.hpp>
#include <devres/sim/ledger.hpp>
#include <devres/sim/library_memory.hpp>
#include <devres/sim/lspci.hpp>

namespace devres::sim {

/// A mapped BAR: what a driver reads and writes through. A copy is the same mapping.
class region {
public:
    /// No mapping; accesses through it read as all ones.
    constexpr region() noexcept = default;

private:
    friend class bus;
    function* function_ = nullptr;
    std::uint64_t size_ = 0;
    std::uint32_t generation_ = 0;
    std::uint8_t bar_ = 0;
};

/// A PCI bus in memory, the platform to write and test drivers on: functions with real configuration spaces,
/// BARs, interrupts and DMA, and a ledger of what drivers hold and do wrong.
///
/// The device calls of one function are made on one thread at a time; functions interrupt on any thread.
///
/// @par Example
/// @code
/// sim::bus bus;
/// sim::function& function = bus.add({.vendor = 0x11f8, .device = 0x8531, .msix_vectors = 4, .bar_sizes = {4096}});
/// auto bound = bind<my_driver>(bus, function);
/// function.raise(0);          // the handler of vector 0 runs
/// bound->unbind();
/// assert(bus.ledger().clean());
/// @endcode
class bus {
public:
    using function_type = function;
    using region_type = region;

    bus() = default;
    bus(const bus&) = delete;
    bus& operator=(const bus&) = delete;

    /// Puts a function on the bus. The reference is good for the life of the bus, which the config's model must
    /// outlive.
    /// @throws std::invalid_argument if there can be no such function, or its address is taken: the message names
    /// the field, its value, and what would be right.
    function& add(const function_config& config) { return place(detail::plan(config)); }

    /// Puts a function on the bus that has the configuration space of a real one. `model` may be null.
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
        throw std::out_of_range(std::string("no function at ") + where.text().c_str());
    }

    /// The function at an address, or null.
    [[nodiscard]] function* find(pci::address where) noexcept {
        const std::scoped_lock hold(lock_);
        for (function& candidate : functions_) {
            if (candidate.address() == where)
                return &candidate;
        }
        return nullptr;
    }

    /// All of them, in the order they were added.
    [[nodiscard]] std::deque<function>& functions() noexcept { return functions_; }

    /// What drivers hold and did wrong.
    [[nodiscard]] sim::ledger& ledger() noexcept { return ledger_; }

    /// How many CPUs vectors are spread over: 8 unless said otherwise. @throws std::invalid_argument unless 1 to 64
    void set_possible_cpus(unsigned cpus) {
        if (cpus == 0 || cpus > 64)
            throw std::invalid_argument("set_possible_cpus(" + std::to_string(cpus) + "): must be 1 to 64");
        cpus_ = cpus;
    }
    [[nodiscard]] unsigned possible_cpus() const noexcept { return cpus_; }

    /// Makes the machine short of MSI and MSI-X vectors: `count` can be in use at a time, over all functions.
    void set_available_vectors(unsigned count) noexcept { irqs_.limit(count); }

    /// Whether functions can have more than one MSI vector; true unless said otherwise.
    void set_multiple_msi(bool on) noexcept { multiple_msi_ = on; }

    /// The interrupt controller: for an operating system that has the functions' interrupts routed its own way.
    [[nodiscard]] irq_domain& interrupts() noexcept { return irqs_; }

    // The primitives of pci::platform; their contracts are there.

    static constexpr bool hybrid_irq_vectors = false;

    void* allocate(std::size_t size, std::size_t alignment) noexcept { return memory_.allocate(size, alignment); }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        memory_.deallocate(block, size, alignment);
    }
    void relax() noexcept { std::this_thread::yield(); }

    result<> attach(function& f) noexcept;
    void detach(function& f) noexcept;
    pci::device_id id(const function& f) noexcept;

    result<> enable(function& f) noexcept;
    void disable(function& f) noexcept;
    result<> set_master(function& f, bool on) noexcept;
    result<> suspend(function& f) noexcept;
    result<> resume(function& f) noexcept;

    result<std::uint32_t> read_config(function& f, unsigned offset, unsigned width) noexcept {
        return f.read_config(offset, width);
    }
    result<> write_config(function& f, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        return f.write_config(offset, width, value);
    }

    result<region> map_bar(function& f, pci::bar_number bar, const char* name) noexcept;
    void unmap_bar(function& f, region& mapped) noexcept;
    std::size_t bar_size(const region& mapped) noexcept { return static_cast<std::size_t>(mapped.size_); }

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

    result<pci::vector_grant> allocate_vectors(function& f, const pci::vector_request& request) noexcept;
    result<> free_vectors(function& f) noexcept;
    pci::irq_number vector_number(function& f, pci::vector_index vector) noexcept;

    result<pci::handler_id> register_handler(function& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept;
    result<> unregister_handler(function& f, pci::handler_id id) noexcept;
    bool handler_registered(function& f, pci::handler_id id) noexcept { return f.driver_.registered(id) != nullptr; }
    bool in_handler(const function& f) noexcept;
    result<> synchronize_handler(function& f, pci::handler_id id) noexcept;
    result<> disable_handler(function& f, pci::handler_id id) noexcept;
    result<> enable_handler(function& f, pci::handler_id id) noexcept;

    result<pci::dma_block> allocate_dma(function& f, std::size_t size) noexcept;
    void free_dma(function& f, const pci::dma_block& block) noexcept;
    result<pci::dma_block> map_dma(function& f, void* memory, std::size_t size) noexcept;
    void unmap_dma(function& f, const pci::dma_block& mapping) noexcept;

private:
    function& place(detail::blueprint plan);
    static void undecode(function& f) noexcept;
    static void disable_now(function& f) noexcept;
    static void wake(function& f) noexcept;
    bool acquires_inside_handler(const function& f, const char* primitive) noexcept;
    bool accessible(const region& mapped, std::size_t offset, unsigned width) noexcept;
    void check_handler(const region& mapped, const char* does) noexcept;

    struct vector_count {
        unsigned count = 0;
        unsigned base = 0;
    };
    result<vector_count> take_numbers(const pci::vector_request& request, unsigned most, bool in_one_block) noexcept;
    result<vector_count> take_vectors(function& f, pci::irq_type type, const pci::vector_request& request,
                                      unsigned most) noexcept;
    result<unsigned> allocate_msix(function& f, const pci::vector_request& request) noexcept;
    result<unsigned> allocate_msi(function& f, const pci::vector_request& request) noexcept;
    void spread(function& f, const pci::vector_request& request, unsigned count) noexcept;
    static void silence(function& f, unsigned count) noexcept;
    void set_up(function& f, pci::irq_type type, unsigned base, unsigned count) noexcept;
    static void set_intx_disable(function& f, unsigned bits) noexcept;
    static void mask(function& f, unsigned vector, bool on) noexcept;
    static void start(function& f, irq_slot& slot) noexcept;
    static void end_handler(function& f, irq_slot& slot) noexcept;

    static std::vector<std::string> held(const function& f);
    static void collect(const void* self, std::vector<std::string>& lines);

    sim::ledger ledger_{&collect, this};
    irq_domain irqs_;
    library_memory memory_{ledger_};
    mutable std::mutex lock_;
    std::deque<function> functions_;
    std::uint32_t next_io_ = 0x1000;
    std::uint64_t next_memory_ = 0x8000'0000;
    std::uint64_t next_wide_ = 0x40'0000'0000;
    unsigned cpus_ = 8;
    bool multiple_msi_ = true;
};

}  // namespace devres::sim

#include <devres/sim/bus_functions.hpp>
#include <devres/sim/bus_vectors.hpp>

namespace devres::sim {

static_assert(pci::platform<bus>);

}  // namespace devres::sim
