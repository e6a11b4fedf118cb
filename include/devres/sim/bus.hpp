// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include <devres/hardware/machine.hpp>
#include <devres/pci/platform.hpp>
#include <devres/sim/detail/driver_side.hpp>
#include <devres/sim/hardware.hpp>

namespace devres::sim {

/// A PCI bus in memory, the platform to write and test drivers on: functions with real configuration spaces,
/// BARs, interrupts and DMA, and a ledger of what drivers hold and do wrong.
///
/// The device calls of one function are made on one thread at a time; functions interrupt on any thread.
///
/// Example:
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
    using function_type = function;  ///< as a platform
    using region_type = region;      ///< as a platform

    bus() = default;
    bus(const bus&) = delete;
    bus& operator=(const bus&) = delete;

    /// Puts a function on the bus. The reference is good for the life of the bus, which the config's model must
    /// outlive.
    /// @throws std::invalid_argument if there can be no such function, or its address is taken: the message names
    /// the field, its value, and what would be right.
    function& add(const function_config& config) { return know(machine_.add(config)); }

    /// Puts a function on the bus that has the configuration space of a real one. `model` may be null.
    /// What the dump does not say is chosen and noted: see `function::notes`.
    /// @throws std::invalid_argument if the address is taken
    template <std::same_as<dumped_function> Dump>  // so that add({...}) means a function_config
    function& add(const Dump& dump, device_model* model = nullptr) {
        return know(machine_.add(dump, model));
    }

    /// The function at an address. @throws std::out_of_range, naming it, if there is none
    [[nodiscard]] function& at(pci::address where) { return machine_.at(where); }
    /// The function at an address, or null.
    [[nodiscard]] function* find(pci::address where) noexcept { return machine_.find(where); }
    /// All of them, in the order they were added.
    [[nodiscard]] std::deque<function>& functions() noexcept { return machine_.functions(); }

    /// What drivers hold and did wrong.
    [[nodiscard]] sim::ledger& ledger() noexcept { return machine_.ledger(); }

    /// How many vectors a function's driver has; 0 without.
    [[nodiscard]] unsigned vectors(const function& f) const noexcept {
        return driver_of(f).vectors.load(std::memory_order_acquire);
    }
    /// The CPUs that a vector of the function's may interrupt, a bit each; 0 if there is no such vector. All, unless
    /// the driver asked for vectors that are spread.
    [[nodiscard]] std::uint64_t affinity(const function& f, pci::vector_index vector) const noexcept;

    /// Where a function's driver would have a vector, a bit for each CPU; 0 without a hint, or such a vector.
    [[nodiscard]] std::uint64_t affinity_hint(const function& f, pci::vector_index vector) const noexcept;

    /// How many CPUs vectors are spread over: 8 unless said otherwise. @throws std::invalid_argument unless 1 to 64
    void set_possible_cpus(unsigned cpus) { machine_.set_possible_cpus(cpus); }
    [[nodiscard]] unsigned possible_cpus() const noexcept { return machine_.possible_cpus(); }  ///< as set

    /// Makes the machine short of MSI and MSI-X vectors: `count` can be in use at a time, over all functions.
    void set_available_vectors(unsigned count) noexcept { machine_.set_available_vectors(count); }

    /// Whether functions can have more than one MSI vector; true unless said otherwise.
    void set_multiple_msi(bool on) noexcept { multiple_msi_ = on; }

    /// Calls the work that drivers have scheduled and that is due, in that order, on this thread; what is scheduled meanwhile waits
    /// for the next time. Nothing is called by itself. @returns how many calls there were
    unsigned run_work() noexcept { return machine_.work().run(); }
    /// Moves the time on: timers go off on the way, on this thread, and delayed work comes due. @returns how many timers went off
    unsigned advance(std::chrono::nanoseconds by) noexcept {
        return machine_.work().advance(static_cast<std::uint64_t>(by.count()));
    }

    /// Where addresses for DMA begin: 256 MiB unless said otherwise. At 4 GiB and above, a driver needs a DMA mask of more than
    /// 32 bits.
    void set_dma_base(pci::bus_address base) { machine_.set_dma_base(base); }

    /// Whether devices and drivers see at once what the other writes to mapped memory; true unless said otherwise, for mappings
    /// that are made from now on. If not, a driver that forgets `dma_sync_single_for_cpu` or `..._for_device` works on stale
    /// bytes, as on many an ARM processor.
    void set_coherent(bool on) noexcept { machine_.set_coherent(on); }

    /// The hardware: functions, interrupt controller, memory.
    [[nodiscard]] hardware::machine& machine() noexcept { return machine_; }

    /// What `pci_alloc_irq_vectors` gives is the driver's.
    static constexpr bool hybrid_irq_vectors = false;

