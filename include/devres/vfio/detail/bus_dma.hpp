// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <new>

#include <devres/core/detail/exceptions.hpp>
#include <devres/vfio/bus.hpp>

/// The bus's memory for DMA: pages at addresses that are the bus's to choose.
namespace devres::vfio {

namespace detail {

/// The whole pages that some bytes lie in.
struct page_span {
    std::uint64_t first;
    std::uint64_t size;

    page_span(std::uint64_t begin, std::uint64_t bytes) noexcept
        : first(begin / iova_space::page * iova_space::page),
          size((begin + bytes + iova_space::page - 1) / iova_space::page * iova_space::page - first) {}
};

inline constexpr std::uint64_t max_dma_bytes = std::uint64_t{1} << 46U;

}  // namespace detail

template <class System>
result<> basic_bus<System>::set_dma_mask(function_type& f, pci::dma_use use, std::uint64_t mask) noexcept {
    if (!f.reaches_memory_)
        return fail(errc::enotsupp);
    if (!addresses_.has_any(mask))
        return fail(errc::eio);
    if (use != pci::dma_use::coherent)
        f.streaming_mask_ = mask;
    if (use != pci::dma_use::streaming)
        f.coherent_mask_ = mask;
    return {};
}

/// The addresses are the bus's, and those below 4 GiB are used first.
template <class System>
std::uint64_t basic_bus<System>::required_dma_mask(const function_type&) noexcept {
    return pci::dma_bit_mask(addresses_.has_any(pci::dma_bit_mask(32)) ? 32 : 64);
}

template <class System>
result<std::uint64_t> basic_bus<System>::map_pages(function_type& f, void* memory, std::uint64_t size,
                                                   std::uint64_t mask, pci::dma_direction direction) noexcept {
    return devres::detail::unless_out_of_memory([&]() -> result<std::uint64_t> {
        if (!f.reaches_memory_)
            return fail(errc::enotsupp);
        const std::scoped_lock hold(dma_lock_);
        const auto at = addresses_.take(size, mask);
        if (!at)
            return fail(errc::enomem);
        if (const auto mapped = iommu_.map(memory, size, *at, direction); !mapped) {
            addresses_.give(*at);
            return fail(mapped.error());
        }
        return *at;
    });
}

template <class System>
void basic_bus<System>::unmap_pages(std::uint64_t iova, std::uint64_t size) noexcept {
    const std::scoped_lock hold(dma_lock_);
    if (addresses_.give(iova))
        iommu_.unmap(size, iova);
}

template <class System>
result<pci::dma_block> basic_bus<System>::allocate_dma(function_type& f, std::size_t size) noexcept {
    if (in_handler(f))
        return fail(errc::edeadlk);
    if (size > detail::max_dma_bytes)
        return fail(errc::enomem);
    const detail::page_span pages(0, size == 0 ? 1 : size);
    void* const memory = system_.map(nullptr, pages.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return fail(errc::enomem);
    const auto iova = map_pages(f, memory, pages.size, f.coherent_mask_, pci::dma_direction::bidirectional);
    if (!iova) {
        (void)system_.unmap(memory, pages.size);
        return fail(iova.error());
    }
    ++f.dma_blocks_;
    return pci::dma_block{memory, pci::bus_address(*iova), pages.size};
}

template <class System>
void basic_bus<System>::free_dma(function_type& f, const pci::dma_block& block) noexcept {
    const devres::detail::errno_guard keep;
    unmap_pages(static_cast<std::uint64_t>(block.bus), block.size);
    (void)system_.unmap(block.cpu, block.size);
    --f.dma_blocks_;
}

template <class System>
result<pci::dma_block> basic_bus<System>::map_dma(function_type& f, void* memory, std::size_t size,
                                                  pci::dma_direction direction) noexcept {
    if (in_handler(f))
        return fail(errc::edeadlk);
    if (size > detail::max_dma_bytes)
        return fail(errc::enomem);
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    const detail::page_span pages(begin, size);
    const auto iova = map_pages(f, reinterpret_cast<void*>(pages.first), pages.size, f.streaming_mask_, direction);
    if (!iova)
        return fail(iova.error());
    ++f.dma_mappings_;
    return pci::dma_block{memory, pci::bus_address(*iova + (begin - pages.first)), size};
}

template <class System>
void basic_bus<System>::unmap_dma(function_type& f, const pci::dma_block& mapping, pci::dma_direction) noexcept {
    const detail::page_span pages(static_cast<std::uint64_t>(mapping.bus), mapping.size);
    unmap_pages(pages.first, pages.size);
    --f.dma_mappings_;
}

}  // namespace devres::vfio
