// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <devres/core/detail/exceptions.hpp>
#include <devres/hardware/machine.hpp>
#include <devres/linux_model/event_log.hpp>
#include <devres/linux_model/irq.hpp>
#include <devres/linux_model/pci_dev.hpp>
#include <devres/linux_model/profile.hpp>
#include <devres/pci/platform.hpp>

namespace devres::linux_model {

/// Linux, as far as it owns device resources: what a version of it, with a version of the patch series, does when C drivers
/// enable devices, allocate vectors, register handlers and are unbound, on a machine in memory. All that it
/// does is in its log: nodes of the release list, warnings with the kernel's text.
///
/// The functions have the kernel's names, arguments and answers: 0 or a count, or a negative errno number. Where the
/// kernel would stop, they throw `oops`, which no handler lets pass: there, the program ends. It is also a platform, for
/// drivers written with this library, whose `hybrid_irq_vectors` is true; as a platform it answers `eio` once it has
/// stopped, but for releases, which succeed.
///
/// Example:
/// @code
/// linux_model::kernel linux(linux_model::linux_6_1);
/// linux_model::pci_dev& dev = linux.add({.msix_vectors = 4, .bar_sizes = {4096}});
/// linux.bind(dev, {.name = "wrong", .probe = [&](auto& d) {
///     linux.pci_enable_device(d);
///     return std::min(linux.pci_alloc_irq_vectors(d, 4, 4, linux_model::pci_irq::msix), 0);
/// }});
/// linux.unbind(dev);                // the log has a WARNING in msi_device_data_release, and 4 vectors are left
/// @endcode
class kernel {
public:
    using function_type = pci_dev;         ///< as a platform
    using region_type = hardware::region;  ///< as a platform

    /// What a C driver is. An empty `remove` is none.
    struct driver {
        const char* name = "";                           ///< in the log
        std::function<int(pci_dev&)> probe;              ///< 0, or a negative errno
        std::function<void(pci_dev&)> remove = nullptr;  ///< may be empty
    };

    /// A machine that runs that version, without functions.
    explicit kernel(const kernel_version& version, const patch_version& patch = unpatched)
        : version_(&version), patch_(&patch), irqs_(log_, version) {}
    kernel(const kernel&) = delete;
    kernel& operator=(const kernel&) = delete;

    [[nodiscard]] const kernel_version& version() const noexcept { return *version_; }  ///< what it runs
    [[nodiscard]] const patch_version& patch() const noexcept { return *patch_; }       ///< and with which patch

    /// Puts a function on the bus, as `hardware::machine::add`. @throws as that does
    pci_dev& add(const hardware::function_config& config);
    /// Likewise, with the configuration space of a real one.
    template <std::same_as<hardware::dumped_function> Dump>
    pci_dev& add(const Dump& dump, hardware::device_model* model = nullptr) {
        return know(hardware_.add(dump, model));
    }

    /// The function at an address. @throws std::out_of_range, naming it, if there is none
    [[nodiscard]] pci_dev& at(pci::address where) {
        for (pci_dev& dev : devices_) {
            if (dev.hardware.address() == where)
                return dev;
        }
        devres::detail::raise<std::out_of_range>("no function at " + std::string(where.text()));
    }

    /// The machine that it runs on. Its ledger knows of BARs, DMA and memory only.
    [[nodiscard]] hardware::machine& hardware() noexcept { return hardware_; }
    [[nodiscard]] event_log& log() noexcept { return log_; }  ///< all that happened

    /// Whether functions can have more than one MSI vector; true unless said otherwise.
    void set_multiple_msi(bool on) noexcept { multiple_msi_ = on; }

    /// Has the driver probe the function. @returns 0; what probe returned; -EBUSY: it has a driver, or resources on its
    /// list, which stay there
    int bind(pci_dev& dev, const driver& with);
    /// Calls remove, and releases the list. Nothing for a function without a driver.
    void unbind(pci_dev& dev);

