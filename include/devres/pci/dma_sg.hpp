// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/detail/stop.hpp>
#include <devres/pci/dma_sync.hpp>

/// Memory in pieces, lent to the device.
namespace devres::pci {

/// A piece of memory in a list (`struct scatterlist`).
struct scatterlist {
    void* buffer = nullptr;     ///< where it is
    std::size_t length = 0;     ///< in bytes, not 0
    bus_address dma_address{};  ///< where the device finds it: set by `dma_map_sg`, good as long as the guard
};

namespace detail {

/// The driver's list.
struct listed_pieces {
    scatterlist* list = nullptr;
    std::size_t count = 0;
    dma_direction direction = dma_direction::bidirectional;

    [[nodiscard]] std::size_t size() const noexcept { return count; }
    [[nodiscard]] dma_block piece(std::size_t i) const noexcept {
        return {list[i].buffer, list[i].dma_address, list[i].length};
    }
    void found_at(std::size_t i, bus_address address) noexcept { list[i].dma_address = address; }
};
/// Parts of managed objects.
template <unsigned Count>
struct managed_pieces {
    dma_block pieces[Count];
    dma_direction direction = dma_direction::bidirectional;

    [[nodiscard]] static constexpr std::size_t size() noexcept { return Count; }
    [[nodiscard]] const dma_block& piece(std::size_t i) const noexcept { return pieces[i]; }
    void found_at(std::size_t i, bus_address address) noexcept { pieces[i].bus = address; }
};

template <class Pieces>
struct sg_kind : any_kind {
    static constexpr resource_kind about{"dma_streaming"};
    template <class P>
    using value = Pieces;

    /// All of them or none.
    template <class P, class Driver>
    static result<Pieces> map(device<P, Driver>& dev, Pieces pieces) noexcept {
        for (std::size_t i = 0; i != pieces.size(); ++i) {
            const dma_block piece = pieces.piece(i);
            const auto mapped = streaming_kind::map(dev, piece.cpu, piece.size, pieces.direction);
            if (!mapped) [[unlikely]] {
                unmap(dev, pieces, i);
                return fail(mapped.error());
            }
            pieces.found_at(i, mapped->bus);
        }
        return pieces;
    }
    template <class P, class Driver>
    static void unmap(device<P, Driver>& dev, const Pieces& pieces, std::size_t count) noexcept {
        while (count-- != 0)
            streaming_kind::unmap(dev, pieces.piece(count), pieces.direction);
    }
    template <class P, class Driver>
    static void release(device<P, Driver>& dev, Pieces& pieces) noexcept {
        unmap(dev, pieces, pieces.size());
    }
    static constexpr void clear(Pieces& pieces) noexcept { pieces = {}; }
    template <class... Used>
    [[nodiscard]] static release_step step(const Used&... used) noexcept {
        return streaming_kind::step(used...);
    }
};

}  // namespace detail

/// Pieces of memory that the device can reach. Owned by devres, it is a view of parts of managed objects; owned by the driver, a
/// guard that takes the memory from the device when it dies.
template <class Owner, class P, class Driver, class Pieces>
class DEVRES_CONSUMABLE dma_sg_mapping : public detail::held<Owner, detail::sg_kind<Pieces>, P, Driver> {
    friend struct devres::detail::token;
    using detail::held<Owner, detail::sg_kind<Pieces>, P, Driver>::held;

public:
    /// How many pieces there are.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::size_t size() const noexcept { return this->value_.size(); }
    /// A piece: where the driver finds it, where the device does, and its size. The program stops if there is none of that number.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY dma_block operator[](std::size_t i) const noexcept {
        if (i >= size()) [[unlikely]]
            devres::detail::stop("dma_sg_mapping: there is no piece of that number");
        return this->value_.piece(i);
    }
    /// Who writes them.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY dma_direction direction() const noexcept { return this->value_.direction; }
    /// The device that they are shared with.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY device<P, Driver>& dev() const noexcept { return *this->dev_; }
};

/// For the members of a driver's state: a view of `Count` pieces, `sg_mapping_of<Device, 2>`.
template <class Device, unsigned Count>
using sg_mapping_of = dma_sg_mapping<managed_t, typename Device::platform_type, typename Device::driver_type,
                                     detail::managed_pieces<Count>>;

template <class... Memory>
concept managed_memory_pieces = rule<
    (detail::referred<Memory>::is_managed && ...) && sizeof...(Memory) != 0,
    text{"devres[D002] dmam_map_sg maps managed objects (devm_emplace), or parts of them: other memory may be gone "
         "before devres unmaps it"}>;
template <class... Memory>
concept plain_pieces =
    rule<(plain_bytes<Memory> && ...),
         text{"devres[D011] the device would reach the objects, not what they point to: map plain bytes, inside an "
              "object by their name, data.part(data->buffer)"}>;
template <class Driver>
concept sg_managed = rule<owned_by<Driver, dma_streaming_t, managed_t>,
                          text{"devres[D004] dmam_map_sg: the ownership table does not say dma_streaming = managed"}>;
template <class Driver>
concept sg_unmanaged =
    rule<owned_by<Driver, dma_streaming_t, unmanaged_t>,
         text{"devres[D004] dma_map_sg: the ownership table does not say dma_streaming = unmanaged"}>;
template <class Driver>
concept page_unmanaged =
    rule<owned_by<Driver, dma_streaming_t, unmanaged_t>,
         text{"devres[D004] dma_map_page: the ownership table does not say dma_streaming = unmanaged"}>;

