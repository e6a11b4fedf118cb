// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <devres/pci/platform.hpp>
#include <devres/vfio/detail/iommu.hpp>
#include <devres/vfio/detail/iova_space.hpp>
#include <devres/vfio/event_loop.hpp>
#include <devres/vfio/function.hpp>
#include <devres/vfio/open_error.hpp>

namespace devres::vfio {

/// Who calls handlers: a thread of the bus's, or the program, by `bus::poll`.
enum class delivery { threaded, polled };

/// How a bus works, where the defaults are not what is wanted.
struct bus_options {
    delivery handlers = delivery::threaded;  ///< who calls them
    /// Open a function by its own device file and an iommufd rather than by its group, where headers and kernel have it.
    bool prefer_iommufd = false;
    /// How many CPUs vectors are spread over; 0: those of the machine.
    unsigned possible_cpus = 0;
    /// Where the kernel's file systems are.
    /// @{
    std::string sysfs = "/sys";
    std::string dev = "/dev";
    std::string proc = "/proc";
    /// @}
};

/// Real PCI functions in a program's hands, by Linux's VFIO: the platform that drivers written with this library run on
/// without a kernel of their own.
///
/// The functions of a bus share one address space for DMA, and one place where handlers are called. The device calls of
/// one function are made on one thread at a time; open, close, and calls for other functions may be made on others.
///
/// Example:
/// @code
/// vfio::bus bus;
/// const auto function = bus.open("0000:04:00.0");
/// if (!function) {
///     std::cerr << function.error() << '\n';  // what is wrong, and the commands that put it right
///     return 1;
/// }
/// auto bound = pci::bind<my_driver>(bus, **function);
/// @endcode
template <class System>
class basic_bus {
public:
    using function_type = basic_function<System>;              ///< a function that is open
    using region_type = basic_region<System>;                  ///< a mapped BAR
    using opened = std::expected<function_type*, open_error>;  ///< what `open` answers

    /// A bus without functions; what cannot be had is said when one is opened.
    explicit basic_bus(bus_options options = {}, const System& system = System())
        : options_(std::move(options)), system_(system), loop_(system), iommu_(system) {}
    basic_bus(const basic_bus&) = delete;
    basic_bus& operator=(const basic_bus&) = delete;
    /// Closes what is open. No function may have a driver any more.
    ~basic_bus();

    /// Opens the function at an address, which must be bound to vfio-pci, and all functions of its IOMMU group to vfio's
    /// drivers or none.
    /// @returns the function, good until `close`; or what is wrong, and what to do about it: nothing is open then.
    /// `errc::enodev`: there is no such function, it has no driver, or it is in no IOMMU group; `ebusy`: another driver or
    /// process has it or a function of its group, or this bus has; `enoent`: a kernel module is missing; `eacces`,
    /// `eperm`: no permission; `enotsupp`: the kernel has no IOMMU of a known kind; otherwise the system's error.
    [[nodiscard]] opened open(pci::address where) noexcept;
    /// Opens a function of an IOMMU group whose file has been opened already, by somebody with more rights. On success
    /// `group` is the bus's, otherwise it stays the caller's.
    [[nodiscard]] opened open_group(int group, pci::address where) noexcept;
    /// Takes over a function that has been opened already, and the container that its group is in. Without one,
    /// there is no memory for DMA (`enotsupp`). On success the descriptors are the bus's.
    [[nodiscard]] opened open_device(int device, std::optional<int> container = {}) noexcept;

    /// Closes a function: the kernel resets the device and takes it from the bus. May be called in its event's listener.
    /// @returns `ebusy` if a driver has it: it stays open then
    result<> close(function_type& f) noexcept;

    /// Has `listener` called on events of the function, or nobody if it is null; at once for those that have been.
    /// Returns when a former listener is not running; inside it, it does not wait.
    ///
    /// Whoever unplugs a device waits until it is closed, and the kernel asks again every few seconds.
    void listen(function_type& f, event_listener<System> listener, void* context) noexcept;

    /// Waits for at most `timeout` milliseconds, -1 without end, and calls handlers and listeners on this thread.
    /// @returns how many were called; `ebusy` if a thread does that already, as that of `delivery::threaded` does;
    /// `edeadlk` inside a handler
    result<unsigned> poll(int timeout) noexcept;

    /// Resets the device, as far as it can be reset by itself. Its driver must be ready for that.
    /// @returns `enotsupp` if it cannot be; the system's error
    /// @par Linux
    /// `pci_reset_function()`
    result<> reset(function_type& f) noexcept;

