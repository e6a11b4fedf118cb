// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/enable.hpp>

namespace devres::pci {

/// Memory that the driver and the device share. Owned by devres, it is a view to be copied at will; owned by
/// the driver, a guard that frees the memory when it dies.
template <class Owner, class P, class Driver = void>
class dma_allocation;

namespace detail {

class DEVRES_CONSUMABLE dma_memory {
public:
    /// Where the driver finds it: zeroed when allocated, aligned to a page.
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

/// The record of managed memory.
template <class P, class Driver>
struct dma_record {
    device<P, Driver>* dev;
    dma_block block;

    static void release(void* argument) noexcept {
        auto* const record = static_cast<dma_record*>(argument);
        device<P, Driver>& dev = *record->dev;
        dev.platform().free_dma(dev.function(), record->block);
        dev.resources().memory().put(record, sizeof(dma_record), alignof(dma_record));
        devres::detail::note(dev,
                             {.what = resource_event::step::released, .managed = true, .resource = "dma_coherent"});
    }
};

}  // namespace detail

template <class P, class Driver>
class dma_allocation<managed_t, P, Driver> : public detail::dma_memory {
public:
    /// A view of nothing.
    dma_allocation() noexcept = default;
    explicit dma_allocation(const dma_block& block) noexcept : detail::dma_memory(block) {}
};

template <class P, class Driver>
class DEVRES_CONSUMABLE dma_allocation<unmanaged_t, P, Driver> : public detail::dma_memory {
public:
    /// A guard that owns nothing.
    DEVRES_EMPTY dma_allocation() noexcept = default;
    /// Takes over memory of `dev`'s platform.
    [[nodiscard]] dma_allocation(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, const dma_block& block) noexcept
        : detail::dma_memory(block), dev_(&dev) {}

    dma_allocation(dma_allocation&& other) noexcept : detail::dma_memory(other), dev_(other.dev_) { other.forget(); }
    dma_allocation& operator=(dma_allocation&& other) noexcept {
        if (this != &other) {
            free();
            block_ = other.block_;
            dev_ = other.dev_;
            other.forget();
        }
        return *this;
    }
    ~dma_allocation() { free(); }

    /// True if the guard frees memory when it dies.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return dev_ != nullptr; }

private:
    void forget() noexcept {
        dev_ = nullptr;
        block_ = {};
    }
    void free() noexcept {
        if (dev_ == nullptr)
            return;
        devres::detail::note(*dev_, {.what = resource_event::step::released, .resource = "dma_coherent"});
        dev_->platform().free_dma(dev_->function(), block_);
        forget();
    }

    device<P, Driver>* dev_ = nullptr;
};

/// Allocates `size` bytes, zeroed, that the device can reach, until the driver is unbound.
/// @returns a view of the memory; `enomem` if there is none or it cannot be recorded, or the platform's error:
/// nothing is allocated then.
/// @par Linux
/// `dmam_alloc_coherent()`
template <class Owner, class P, class Driver>
    requires rule<std::is_same_v<Owner, managed_t>,
                  "devres[D005] managed DMA memory needs a device enabled with pcim_enable_device"> &&
             rule<owned_by<Driver, dma_coherent_t, managed_t>,
                  "devres[D004] dmam_alloc_coherent: the ownership table does not say dma_coherent = managed">
[[nodiscard]] result<dma_allocation<managed_t, P, Driver>>
dmam_alloc_coherent(const enabled_device<Owner, P, Driver>& enabled, std::size_t size) noexcept {
    using dma_record = detail::dma_record<P, Driver>;
    device<P, Driver>& dev = enabled.dev();
    const memory_hooks& memory = dev.resources().memory();
    void* const place = memory.get(sizeof(dma_record), alignof(dma_record));
    if (place == nullptr) [[unlikely]]
        return fail(errc::enomem);
    auto block = dev.platform().allocate_dma(dev.function(), size);
    const auto record = block ? dev.resources().add(&dma_record::release, place) : fail(block.error());
    if (!record) [[unlikely]] {
        if (block)
            dev.platform().free_dma(dev.function(), *block);
        memory.put(place, sizeof(dma_record), alignof(dma_record));
        return fail(record.error());
    }
    ::new (place) dma_record{&dev, *block};
    devres::detail::note(dev, {.managed = true, .resource = "dma_coherent"});
    return dma_allocation<managed_t, P, Driver>(*block);
}

/// Allocates `size` bytes, zeroed, that the device can reach, until the guard dies.
/// @returns a guard that frees the memory; `enomem` if there is none, or the platform's error: nothing is
/// allocated then.
/// @par Linux
/// `dma_alloc_coherent()` and, when the guard dies, `dma_free_coherent()`
template <class Owner, class P, class Driver>
    requires rule<owned_by<Driver, dma_coherent_t, unmanaged_t>,
                  "devres[D004] dma_alloc_coherent: the ownership table does not say dma_coherent = unmanaged">
[[nodiscard]] result<dma_allocation<unmanaged_t, P, Driver>>
dma_alloc_coherent(const enabled_device<Owner, P, Driver>& enabled, std::size_t size) noexcept {
    device<P, Driver>& dev = enabled.dev();
    auto block = dev.platform().allocate_dma(dev.function(), size);
    if (!block) [[unlikely]]
        return fail(block.error());
    devres::detail::note(dev, {.resource = "dma_coherent"});
    return dma_allocation<unmanaged_t, P, Driver>(dev, *block);
}

}  // namespace devres::pci
