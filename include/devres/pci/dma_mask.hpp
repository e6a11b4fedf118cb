// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <devres/core/rule.hpp>
#include <devres/pci/device.hpp>
#include <devres/pci/platform.hpp>

/// Which addresses a function can use for DMA.
namespace devres::pci {

template <class P>
concept platform_has_dma_masks =
    rule<has_dma_masks<P>, text{"devres[D007] this platform has no DMA masks: set_dma_mask(function, use, mask), "
                                "required_dma_mask(function)"}>;

/// Says that the function can use addresses up to `mask` for memory that is mapped for it: `dma_bit_mask(64)` all of them. Each
/// driver begins with 32 bits. What is mapped already stays where it is. Memory at an address beyond the mask is not mapped.
/// @returns `eio` if the platform has no address that the function can use, or the platform's error: the mask is then as before
/// @par Linux
/// `dma_set_mask()`. There the mask of the last driver stays set.
template <class P, class Driver>
    requires platform_has_dma_masks<P>
[[nodiscard]] result<> dma_set_mask(device<P, Driver>& dev, std::uint64_t mask) noexcept {
    return dev.platform().set_dma_mask(dev.function(), dma_use::streaming, mask);
}

/// As `dma_set_mask`, for memory that is allocated.
/// @par Linux
/// `dma_set_coherent_mask()`
template <class P, class Driver>
    requires platform_has_dma_masks<P>
[[nodiscard]] result<> dma_set_coherent_mask(device<P, Driver>& dev, std::uint64_t mask) noexcept {
    return dev.platform().set_dma_mask(dev.function(), dma_use::coherent, mask);
}

/// Both, or none.
/// @par Linux
/// `dma_set_mask_and_coherent()`
template <class P, class Driver>
    requires platform_has_dma_masks<P>
[[nodiscard]] result<> dma_set_mask_and_coherent(device<P, Driver>& dev, std::uint64_t mask) noexcept {
    return dev.platform().set_dma_mask(dev.function(), dma_use::both, mask);
}

/// The mask that all addresses are within which the platform would use: what a driver asks that has smaller descriptors for
/// smaller addresses.
/// @par Linux
/// `dma_get_required_mask()`
template <class P, class Driver>
    requires platform_has_dma_masks<P>
[[nodiscard]] std::uint64_t dma_get_required_mask(const device<P, Driver>& dev) noexcept {
    return dev.platform().required_dma_mask(dev.function());
}

}  // namespace devres::pci
