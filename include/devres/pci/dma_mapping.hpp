// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/dma_memory.hpp>

namespace devres::pci {

/// Memory of the driver's own that the device can reach. Owned by devres, it is a view to be copied at will; owned by the
/// driver, a guard that takes the memory from the device when it dies.
///
/// An IOMMU maps pages: what else is in the memory's first and last page, the device may reach too.
template <class Owner, class P, class Driver = void>
class dma_mapping;

template <class P, class Driver>
class dma_mapping<managed_t, P, Driver> : public detail::dma_memory {
public:
    /// A view of nothing.
    dma_mapping() noexcept = default;
    explicit dma_mapping(const dma_block& block) noexcept : detail::dma_memory(block) {}
};

template <class P, class Driver>
class DEVRES_CONSUMABLE dma_mapping<unmanaged_t, P, Driver>
    : public detail::dma_guard<detail::streaming_memory, P, Driver> {
    using guard = detail::dma_guard<detail::streaming_memory, P, Driver>;

public:
    /// A guard that owns nothing.
    DEVRES_EMPTY dma_mapping() noexcept = default;
    /// Takes over a mapping of `dev`'s platform.
    [[nodiscard]] dma_mapping(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, const dma_block& block) noexcept
        : guard(dev, block) {}
};

namespace detail {

template <class P, class Driver>
[[nodiscard]] result<dma_block> map_memory(device<P, Driver>& dev, void* memory, std::size_t size) noexcept {
    if (memory == nullptr || size == 0) [[unlikely]]
        return fail(errc::einval);
    return dev.platform().map_dma(dev.function(), memory, size);
}

}  // namespace detail

/// Lets the device reach a managed object, its first `size` bytes, until the driver is unbound; sooner only where a group
/// releases the object: the mapping goes before it.
/// @returns a view of the mapping; `einval` if `size` is 0 or more than the object, `enomem` if it cannot be mapped or
/// recorded, or the platform's error: nothing is mapped then.
/// @par Linux
/// `dma_map_single()` has no managed form, so drivers wrap one in an action, around memory that may be anybody's. Here
/// memory that devres does not own does not compile (D002): it would be gone before devres unmaps it.
template <class Owner, class P, class Driver, class Memory>
    requires rule<std::is_same_v<Owner, managed_t>,
                  "devres[D005] a managed mapping needs a device enabled with pcim_enable_device"> &&
             rule<devres::detail::referred<Memory>::is_managed,
                  "devres[D002] a managed mapping needs a managed object (devm_emplace): other memory may be gone before "
                  "devres unmaps it"> &&
             rule<owned_by<Driver, dma_streaming_t, managed_t>,
                  "devres[D004] dmam_map_single: the ownership table does not say dma_streaming = managed">
[[nodiscard]] result<dma_mapping<managed_t, P, Driver>>
dmam_map_single(const enabled_device<Owner, P, Driver>& enabled, const Memory& object,
                std::size_t size = sizeof(typename devres::detail::referred<Memory>::type)) noexcept {
    using record_type = detail::dma_record<detail::streaming_memory, P, Driver>;
    device<P, Driver>& dev = enabled.dev();
    if (size > sizeof(object.get())) [[unlikely]]
        return fail(errc::einval);
    const auto record = detail::acquire_managed<detail::streaming_memory>(
        dev, [&]() noexcept { return detail::map_memory(dev, &object.get(), size); });
    if (!record) [[unlikely]]
        return fail(record.error());
    devres::detail::managed_object::of(object).used_by(**record, [](devres::detail::managed_user& user) noexcept {
        const auto& used = static_cast<record_type&>(user);
        used.dev->resources().release(used.record);
    });
    return dma_mapping<managed_t, P, Driver>((*record)->block);
}

/// Lets the device reach `size` bytes at `memory`, until the guard dies. The memory must outlive the guard.
/// @returns a guard that unmaps it; `einval` if `memory` is null or `size` 0, `enomem` if it cannot be mapped, or the
/// platform's error: nothing is mapped then.
/// @par Linux
/// `dma_map_single()` and, when the guard dies, `dma_unmap_single()`, in both directions (`DMA_BIDIRECTIONAL`)
template <class Owner, class P, class Driver>
    requires rule<owned_by<Driver, dma_streaming_t, unmanaged_t>,
                  "devres[D004] dma_map_single: the ownership table does not say dma_streaming = unmanaged">
[[nodiscard]] result<dma_mapping<unmanaged_t, P, Driver>>
dma_map_single(const enabled_device<Owner, P, Driver>& enabled, void* memory, std::size_t size) noexcept {
    device<P, Driver>& dev = enabled.dev();
    return detail::acquire_unmanaged<dma_mapping<unmanaged_t, P, Driver>, detail::streaming_memory>(
        dev, [&]() noexcept { return detail::map_memory(dev, memory, size); });
}

}  // namespace devres::pci
