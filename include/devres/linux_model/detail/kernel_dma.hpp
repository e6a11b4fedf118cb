// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/linux_model/kernel.hpp>

/// DMA of the model: the hardware's, under the kernel's names and as primitives of a platform.
namespace devres::linux_model {

inline int kernel::dma_set_mask(pci_dev& dev, std::uint64_t mask) noexcept {
    return dev.hardware.dma().set_mask(pci::dma_use::streaming, mask) ? 0 : negative(errc::eio);
}
inline int kernel::dma_set_coherent_mask(pci_dev& dev, std::uint64_t mask) noexcept {
    return dev.hardware.dma().set_mask(pci::dma_use::coherent, mask) ? 0 : negative(errc::eio);
}
inline int kernel::dma_set_mask_and_coherent(pci_dev& dev, std::uint64_t mask) noexcept {
    const int error = dma_set_mask(dev, mask);
    return error != 0 ? error : dma_set_coherent_mask(dev, mask);
}
inline std::uint64_t kernel::dma_get_required_mask(const pci_dev& dev) noexcept {
    return hardware::machine::required_dma_mask(dev.hardware);
}

inline result<> kernel::set_dma_mask(pci_dev& dev, pci::dma_use use, std::uint64_t mask) noexcept {
    return hardware::machine::set_dma_mask(dev.hardware, use, mask);
}
inline std::uint64_t kernel::required_dma_mask(const pci_dev& dev) noexcept { return dma_get_required_mask(dev); }

inline result<pci::dma_block> kernel::allocate_dma(pci_dev& dev, std::size_t size) noexcept {
    return hardware_.allocate_dma(dev.hardware, size);
}
inline void kernel::free_dma(pci_dev& dev, const pci::dma_block& block) noexcept {
    hardware_.free_dma(dev.hardware, block);
}
inline result<pci::dma_block> kernel::map_dma(pci_dev& dev, void* memory, std::size_t size,
                                              pci::dma_direction direction) noexcept {
    return hardware_.map_dma(dev.hardware, memory, size, direction);
}
inline void kernel::unmap_dma(pci_dev& dev, const pci::dma_block& mapping, pci::dma_direction) noexcept {
    hardware_.unmap_dma(dev.hardware, mapping);
}
inline void kernel::sync_dma_for_cpu(pci_dev& dev, const pci::dma_block& part, pci::dma_direction) noexcept {
    hardware_.sync_dma_for_cpu(dev.hardware, part);
}
inline void kernel::sync_dma_for_device(pci_dev& dev, const pci::dma_block& part, pci::dma_direction) noexcept {
    hardware_.sync_dma_for_device(dev.hardware, part);
}

}  // namespace devres::linux_model
