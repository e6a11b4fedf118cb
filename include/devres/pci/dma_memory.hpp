// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/enable.hpp>

/// What memory that the device reaches has in common, whether a platform allocates it (`dma.hpp`) or maps it
/// (`dma_mapping.hpp`).
namespace devres::pci::detail {

class DEVRES_CONSUMABLE dma_memory {
public:
    /// Where the driver finds it.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY void* data() const noexcept { return block_.cpu; }
    /// Where the device finds it.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY bus_address address() const noexcept { return block_.bus; }
    /// Its size in bytes.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::size_t size() const noexcept { return block_.size; }

protected:
    dma_memory() noexcept = default;
    explicit dma_memory(const dma_block& block) noexcept : block_(block) {}
    dma_block block_;
};

/// Memory of the platform's: what it is called, what its record uses, and how it is given back.
struct coherent_memory {
    static constexpr const char* name = "dma_coherent";
    struct user {};

    template <class P>
    static void release(P& platform, typename P::function_type& function, const dma_block& block) noexcept {
        platform.free_dma(function, block);
    }
};

/// Memory of the driver's that the platform has mapped.
struct streaming_memory {
    static constexpr const char* name = "dma_streaming";
    using user = devres::detail::managed_user;

    template <class P>
    static void release(P& platform, typename P::function_type& function, const dma_block& block) noexcept {
        platform.unmap_dma(function, block);
    }
};

/// Gives the memory back when it dies.
template <class Kind, class P, class Driver>
class DEVRES_CONSUMABLE dma_guard : public dma_memory {
public:
    DEVRES_EMPTY dma_guard() noexcept = default;
    [[nodiscard]] dma_guard(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, const dma_block& block) noexcept
        : dma_memory(block), dev_(&dev) {}

    dma_guard(dma_guard&& other) noexcept : dma_memory(other), dev_(other.dev_) { other.forget(); }
    dma_guard& operator=(dma_guard&& other) noexcept {
        if (this != &other) {
            free();
            block_ = other.block_;
            dev_ = other.dev_;
            other.forget();
        }
        return *this;
    }
    ~dma_guard() { free(); }

    /// True if the guard gives memory back when it dies.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return dev_ != nullptr; }

private:
    void forget() noexcept {
        dev_ = nullptr;
        block_ = {};
    }
    void free() noexcept {
        if (dev_ == nullptr)
            return;
        devres::detail::note(*dev_, {.what = resource_event::step::released, .resource = Kind::name});
        Kind::release(dev_->platform(), dev_->function(), block_);
        forget();
    }

    device<P, Driver>* dev_ = nullptr;
};

/// The record of managed memory.
template <class Kind, class P, class Driver>
struct dma_record : Kind::user {
    device<P, Driver>* dev;
    dma_block block;
    list::handle record;

    dma_record(device<P, Driver>& of, const dma_block& memory, list::handle at) noexcept
        : dev(&of), block(memory), record(at) {}

    static void release(void* argument) noexcept {
        auto* const record = static_cast<dma_record*>(argument);
        device<P, Driver>& dev = *record->dev;
        Kind::release(dev.platform(), dev.function(), record->block);
        record->~dma_record();
        dev.resources().memory().put(record, sizeof(dma_record), alignof(dma_record));
        devres::detail::note(dev, {.what = resource_event::step::released, .managed = true, .resource = Kind::name});
    }
};

/// Acquires memory and records it. @returns the record; `enomem`, or the error of `acquire`: nothing is acquired then.
template <class Kind, class P, class Driver, class Acquire>
[[nodiscard]] result<dma_record<Kind, P, Driver>*> acquire_managed(device<P, Driver>& dev, Acquire acquire) noexcept {
    using dma_record = detail::dma_record<Kind, P, Driver>;
    const memory_hooks& memory = dev.resources().memory();
    void* const place = memory.get(sizeof(dma_record), alignof(dma_record));
    if (place == nullptr) [[unlikely]]
        return fail(errc::enomem);
    const result<dma_block> block = acquire();
    const auto record = block ? dev.resources().add(&dma_record::release, place) : fail(block.error());
    if (!record) [[unlikely]] {
        if (block)
            Kind::release(dev.platform(), dev.function(), *block);
        memory.put(place, sizeof(dma_record), alignof(dma_record));
        return fail(record.error());
    }
    devres::detail::note(dev, {.managed = true, .resource = Kind::name});
    return ::new (place) dma_record(dev, *block, *record);
}

/// Acquires memory for a guard. @returns the guard, or the error of `acquire`.
template <class Guard, class Kind, class P, class Driver, class Acquire>
[[nodiscard]] result<Guard> acquire_unmanaged(device<P, Driver>& dev, Acquire acquire) noexcept {
    auto block = acquire();
    if (!block) [[unlikely]]
        return fail(block.error());
    devres::detail::note(dev, {.resource = Kind::name});
    return Guard(dev, *block);
}

}  // namespace devres::pci::detail