/// Lets the device reach managed objects, or parts of them, each a piece, as `dmam_map_single` does one:
/// `dmam_map_sg(enabled, dma_direction::to_device, data.part(data->header), data.part(data->body))`.
/// @returns a view of the pieces, in that order; the errors of `dmam_map_single`: nothing is mapped then.
/// @par Linux
/// `dma_map_sg()` has no managed form.
template <class Enabled, class... Memory>
    requires enabled_argument<Enabled> && mapping_of_managed_device<Enabled> && managed_memory_pieces<Memory...> &&
             plain_pieces<Memory...> && sg_managed<detail::driver_of<Enabled>>
[[nodiscard]] auto dmam_map_sg(const Enabled& enabled, dma_direction direction, const Memory&... object) noexcept
    -> result<dma_sg_mapping<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>,
                             detail::managed_pieces<sizeof...(Memory)>>> {
    using pieces = detail::managed_pieces<sizeof...(Memory)>;
    using mapping = dma_sg_mapping<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>, pieces>;
    auto& dev = enabled.dev();
    const pieces all{{{&object.get(), {}, sizeof(object.get())}...}, direction};
    return detail::acquire<mapping, detail::sg_kind<pieces>>(
        dev, {}, [&]() noexcept { return detail::sg_kind<pieces>::map(dev, all); }, enabled, object...);
}

/// Lets the device reach the `count` pieces of a list, whose `dma_address` it sets, until the guard dies. The list and its memory
/// outlive the guard, and the list stays as it is.
/// @returns a guard that unmaps them; the errors of `dma_map_single`, for each piece: nothing is mapped then.
/// @par Linux
/// `dma_map_sg()` and, when the guard dies, `dma_unmap_sg()`. Pieces are not put together, so there are as many as in the list.
template <class Enabled>
    requires enabled_argument<Enabled> && sg_unmanaged<detail::driver_of<Enabled>>
[[nodiscard]] auto
dma_map_sg(const Enabled& enabled, scatterlist* list, std::size_t count, dma_direction direction) noexcept -> result<
    dma_sg_mapping<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>, detail::listed_pieces>> {
    using pieces = detail::listed_pieces;
    using mapping = dma_sg_mapping<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>, pieces>;
    if (!detail::is_there(enabled)) [[unlikely]]
        return fail(errc::enoent);
    if (list == nullptr || count == 0) [[unlikely]]
        return fail(errc::einval);
    for (std::size_t i = 0; i != count; ++i) {
        if (list[i].buffer == nullptr || list[i].length == 0) [[unlikely]]
            return fail(errc::einval);
    }
    auto& dev = enabled.dev();
    return detail::acquire<mapping, detail::sg_kind<pieces>>(
        dev, {}, [&]() noexcept { return detail::sg_kind<pieces>::map(dev, pieces{list, count, direction}); }, enabled);
}

/// Lets the device reach `size` bytes at `offset` of a page, or of several in a row, until the guard dies: as `dma_map_single`.
/// @returns as `dma_map_single`
/// @par Linux
/// `dma_map_page()` and, when the guard dies, `dma_unmap_page()`. A page is named by its address.
template <class Enabled>
    requires enabled_argument<Enabled> && page_unmanaged<detail::driver_of<Enabled>>
[[nodiscard]] auto dma_map_page(const Enabled& enabled, void* page, std::size_t offset, std::size_t size,
                                dma_direction direction) noexcept
    -> result<dma_mapping<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    return dma_map_single(enabled, page == nullptr ? nullptr : static_cast<char*>(page) + offset, size, direction);
}

namespace detail {

template <class Mapping>
inline constexpr bool is_sg_mapping = false;
template <class Owner, class P, class Driver, class Pieces>
inline constexpr bool is_sg_mapping<dma_sg_mapping<Owner, P, Driver, Pieces>> = true;

}  // namespace detail

template <class Mapping>
concept sg_argument = rule<
    detail::is_sg_mapping<Mapping>,
    text{
        "devres[D009] what is synced is no mapping of pieces: unwrap the result of dma(m)_map_sg, DEVRES_TRY(auto sg, ...)"}>;

/// As `dma_sync_single_for_cpu`, of all pieces.
/// @par Linux
/// `dma_sync_sg_for_cpu()`
template <class Mapping>
    requires sg_argument<Mapping> && platform_syncs_dma<detail::platform_of<Mapping>>
void dma_sync_sg_for_cpu(const Mapping& mapping) noexcept {
    if (!detail::mapping_access::is_there(mapping)) [[unlikely]]
        return;
    auto& dev = mapping.dev();
    for (std::size_t i = 0; i != mapping.size(); ++i)
        dev.platform().sync_dma_for_cpu(dev.function(), mapping[i], mapping.direction());
}

/// As `dma_sync_single_for_device`, of all pieces.
/// @par Linux
/// `dma_sync_sg_for_device()`
template <class Mapping>
    requires sg_argument<Mapping> && platform_syncs_dma<detail::platform_of<Mapping>>
void dma_sync_sg_for_device(const Mapping& mapping) noexcept {
    if (!detail::mapping_access::is_there(mapping)) [[unlikely]]
        return;
    auto& dev = mapping.dev();
    for (std::size_t i = 0; i != mapping.size(); ++i)
        dev.platform().sync_dma_for_device(dev.function(), mapping[i], mapping.direction());
}

}  // namespace devres::pci
