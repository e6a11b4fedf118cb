// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/dma_streaming.hpp>

/// Whose turn it is with mapped memory: the driver's or the device's.
namespace devres::pci {

namespace detail {

template <class Mapping>
inline constexpr bool is_dma_mapping = false;
template <class Owner, class P, class Driver>
inline constexpr bool is_dma_mapping<dma_mapping<Owner, P, Driver>> = true;

struct mapping_access {
    /// False for a guard that has been moved from.
    template <class Mapping>
    [[nodiscard]] static bool is_there(const Mapping& mapping) noexcept {
        if constexpr (std::is_same_v<typename Mapping::owner_type, managed_t>)
            return true;
        else
            return static_cast<bool>(mapping);
    }
    /// Syncs bytes of a mapping by `sync_part(dev, part)`, if it has them.
    template <class Mapping, class Sync>
    [[nodiscard]] static result<> sync(const Mapping& mapping, std::size_t offset, std::size_t size,
                                       Sync sync_part) noexcept {
        if (!is_there(mapping)) [[unlikely]]
            return fail(errc::enoent);
        if (offset > mapping.size() || size > mapping.size() - offset) [[unlikely]]
            return fail(errc::einval);
        sync_part(mapping.dev(), dma_block{static_cast<char*>(mapping.data()) + offset,
                                           bus_address{static_cast<std::uint64_t>(mapping.address()) + offset}, size});
        return {};
    }
};

}  // namespace detail

template <class P>
concept platform_syncs_dma =
    rule<has_dma_directions<P>,
         text{"devres[D007] this platform does not sync memory: map_dma and unmap_dma with a dma_direction, "
              "sync_dma_for_cpu, sync_dma_for_device"}>;
template <class Mapping>
concept mapping_argument =
    rule<detail::is_dma_mapping<Mapping>,
         text{"devres[D009] what is synced is no mapping: unwrap the result of dma(m)_map_single, "
              "DEVRES_TRY(auto mapping, dmam_map_single(device, object))"}>;

/// Makes the driver see what the device has written of `size` bytes at `offset` of a mapping: from now on they are the driver's to
/// read, and to write where it then hands them over by `dma_sync_single_range_for_device`. Any thread may call it, handlers too;
/// the device must be done with the bytes.
/// @returns `einval` if the mapping does not have these bytes, `enoent` if it has been moved from
/// @par Linux
/// `dma_sync_single_range_for_cpu()`. The direction is the mapping's.
template <class Mapping>
    requires mapping_argument<Mapping> && platform_syncs_dma<detail::platform_of<Mapping>>
[[nodiscard]] result<> dma_sync_single_range_for_cpu(const Mapping& mapping, std::size_t offset,
                                                     std::size_t size) noexcept {
    return detail::mapping_access::sync(mapping, offset, size, [&](auto& dev, const dma_block& part) noexcept {
        dev.platform().sync_dma_for_cpu(dev.function(), part, mapping.direction());
    });
}

/// Hands `size` bytes at `offset` of a mapping over to the device, which sees what the driver has written. Any thread may call it,
/// handlers too.
/// @returns `einval` if the mapping does not have these bytes, `enoent` if it has been moved from
/// @par Linux
/// `dma_sync_single_range_for_device()`. The direction is the mapping's.
template <class Mapping>
    requires mapping_argument<Mapping> && platform_syncs_dma<detail::platform_of<Mapping>>
[[nodiscard]] result<> dma_sync_single_range_for_device(const Mapping& mapping, std::size_t offset,
                                                        std::size_t size) noexcept {
    return detail::mapping_access::sync(mapping, offset, size, [&](auto& dev, const dma_block& part) noexcept {
        dev.platform().sync_dma_for_device(dev.function(), part, mapping.direction());
    });
}

/// As `dma_sync_single_range_for_cpu`, of all bytes; nothing of a guard that has been moved from.
/// @par Linux
/// `dma_sync_single_for_cpu()`
template <class Mapping>
    requires mapping_argument<Mapping> && platform_syncs_dma<detail::platform_of<Mapping>>
void dma_sync_single_for_cpu(const Mapping& mapping) noexcept {
    if (detail::mapping_access::is_there(mapping))
        (void)dma_sync_single_range_for_cpu(mapping, 0, mapping.size());
}

/// As `dma_sync_single_range_for_device`, of all bytes; nothing of a guard that has been moved from.
/// @par Linux
/// `dma_sync_single_for_device()`
template <class Mapping>
    requires mapping_argument<Mapping> && platform_syncs_dma<detail::platform_of<Mapping>>
void dma_sync_single_for_device(const Mapping& mapping) noexcept {
    if (detail::mapping_access::is_there(mapping))
        (void)dma_sync_single_range_for_device(mapping, 0, mapping.size());
}

}  // namespace devres::pci
