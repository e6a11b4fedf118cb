// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/detail/dma_memory.hpp>

/// Memory that the driver and the device share.
namespace devres::pci {

namespace detail {

struct coherent_kind : any_kind {
    static constexpr resource_kind about{"dma_coherent"};
    template <class P>
    using value = dma_block;

    template <class P, class Driver>
    static void release(device<P, Driver>& dev, dma_block& block) noexcept {
        dev.platform().free_dma(dev.function(), block);
    }
    static constexpr void clear(dma_block& block) noexcept { block = {}; }
};

}  // namespace detail

/// Memory that the driver and the device share: zeroed when allocated, aligned to a page. Owned by devres, it is a view
/// to be copied at will; owned by the driver, a guard that frees the memory when it dies.
template <class Owner, class P, class Driver = void>
class DEVRES_CONSUMABLE dma_allocation : public detail::dma_memory<Owner, detail::coherent_kind, P, Driver> {
    friend struct devres::detail::token;
    using detail::dma_memory<Owner, detail::coherent_kind, P, Driver>::dma_memory;
};

/// For the members of a driver's state: `coherent_of<Device>`.
template <class Device>
using coherent_of = dma_allocation<managed_t, typename Device::platform_type, typename Device::driver_type>;

template <class Enabled>
concept memory_of_managed_device =
    rule<std::is_same_v<detail::owner_of<Enabled>, managed_t>,
         text{"devres[D005] managed DMA memory needs a device enabled with pcim_enable_device"}>;
template <class Driver>
concept coherent_managed =
    rule<owned_by<Driver, dma_coherent_t, managed_t>,
         text{"devres[D004] dmam_alloc_coherent: the ownership table does not say dma_coherent = managed"}>;
template <class Driver>
concept coherent_unmanaged =
    rule<owned_by<Driver, dma_coherent_t, unmanaged_t>,
         text{"devres[D004] dma_alloc_coherent: the ownership table does not say dma_coherent = unmanaged"}>;

namespace detail {

template <class Token, class Enabled>
[[nodiscard]] DEVRES_INLINE result<Token> allocate_coherent(const Enabled& enabled, std::size_t size) noexcept {
    if (!is_there(enabled)) [[unlikely]]
        return fail(errc::enoent);
    auto& dev = enabled.dev();
    return acquire<Token, coherent_kind>(
        dev, {}, [&]() noexcept { return dev.platform().allocate_dma(dev.function(), size); }, enabled);
}

}  // namespace detail

/// Allocates `size` bytes, zeroed, that the device can reach, until the driver is unbound and the device masters the bus no
/// more. In a group that is released before, it is the driver that stops the device from using it: by the `stop()` of what
/// the group has started.
/// @returns a view of the memory; `enomem` if there is none or it cannot be recorded, `enoent` if the enable has been
/// released, `edeadlk` from inside a handler, or the platform's error: nothing is allocated then.
/// @par Linux
/// `dmam_alloc_coherent()`
template <class Enabled>
    requires enabled_argument<Enabled> && memory_of_managed_device<Enabled> &&
             coherent_managed<detail::driver_of<Enabled>>
[[nodiscard]] DEVRES_INLINE auto dmam_alloc_coherent(const Enabled& enabled, std::size_t size) noexcept
    -> result<dma_allocation<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using memory = dma_allocation<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::allocate_coherent<memory>(enabled, size);
}

/// Allocates `size` bytes, zeroed, that the device can reach, until the guard dies.
/// @returns a guard that frees the memory; the errors of `dmam_alloc_coherent`: nothing is allocated then.
/// @par Linux
/// `dma_alloc_coherent()` and, when the guard dies, `dma_free_coherent()`
template <class Enabled>
    requires enabled_argument<Enabled> && coherent_unmanaged<detail::driver_of<Enabled>>
[[nodiscard]] auto dma_alloc_coherent(const Enabled& enabled, std::size_t size) noexcept
    -> result<dma_allocation<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using memory = dma_allocation<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::allocate_coherent<memory>(enabled, size);
}

}  // namespace devres::pci
