// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/dma_memory.hpp>

namespace devres::pci {

/// Memory that the driver and the device share: zeroed when allocated, aligned to a page. Owned by devres, it is a view
/// to be copied at will; owned by the driver, a guard that frees the memory when it dies.
template <class Owner, class P, class Driver = void>
class dma_allocation;

template <class P, class Driver>
class dma_allocation<managed_t, P, Driver> : public detail::dma_memory {
public:
    /// A view of nothing.
    dma_allocation() noexcept = default;
    explicit dma_allocation(const dma_block& block) noexcept : detail::dma_memory(block) {}
};

template <class P, class Driver>
class DEVRES_CONSUMABLE dma_allocation<unmanaged_t, P, Driver>
    : public detail::dma_guard<detail::coherent_memory, P, Driver> {
    using guard = detail::dma_guard<detail::coherent_memory, P, Driver>;

public:
    /// A guard that owns nothing.
    DEVRES_EMPTY dma_allocation() noexcept = default;
    /// Takes over memory of `dev`'s platform.
    [[nodiscard]] dma_allocation(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, const dma_block& block) noexcept
        : guard(dev, block) {}
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
    device<P, Driver>& dev = enabled.dev();
    const auto record = detail::acquire_managed<detail::coherent_memory>(
        dev, [&]() noexcept { return dev.platform().allocate_dma(dev.function(), size); });
    if (!record) [[unlikely]]
        return fail(record.error());
    return dma_allocation<managed_t, P, Driver>((*record)->block);
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
    return detail::acquire_unmanaged<dma_allocation<unmanaged_t, P, Driver>, detail::coherent_memory>(
        dev, [&]() noexcept { return dev.platform().allocate_dma(dev.function(), size); });
}

}  // namespace devres::pci
