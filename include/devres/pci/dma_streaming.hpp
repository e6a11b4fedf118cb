// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/managed_ref.hpp>
#include <devres/pci/detail/dma_memory.hpp>

/// The driver's own memory, lent to the device.
namespace devres::pci {

namespace detail {

/// A mapping on a platform that knows directions.
struct directed_block : dma_block {
    dma_direction direction = dma_direction::bidirectional;
};

struct streaming_kind : any_kind {
    static constexpr resource_kind about{"dma_streaming"};
    template <class P>
    using value = std::conditional_t<has_dma_directions<P>, directed_block, dma_block>;

    template <class P, class Driver>
    static result<value<P>> map(device<P, Driver>& dev, void* memory, std::size_t size,
                                dma_direction direction) noexcept {
        if constexpr (has_dma_directions<P>) {
            auto mapped = dev.platform().map_dma(dev.function(), memory, size, direction);
            if (!mapped) [[unlikely]]
                return fail(mapped.error());
            return directed_block{*mapped, direction};
        } else {
            return dev.platform().map_dma(dev.function(), memory, size);
        }
    }
    template <class P, class Driver>
    static void unmap(device<P, Driver>& dev, const dma_block& block,
                      [[maybe_unused]] dma_direction direction) noexcept {
        if constexpr (has_dma_directions<P>)
            dev.platform().unmap_dma(dev.function(), block, direction);
        else
            dev.platform().unmap_dma(dev.function(), block);
    }
    template <class P, class Driver>
    static void release(device<P, Driver>& dev, value<P>& block) noexcept {
        if constexpr (has_dma_directions<P>)
            unmap(dev, block, block.direction);
        else
            unmap(dev, block, dma_direction::bidirectional);
    }
    static constexpr void clear(auto& block) noexcept { block = {}; }

    /// That of the objects whose memory it is, which are older.
    template <class Enabled, class... Object>
    [[nodiscard]] static release_step step(const Enabled&, const Object&... object) noexcept {
        const bool code = (false || ... ||
                           detail::record_access::node(detail::token::record(object))->is(detail::list_node::has_code));
        return code ? release_step::code : release_step::matter;
    }
};

}  // namespace detail

/// Memory of the driver's own that the device can reach. Owned by devres, it is a view to be copied at will; owned by the
/// driver, a guard that takes the memory from the device when it dies.
///
/// An IOMMU maps pages: what else is in the memory's first and last page, the device may reach too.
template <class Owner, class P, class Driver = void>
class DEVRES_CONSUMABLE dma_mapping : public detail::dma_memory<Owner, detail::streaming_kind, P, Driver> {
    friend struct devres::detail::token;
    using detail::dma_memory<Owner, detail::streaming_kind, P, Driver>::dma_memory;

public:
    /// Who writes it.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY dma_direction direction() const noexcept
        requires has_dma_directions<P>
    {
        return this->value_.direction;
    }
};

/// For the members of a driver's state: `mapping_of<Device>`.
template <class Device>
using mapping_of = dma_mapping<managed_t, typename Device::platform_type, typename Device::driver_type>;

template <class Enabled>
concept mapping_of_managed_device =
    rule<std::is_same_v<detail::owner_of<Enabled>, managed_t>,
         text{"devres[D005] a managed mapping needs a device enabled with pcim_enable_device"}>;
template <class Memory>
concept managed_memory =
    rule<detail::referred<Memory>::is_managed,
         text{"devres[D002] a managed mapping needs a managed object (devm_emplace): other memory may be "
              "gone before devres unmaps it"}>;
template <class Memory>
concept plain_bytes =
    rule<std::is_trivially_copyable_v<typename detail::referred<Memory>::type> &&
             !std::is_pointer_v<typename detail::referred<Memory>::type>,
         text{"devres[D011] the device would reach the object, not what it points to: map plain bytes, inside "
              "an object by their name, data.part(data->buffer)"}>;
template <class Driver>
concept streaming_managed =
    rule<owned_by<Driver, dma_streaming_t, managed_t>,
         text{"devres[D004] dmam_map_single: the ownership table does not say dma_streaming = managed"}>;
template <class Driver>
concept streaming_unmanaged =
    rule<owned_by<Driver, dma_streaming_t, unmanaged_t>,
         text{"devres[D004] dma_map_single: the ownership table does not say dma_streaming = unmanaged"}>;

/// Lets the device reach a managed object, its first `size` bytes, until the driver is unbound and the device masters the bus
/// no more; sooner only where a group releases the object: the mapping goes before it. The object is plain bytes, which may
/// be a part of one that is not: `dmam_map_single(enabled, data.part(data->buffer))`. In one direction, the device does no more
/// than that where the platform can see to it; `dma_sync_single_for_cpu` and `..._for_device` say whose turn it is.
/// @returns a view of the mapping; `einval` if `size` is 0 or more than the object, or the object another device's, `enomem`
/// if it cannot be mapped or recorded, `enoent` if the enable or the object has been released, `edeadlk` from inside a
/// handler, or the platform's error: nothing is mapped then.
/// @par Linux
/// `dma_map_single()` has no managed form, so drivers wrap one in an action, around memory that may be anybody's. Here
/// memory that devres does not own does not compile (D002): it would be gone before devres unmaps it.
template <class Enabled, class Memory>
    requires enabled_argument<Enabled> && mapping_of_managed_device<Enabled> && unwrapped<Memory> &&
             managed_memory<Memory> && plain_bytes<Memory> && streaming_managed<detail::driver_of<Enabled>>
[[nodiscard]] DEVRES_INLINE auto dmam_map_single(const Enabled& enabled, const Memory& object,
                                                 std::size_t size = sizeof(typename detail::referred<Memory>::type),
                                                 dma_direction direction = dma_direction::bidirectional) noexcept
    -> result<dma_mapping<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using mapping = dma_mapping<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    auto& dev = enabled.dev();
    if (size == 0 || size > sizeof(object.get())) [[unlikely]]
        return fail(errc::einval);
    return detail::acquire<mapping, detail::streaming_kind>(
        dev, {}, [&]() noexcept { return detail::streaming_kind::map(dev, &object.get(), size, direction); }, enabled,
        object);
}

/// Lets the device reach `size` bytes at `memory`, until the guard dies; what it wrote, the driver sees then. The memory must
/// outlive the guard. In one direction, the device does no more than that where the platform can see to it.
/// @returns a guard that unmaps it; `einval` if `memory` is null or `size` 0, `enomem` if it cannot be mapped, `edeadlk` from
/// inside a handler, or the platform's error: nothing is mapped then.
/// @par Linux
/// `dma_map_single()` and, when the guard dies, `dma_unmap_single()`; both directions (`DMA_BIDIRECTIONAL`) unless said otherwise
template <class Enabled>
    requires enabled_argument<Enabled> && streaming_unmanaged<detail::driver_of<Enabled>>
[[nodiscard]] auto dma_map_single(const Enabled& enabled, void* memory, std::size_t size,
                                  dma_direction direction = dma_direction::bidirectional) noexcept
    -> result<dma_mapping<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using mapping = dma_mapping<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    if (!detail::is_there(enabled)) [[unlikely]]
        return fail(errc::enoent);
    auto& dev = enabled.dev();
    if (memory == nullptr || size == 0) [[unlikely]]
        return fail(errc::einval);
    return detail::acquire<mapping, detail::streaming_kind>(
        dev, {}, [&]() noexcept { return detail::streaming_kind::map(dev, memory, size, direction); }, enabled);
}

}  // namespace devres::pci
