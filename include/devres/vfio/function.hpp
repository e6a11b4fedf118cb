// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <devres/pci/address.hpp>
#include <devres/pci/enable_count.hpp>
#include <devres/pci/platform.hpp>
#include <devres/vfio/detail/device_file.hpp>
#include <devres/vfio/event_loop.hpp>
#include <devres/vfio/region.hpp>

namespace devres::vfio {

template <class System>
class basic_bus;

/// What the kernel tells of a function, besides its interrupts.
enum class function_event {
    unplug_requested,  ///< it waits for the device: unbind its driver, and close it
    error,             ///< the device has reported an error that it cannot correct (AER): reset it, or give it up
};

template <class System>
class basic_function;

/// What is called on an event, on the thread that handlers are called on, but not as one of them: it may unbind the
/// function's driver, and then close the function.
template <class System>
using event_listener = void (*)(void* context, basic_function<System>& function, function_event what) noexcept;

/// A PCI function that a bus has open: a real device, in the hands of this program.
template <class System>
class basic_function {
public:
    basic_function(const basic_function&) = delete;
    basic_function& operator=(const basic_function&) = delete;

    /// Where it is; 0000:00:00.0 if it was opened by a file descriptor that does not say so.
    [[nodiscard]] pci::address address() const noexcept { return address_; }
    /// How many vectors of a type the device has, which the machine may have too few of.
    [[nodiscard]] unsigned vector_count(pci::irq_type type) const noexcept {
        return type == pci::irq_type::msix ? msix_ : type == pci::irq_type::msi ? msi_ : intx_;
    }
    /// Whether `bus::reset` can reset it.
    [[nodiscard]] bool can_reset() const noexcept { return can_reset_; }
    /// Whether the kernel has asked for the device: it cannot be given to a driver any more.
    [[nodiscard]] bool unplug_requested() const noexcept { return unplug_requested_.load(); }
    /// Whether the device has reported an error.
    [[nodiscard]] bool error_reported() const noexcept { return error_reported_.load(); }
    /// The device's own file, for what the bus has no function for.
    [[nodiscard]] int file_descriptor() const noexcept { return device_.fd(); }

private:
    friend class basic_bus<System>;

    [[nodiscard]] bool needs_enable() const noexcept {
        bool needed = granted_.count != 0;
        for (const auto& bar : bars_)
            needed = needed || bar.device != nullptr;
        return needed;
    }

    basic_function(basic_bus<System>& bus, detail::device_file<System> device)
        : bus_(&bus), device_(std::move(device)) {}

    // A registration's id says which vector it is on, and is never used again.
    static constexpr unsigned index_bits = 12;
    struct vector {
        pci::irq_action action;
        detail::file<System> eventfd;  // made when first needed, and then kept
        std::uint64_t id = 0;          // 0: no handler
        unsigned older = 0;            // neighbours in the order of registration, as index + 1
        unsigned newer = 0;
        unsigned disables = 0;  // that have not been undone
    };

    /// A source for each vector, then the two of the function itself.
    [[nodiscard]] event_source& source(unsigned index) noexcept { return sources_->each[index]; }
    [[nodiscard]] event_source& unplug_source() noexcept { return source(capacity_); }
    [[nodiscard]] event_source& error_source() noexcept { return source(capacity_ + 1); }

    [[nodiscard]] vector* registered(pci::handler_id id) noexcept {
        const auto value = static_cast<std::uint64_t>(id);
        const auto index = static_cast<unsigned>(value & ((1U << index_bits) - 1));
        return value == 0 || index >= capacity_ || vectors_[index].id != value ? nullptr : &vectors_[index];
    }
    void link(unsigned index) noexcept {
        vectors_[index].older = newest_;
        vectors_[index].newer = 0;
        if (newest_ != 0)
            vectors_[newest_ - 1].newer = index + 1;
        newest_ = index + 1;
    }
    void unlink(const vector& removed) noexcept {
        if (removed.older != 0)
            vectors_[removed.older - 1].newer = removed.newer;
        if (removed.newer != 0)
            vectors_[removed.newer - 1].older = removed.older;
        else
            newest_ = removed.older;
    }

    basic_bus<System>* bus_;
    detail::device_file<System> device_;
    std::optional<unsigned> group_;
    pci::address address_;
    pci::device_id id_;
    bool can_reset_ = false;
    bool reaches_memory_ = true;  // the bus can map memory for it
    std::uint64_t config_offset_ = 0;
    std::uint64_t config_size_ = 0;
    unsigned power_management_ = 0;             // where the capability is; 0: nowhere
    unsigned msix_table_bar_ = pci::bar_count;  // none
    detail::bar_area msix_table_;
    unsigned decode_ = 0;  // the COMMAND bits that its BARs need
    unsigned intx_ = 0, msi_ = 0, msix_ = 0;

    bool attached_ = false;
    pci::enable_count enables_;
    unsigned command_before_ = 0;
    std::optional<unsigned> suspended_;  // COMMAND, while it sleeps
    detail::mapped_bar<System> bars_[pci::bar_count];
    std::uint64_t streaming_mask_ = pci::dma_bit_mask(32);
    std::uint64_t coherent_mask_ = pci::dma_bit_mask(32);
    unsigned dma_blocks_ = 0;
    unsigned dma_mappings_ = 0;

    unsigned capacity_ = 0;  // most vectors it can have
    std::unique_ptr<vector[]> vectors_;
    std::unique_ptr<event_sources> sources_;
    std::vector<int> eventfds_;              // of the vectors, in order, for the kernel
    std::vector<unsigned char> irq_buffer_;  // room for what it is told with them
    pci::vector_grant granted_{.count = 0};
    std::mutex holding_;   // of the registrations: whether they are disabled, which any thread may change
    unsigned newest_ = 0;  // registration, as index + 1
    std::uint64_t registrations_ = 0;

    detail::file<System> unplug_eventfd_;
    detail::file<System> error_eventfd_;
    std::atomic<bool> unplug_requested_{false};
    std::atomic<bool> error_reported_{false};
    std::mutex listener_lock_;
    event_listener<System> listener_ = nullptr;
    void* listener_context_ = nullptr;
};

}  // namespace devres::vfio