    /// A primitive of a platform: its contract is that of `pci::platform_archetype`.
    /// @{
    void* allocate(std::size_t size, std::size_t alignment) noexcept { return machine_.allocate(size, alignment); }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        machine_.deallocate(block, size, alignment);
    }
    void relax() noexcept { std::this_thread::yield(); }

    result<> attach(function& f) noexcept;
    void detach(function& f) noexcept;
    pci::device_id id(const function& f) noexcept { return hardware::machine::id(f); }

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

    result<pci::bar_resource> describe_bar(const function& f, pci::bar_number bar) noexcept {
        return hardware::machine::describe_bar(f, bar);
    }
    result<region> map_bar(function& f, pci::bar_number bar, const char* name) noexcept {
        return machine_.map_bar(f, bar, name);
    }
    void unmap_bar(function& f, region& mapped) noexcept;
    std::size_t bar_size(const region& mapped) noexcept { return hardware::machine::bar_size(mapped); }
    template <class T>
    T read(const region& mapped, std::size_t offset) noexcept {
        return machine_.read<T>(mapped, offset);
    }
    template <class T>
    void write(const region& mapped, std::size_t offset, T value) noexcept {
        machine_.write<T>(mapped, offset, value);
    }

    result<pci::vector_grant> allocate_vectors(function& f, const pci::vector_request& request) noexcept;
    result<> free_vectors(function& f) noexcept;
    pci::irq_number vector_number(function& f, pci::vector_index vector) noexcept;

    result<pci::handler_id> register_handler(function& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept;
    result<> unregister_handler(function& f, pci::handler_id id) noexcept;
    bool handler_registered(function& f, pci::handler_id id) noexcept { return driver_of(f).registered(id) != nullptr; }
    bool in_handler(const function& f) noexcept { return hardware::machine::in_handler(f); }
    result<> synchronize_handler(function& f, pci::handler_id id) noexcept;
    result<> disable_handler(function& f, pci::handler_id id) noexcept;
    result<> enable_handler(function& f, pci::handler_id id) noexcept;

    std::uint64_t vector_affinity(function& f, pci::vector_index vector) noexcept { return affinity(f, vector); }
    result<> hint_affinity(function& f, pci::vector_index vector, std::uint64_t cpus, bool apply) noexcept;
    result<> hold_handler(function& f, pci::handler_id id) noexcept;
    result<pci::work_id> add_work(function& f, const pci::work_action& action) noexcept;
    result<bool> schedule_work(function&, pci::work_id id, std::uint64_t nanoseconds, bool again) noexcept {
        return machine_.work().schedule(id, nanoseconds, again);
    }
    result<bool> cancel_work(function&, pci::work_id id, bool wait) noexcept {
        return machine_.work().cancel(id, wait);
    }
    result<bool> flush_work(function& f, pci::work_id id) noexcept;
    result<> remove_work(function& f, pci::work_id id) noexcept;
    result<> set_dma_mask(function& f, pci::dma_use use, std::uint64_t mask) noexcept {
        return hardware::machine::set_dma_mask(f, use, mask);
    }
    std::uint64_t required_dma_mask(const function& f) noexcept { return hardware::machine::required_dma_mask(f); }
    result<pci::dma_block> allocate_dma(function& f, std::size_t size) noexcept {
        return machine_.allocate_dma(f, size);
    }
    void free_dma(function& f, const pci::dma_block& block) noexcept { machine_.free_dma(f, block); }
    result<pci::dma_block> map_dma(function& f, void* memory, std::size_t size,
                                   pci::dma_direction direction = pci::dma_direction::bidirectional) noexcept {
        return machine_.map_dma(f, memory, size, direction);
    }
    void unmap_dma(function& f, const pci::dma_block& mapping, pci::dma_direction = {}) noexcept {
        machine_.unmap_dma(f, mapping);
    }
    void sync_dma_for_cpu(function& f, const pci::dma_block& part, pci::dma_direction) noexcept {
        machine_.sync_dma_for_cpu(f, part);
    }
    void sync_dma_for_device(function& f, const pci::dma_block& part, pci::dma_direction) noexcept {
        machine_.sync_dma_for_device(f, part);
    }
    /// @}

private:
    using irq_slot = hardware::irq_slot;
    using irq_domain = hardware::irq_domain;
    using driver_side = detail::driver_side;

    static driver_side& driver_of(const function& f) noexcept { return static_cast<driver_side&>(*f.occupant()); }
    function& know(function& found);

    void undecode(function& f) noexcept;
    void disable_now(function& f) noexcept;
    void settle(function& f) noexcept;

    struct vector_range {
        unsigned first = 0;
        unsigned count = 0;
    };
    result<vector_range> take_vectors(function& f, pci::irq_type type, const pci::vector_request& request,
                                      unsigned most) noexcept;
    result<unsigned> allocate_msix(function& f, const pci::vector_request& request) noexcept;
    result<unsigned> allocate_msi(function& f, const pci::vector_request& request) noexcept;
    void spread(function& f, const pci::vector_request& request, unsigned count, bool messages) noexcept;
    static void silence(function& f, unsigned count) noexcept;
    void set_up(function& f, pci::irq_type type, unsigned base, unsigned count) noexcept;
    static void set_intx_disable(function& f, unsigned bits) noexcept;
    static void mask(function& f, unsigned vector, bool on) noexcept;
    static void start(function& f, irq_slot& slot) noexcept;
    static void end_handler(function& f, irq_slot& slot) noexcept;

    hardware::machine machine_;
    std::mutex lock_;
    std::deque<driver_side> drivers_;
    bool multiple_msi_ = true;
};

}  // namespace devres::sim

#include <devres/sim/detail/bus_functions.hpp>
#include <devres/sim/detail/bus_handlers.hpp>
#include <devres/sim/detail/bus_vectors.hpp>

namespace devres::sim {

static_assert(pci::platform<bus> && pci::steers_vectors<bus> && pci::holds_handlers<bus> && pci::defers_work<bus>);

}  // namespace devres::sim