    /// As the kernel's (drivers/pci/pci.c, devres.c).
    /// @{
    int pci_enable_device(pci_dev& dev);
    void pci_disable_device(pci_dev& dev);
    int pcim_enable_device(pci_dev& dev);
    void pcim_pin_device(pci_dev& dev);
    void pci_set_master(pci_dev& dev) noexcept;
    void pci_clear_master(pci_dev& dev) noexcept;
    void pci_intx(pci_dev& dev, bool on);
    /// @}

    /// As the kernel's (kernel/dma/mapping.c): 0, or -EIO. A mask stays set for the next driver.
    /// @{
    int dma_set_mask(pci_dev& dev, std::uint64_t mask) noexcept;
    int dma_set_coherent_mask(pci_dev& dev, std::uint64_t mask) noexcept;
    int dma_set_mask_and_coherent(pci_dev& dev, std::uint64_t mask) noexcept;
    [[nodiscard]] std::uint64_t dma_get_required_mask(const pci_dev& dev) noexcept;
    /// @}

    /// As the kernel's (drivers/pci/msi).
    /// @{
    int pci_alloc_irq_vectors(pci_dev& dev, unsigned min, unsigned max, unsigned flags) {
        return pci_alloc_irq_vectors_affinity(dev, min, max, flags, nullptr);
    }
    int pci_alloc_irq_vectors_affinity(pci_dev& dev, unsigned min, unsigned max, unsigned flags,
                                       const pci::irq_affinity* affinity);
    /// The patch series' function; without a patch it does not exist, and here it is the plain one.
    int pcim_alloc_irq_vectors(pci_dev& dev, unsigned min, unsigned max, unsigned flags) {
        return pcim_alloc_irq_vectors_affinity(dev, min, max, flags, nullptr);
    }
    int pcim_alloc_irq_vectors_affinity(pci_dev& dev, unsigned min, unsigned max, unsigned flags,
                                        const pci::irq_affinity* affinity);
    void pci_free_irq_vectors(pci_dev& dev);
    /// @}
    /// The number of a vector, which is `dev.irq` of vector 0 without MSI and MSI-X; -EINVAL if there is no such vector.
    [[nodiscard]] int pci_irq_vector(const pci_dev& dev, unsigned vector) const noexcept;
    /// The CPUs that a vector may interrupt, a bit each; 0 if there is no such vector.
    [[nodiscard]] std::uint64_t pci_irq_get_affinity(const pci_dev& dev, unsigned vector) const noexcept;

    /// As the kernel's (kernel/irq/manage.c, devres.c; drivers/pci/irq.c).
    /// @{
    int request_irq(int irq, irq_handler handler, unsigned flags, const char* name, void* dev_id);
    void free_irq(int irq, void* dev_id);
    void synchronize_irq(int irq) { irqs_.synchronize_irq(irq); }
    void disable_irq(int irq) { irqs_.disable_irq(irq); }
    void enable_irq(int irq) { irqs_.enable_irq(irq); }
    int devm_request_irq(pci_dev& dev, int irq, irq_handler handler, unsigned flags, const char* name, void* dev_id);
    void devm_free_irq(pci_dev& dev, int irq, void* dev_id);
    int pci_request_irq(pci_dev& dev, unsigned vector, irq_handler handler, const char* name, void* dev_id) {
        return request_irq(pci_irq_vector(dev, vector), handler, irqf::shared, name, dev_id);
    }
    void pci_free_irq(pci_dev& dev, unsigned vector, void* dev_id) { free_irq(pci_irq_vector(dev, vector), dev_id); }
    /// @}

    /// The interrupt of a number, with its handlers; null if there is none.
    [[nodiscard]] const irq_desc* find_irq(int irq) noexcept { return irqs_.find(irq); }
    /// What `pci_alloc_irq_vectors` gives on a managed device is managed, as in Linux.
    static constexpr bool hybrid_irq_vectors = true;