    /// Acts as if the device had interrupted: a test of the way to the handler that needs no hardware's help.
    /// @returns `einval` for a vector that is not allocated; the system's error
    result<> trigger(function_type& f, pci::vector_index vector) noexcept;
    /// Keeps an interrupt from being delivered, or lets it again. @returns `einval` for a vector that is not allocated;
    /// the kernel's error, which is `enotty` for MSI and MSI-X up to Linux 6.12
    result<> mask(function_type& f, pci::vector_index vector, bool on) noexcept;

    /// What a driver holds of the function, a line each; nothing once it has been unbound.
    [[nodiscard]] std::vector<std::string> held(const function_type& f) const;

    /// What `pci_alloc_irq_vectors` gives is the driver's.
    static constexpr bool hybrid_irq_vectors = false;

    /// A primitive of a platform: its contract is that of `pci::platform_archetype`.
    /// @{
    void* allocate(std::size_t size, std::size_t alignment) noexcept {
        return ::operator new(size, std::align_val_t(alignment), std::nothrow);
    }
    void deallocate(void* block, std::size_t, std::size_t alignment) noexcept {
        ::operator delete(block, std::align_val_t(alignment));
    }
    void relax() noexcept { std::this_thread::yield(); }

    result<> attach(function_type& f) noexcept;
    void detach(function_type& f) noexcept;
    pci::device_id id(const function_type& f) noexcept { return f.id_; }

    result<> enable(function_type& f) noexcept;
    void disable(function_type& f) noexcept;
    result<> set_master(function_type& f, bool on) noexcept;
    result<> suspend(function_type& f) noexcept;
    result<> resume(function_type& f) noexcept;

    result<std::uint32_t> read_config(function_type& f, unsigned offset, unsigned width) noexcept;
    result<> write_config(function_type& f, unsigned offset, unsigned width, std::uint32_t value) noexcept;

    result<pci::bar_resource> describe_bar(const function_type& f, pci::bar_number bar) noexcept;
    result<region_type> map_bar(function_type& f, pci::bar_number bar, const char* name) noexcept;
    void unmap_bar(function_type& f, region_type& mapped) noexcept;
    std::size_t bar_size(const region_type& mapped) noexcept { return mapped.size(); }
    pci::register_window direct_registers(const region_type& mapped) noexcept { return mapped.window(); }
    template <class T>
    T read(const region_type& mapped, std::size_t offset) noexcept {
        return mapped.template read<T>(offset);
    }
    template <class T>
    void write(const region_type& mapped, std::size_t offset, T value) noexcept {
        mapped.template write<T>(offset, value);
    }

    result<pci::vector_grant> allocate_vectors(function_type& f, const pci::vector_request& request) noexcept;
    result<> free_vectors(function_type& f) noexcept;
    pci::irq_number vector_number(function_type& f, pci::vector_index vector) noexcept;