    /// A primitive of a platform: its contract is that of `pci::platform_archetype`.
    /// @{
    void* allocate(std::size_t size, std::size_t alignment) noexcept { return hardware_.allocate(size, alignment); }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        hardware_.deallocate(block, size, alignment);
    }
    void relax() noexcept { std::this_thread::yield(); }
    result<> attach(pci_dev& dev) noexcept;
    void detach(pci_dev& dev) noexcept;
    pci::device_id id(const pci_dev& dev) noexcept { return hardware_.id(dev.hardware); }
    result<> enable(pci_dev& dev) noexcept;
    void disable(pci_dev& dev) noexcept;
    result<> set_master(pci_dev& dev, bool on) noexcept;
    result<> suspend(pci_dev& dev) noexcept;
    result<> resume(pci_dev& dev) noexcept;
    result<std::uint32_t> read_config(pci_dev& dev, unsigned offset, unsigned width) noexcept {
        return dev.hardware.read_config(offset, width);
    }
    result<> write_config(pci_dev& dev, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        return dev.hardware.write_config(offset, width, value);
    }
    result<pci::bar_resource> describe_bar(const pci_dev& dev, pci::bar_number bar) noexcept;
    result<hardware::region> map_bar(pci_dev& dev, pci::bar_number bar, const char* name) noexcept;
    void unmap_bar(pci_dev& dev, hardware::region& mapped) noexcept;
    std::size_t bar_size(const hardware::region& mapped) noexcept { return hardware_.bar_size(mapped); }
    template <class T>
    T read(const hardware::region& mapped, std::size_t offset) noexcept {
        return hardware_.read<T>(mapped, offset);
    }
    template <class T>
    void write(const hardware::region& mapped, std::size_t offset, T value) noexcept {
        hardware_.write<T>(mapped, offset, value);
    }
    result<pci::vector_grant> allocate_vectors(pci_dev& dev, const pci::vector_request& request) noexcept;
    result<> free_vectors(pci_dev& dev) noexcept;
    pci::irq_number vector_number(pci_dev& dev, pci::vector_index vector) noexcept;
    result<pci::handler_id> register_handler(pci_dev& dev, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept;
    result<> unregister_handler(pci_dev& dev, pci::handler_id id) noexcept;
    bool handler_registered(pci_dev& dev, pci::handler_id id) noexcept {
        return dev.registrations_.contains(static_cast<std::uint64_t>(id));
    }
    bool in_handler(const pci_dev& dev) noexcept { return hardware_.in_handler(dev.hardware); }
    result<> synchronize_handler(pci_dev& dev, pci::handler_id id) noexcept;
    result<> disable_handler(pci_dev& dev, pci::handler_id id) noexcept;
    result<> enable_handler(pci_dev& dev, pci::handler_id id) noexcept;

    std::uint64_t vector_affinity(pci_dev& dev, pci::vector_index vector) noexcept;
    result<> hint_affinity(pci_dev& dev, pci::vector_index vector, std::uint64_t cpus, bool apply) noexcept;
    result<> hold_handler(pci_dev& dev, pci::handler_id id) noexcept;
    result<pci::work_id> add_work(pci_dev& dev, const pci::work_action& action) noexcept;
    result<bool> schedule_work(pci_dev& dev, pci::work_id id, std::uint64_t nanoseconds, bool again) noexcept;
    result<bool> cancel_work(pci_dev& dev, pci::work_id id, bool wait) noexcept;
    result<bool> flush_work(pci_dev& dev, pci::work_id id) noexcept;
    result<> remove_work(pci_dev& dev, pci::work_id id) noexcept;
    result<> set_dma_mask(pci_dev& dev, pci::dma_use use, std::uint64_t mask) noexcept;
    std::uint64_t required_dma_mask(const pci_dev& dev) noexcept;
    result<pci::dma_block> allocate_dma(pci_dev& dev, std::size_t size) noexcept;
    void free_dma(pci_dev& dev, const pci::dma_block& block) noexcept;
    result<pci::dma_block> map_dma(pci_dev& dev, void* memory, std::size_t size, pci::dma_direction = {}) noexcept;
    void unmap_dma(pci_dev& dev, const pci::dma_block& mapping, pci::dma_direction = {}) noexcept;
    void sync_dma_for_cpu(pci_dev& dev, const pci::dma_block& part, pci::dma_direction) noexcept;
    void sync_dma_for_device(pci_dev& dev, const pci::dma_block& part, pci::dma_direction) noexcept;
    /// @}

private:
    /// What the one node of pcim_enable_device knows, up to 6.10 (`struct pci_devres`).
    struct pci_devres {
        bool enabled;
        bool pinned;
        bool restores_intx;
        bool intx_before;
    };
    struct irq_devres {
        int irq;
        void* dev_id;
    };

    pci_dev& know(hardware::function& function);
    int give_up(pci_dev& dev, const char* driver, int error);

    static void pcim_release(device& dev, void* res);
    static void release_irq(device& dev, void* res);
    static bool same_irq(device& dev, void* res, const void* match_data);
    pci_devres* find_pci_devres(pci_dev& dev);
    static constexpr unsigned firmware_line = 10;
    int new_line(pci_dev& dev, unsigned from);
    void enable_line(pci_dev& dev);
    void disable_line(pci_dev& dev);

    static bool msi_supported(const pci_dev& dev, unsigned count) noexcept;
    bool has_msi_data(const pci_dev& dev) const noexcept { return version_->vectors_in_pcim_release || dev.msi_data_; }
    void set_up_msi_context(pci_dev& dev);
    void release_msi_data(pci_dev& dev);
    void release_managed_vectors(pci_dev& dev);
    int enable_msix(pci_dev& dev, unsigned min, unsigned max, const pci::irq_affinity* affinity, bool beyond);
    int enable_msi(pci_dev& dev, unsigned min, unsigned max, const pci::irq_affinity* affinity);
    template <class Take>
    int take_at_least(pci_dev& dev, unsigned min, unsigned count, const pci::irq_affinity* affinity, Take take);
    unsigned take_interrupts(pci_dev& dev, unsigned count, bool in_one_block);
    void start_msix(pci_dev& dev);
    void start_msi(pci_dev& dev);
    static void write_msix_messages(pci_dev& dev);
    static void restore_vectors(pci_dev& dev);
    void disable_msix(pci_dev& dev);
    void disable_msi(pci_dev& dev);
    void free_interrupts(pci_dev& dev);
    void spread(pci_dev& dev, const pci::irq_affinity* affinity, unsigned count);

    /// Does what a platform's primitive does, unless the kernel has stopped, or stops now.
    template <class Act>
    auto unless_stopped(Act act) noexcept -> std::invoke_result_t<Act>;
    static result<> answer(int error) noexcept;
    static pci::irq_return call_registration(unsigned irq, void* dev_id);
    irq_desc* registered(const pci_dev& dev, pci::handler_id id) noexcept;
    void settle_enable(pci_dev& dev) noexcept;
    void hold_line(pci_dev& dev, bool on) noexcept;
    void end_registration(pci_dev& dev, std::uint64_t id);

    const kernel_version* version_;
    const patch_version* patch_;
    event_log log_;
    hardware::machine hardware_;
    irq_core irqs_;
    std::deque<pci_dev> devices_;
    bool multiple_msi_ = true;
};

}  // namespace devres::linux_model

#include <devres/linux_model/detail/kernel_dma.hpp>
#include <devres/linux_model/detail/kernel_drivers.hpp>
#include <devres/linux_model/detail/kernel_handlers.hpp>
#include <devres/linux_model/detail/kernel_msi.hpp>
#include <devres/linux_model/detail/kernel_platform.hpp>
#include <devres/linux_model/detail/kernel_vectors.hpp>

namespace devres::linux_model {

static_assert(pci::platform<kernel> && pci::steers_vectors<kernel> && pci::holds_handlers<kernel> &&
              pci::defers_work<kernel>);

}  // namespace devres::linux_model