    result<pci::handler_id> register_handler(function_type& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept;
    result<> unregister_handler(function_type& f, pci::handler_id id) noexcept;
    bool handler_registered(function_type& f, pci::handler_id id) noexcept { return f.registered(id) != nullptr; }
    bool in_handler(const function_type& f) noexcept { return loop_.inside_one_of(&f); }
    result<> synchronize_handler(function_type& f, pci::handler_id id) noexcept;
    result<> disable_handler(function_type& f, pci::handler_id id) noexcept;
    result<> enable_handler(function_type& f, pci::handler_id id) noexcept;

    result<> hold_handler(function_type& f, pci::handler_id id) noexcept;
    result<pci::work_id> add_work(function_type& f, const pci::work_action& action) noexcept {
        return in_handler(f) ? fail(errc::edeadlk) : loop_.add_work(&f, action);
    }
    result<bool> schedule_work(function_type&, pci::work_id id, std::uint64_t nanoseconds, bool again) noexcept {
        return loop_.schedule_work(id, nanoseconds, again);
    }
    result<bool> cancel_work(function_type&, pci::work_id id, bool wait) noexcept {
        return loop_.cancel_work(id, wait);
    }
    result<bool> flush_work(function_type&, pci::work_id id) noexcept { return loop_.flush_work(id); }
    result<> remove_work(function_type&, pci::work_id id) noexcept { return loop_.remove_work(id); }
    result<> set_dma_mask(function_type& f, pci::dma_use use, std::uint64_t mask) noexcept;
    std::uint64_t required_dma_mask(const function_type& f) noexcept;
    result<pci::dma_block> allocate_dma(function_type& f, std::size_t size) noexcept;
    void free_dma(function_type& f, const pci::dma_block& block) noexcept;
    result<pci::dma_block> map_dma(function_type& f, void* memory, std::size_t size, pci::dma_direction = {}) noexcept;
    void unmap_dma(function_type& f, const pci::dma_block& mapping, pci::dma_direction = {}) noexcept;
    /// VFIO maps memory so that the device sees the CPU's cache.
    void sync_dma_for_cpu(function_type&, const pci::dma_block&, pci::dma_direction) noexcept {}
    /// Likewise.
    void sync_dma_for_device(function_type&, const pci::dma_block&, pci::dma_direction) noexcept {}
    /// @}

private:
    struct used_group {
        unsigned number;
        detail::file<System> file;
        unsigned functions;
    };
    /// What a function is opened with: taken apart again unless it has been.
    struct opening {
        basic_bus* bus;
        std::optional<unsigned> group;
        ~opening() {
            if (bus != nullptr)
                bus->leave(group);
        }
    };

    // Opening: with lock_ held.
    [[nodiscard]] bool is_open(pci::address where) const noexcept;
    std::optional<open_error> enter(unsigned number, std::optional<int> handed, const detail::open_errors& errors);
    std::optional<open_error> make_container(const detail::open_errors& errors);
    void leave(std::optional<unsigned> group) noexcept;
    opened open_in_group(pci::address where, unsigned number, std::optional<int> handed,
                         const detail::open_errors& errors);
#if DEVRES_VFIO_HAS_IOMMUFD
    opened open_by_file(pci::address where, const std::string& path, const detail::open_errors& errors);
#endif
    opened add(detail::device_file<System> device, pci::address where, std::optional<unsigned> group,
               const detail::open_errors& errors);
    result<> examine(function_type& f) noexcept;
    void examine_capabilities(function_type& f) noexcept;
    result<> watch_events(function_type& f);
    result<> watch_event(function_type& f, unsigned index, event_source& source, detail::file<System>& eventfd,
                         pci::irq_entry entry) noexcept;
    void give_up(function_type& f) noexcept;
    static pci::irq_return on_unplug(void* self, pci::vector_index) noexcept;
    static pci::irq_return on_error(void* self, pci::vector_index) noexcept;
    void tell(function_type& f, function_event what) noexcept;

    [[nodiscard]] std::uint32_t config(const function_type& f, unsigned offset, unsigned width) const noexcept;
    void set_config(const function_type& f, unsigned offset, unsigned width, std::uint32_t value) const noexcept;
    void set_command(const function_type& f, unsigned mask, unsigned bits) const noexcept;
    void disable_now(function_type& f) noexcept;
    bool set_power_state(const function_type& f, unsigned state) const noexcept;

    [[nodiscard]] unsigned possible_cpus() const noexcept;
    static unsigned irq_index(pci::irq_type type) noexcept;
    result<unsigned> allocate_messages(function_type& f, pci::irq_type type,
                                       const pci::vector_request& request) noexcept;
    result<int> connect(function_type& f, pci::irq_type type, unsigned count) noexcept;
    void begin_handler(function_type& f, unsigned index) noexcept;
    void end_handler(function_type& f, unsigned index) noexcept;
    static pci::irq_return on_intx(void* self, pci::vector_index vector) noexcept;

    result<std::uint64_t> map_pages(function_type& f, void* memory, std::uint64_t size, std::uint64_t mask,
                                    pci::dma_direction direction) noexcept;
    void unmap_pages(std::uint64_t iova, std::uint64_t size) noexcept;

    bus_options options_;
    [[no_unique_address]] System system_;
    event_loop<System> loop_;
    std::mutex lock_;  // of what is open
    std::vector<used_group> groups_;
    std::vector<std::unique_ptr<function_type>> functions_;
    std::mutex dma_lock_;
    detail::iommu<System> iommu_;
    iova_space addresses_;
};

}  // namespace devres::vfio

#include <devres/vfio/detail/bus_dma.hpp>
#include <devres/vfio/detail/bus_events.hpp>
#include <devres/vfio/detail/bus_examine.hpp>
#include <devres/vfio/detail/bus_functions.hpp>
#include <devres/vfio/detail/bus_open.hpp>
#include <devres/vfio/detail/bus_vectors.hpp>

namespace devres::vfio {

/// On the kernel's own calls.
/// @{
using bus = basic_bus<kernel_calls>;
using function = basic_function<kernel_calls>;
using region = basic_region<kernel_calls>;
/// @}

static_assert(pci::platform<bus> && pci::holds_handlers<bus> && pci::defers_work<bus>);

}  // namespace devres::vfio
