// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/enable.hpp>

namespace devres::pci {

namespace detail {

struct bar_kind : any_kind {
    static constexpr resource_kind about{"bar", numbering::which};
    template <class P>
    using value = typename P::region_type;

    template <class P, class Driver>
    DEVRES_INLINE static void release(device<P, Driver>& dev, typename P::region_type& region) noexcept {
        dev.platform().unmap_bar(dev.function(), region);
    }
};

/// The number of no BAR: what stands for one that was not given.
inline constexpr unsigned no_bar = ~0U;

}  // namespace detail

/// A BAR, requested and mapped. Owned by devres, it is a view to be copied at will; owned by the driver, a
/// guard that unmaps it and gives the region back when it dies.
template <class Owner, class P, class Driver = void>
class DEVRES_CONSUMABLE bar_mapping : public detail::held<Owner, detail::bar_kind, P, Driver> {
    friend struct devres::detail::token;
    using detail::held<Owner, detail::bar_kind, P, Driver>::held;

public:
    /// Reads a register: `offset` in bytes from the start of the BAR, a multiple of the register's size and
    /// below `size()`. A device that is gone reads as all ones.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint8_t read8(std::size_t offset) const noexcept {
        return read<std::uint8_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint16_t read16(std::size_t offset) const noexcept {
        return read<std::uint16_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint32_t read32(std::size_t offset) const noexcept {
        return read<std::uint32_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint64_t read64(std::size_t offset) const noexcept {
        return read<std::uint64_t>(offset);
    }

    /// Writes a register, at an offset as for reading. A device that is gone drops it.
    DEVRES_NOT_WHEN_EMPTY void write8(std::size_t offset, std::uint8_t value) const noexcept { write(offset, value); }
    DEVRES_NOT_WHEN_EMPTY void write16(std::size_t offset, std::uint16_t value) const noexcept { write(offset, value); }
    DEVRES_NOT_WHEN_EMPTY void write32(std::size_t offset, std::uint32_t value) const noexcept { write(offset, value); }
    DEVRES_NOT_WHEN_EMPTY void write64(std::size_t offset, std::uint64_t value) const noexcept { write(offset, value); }

    /// The size of the BAR in bytes.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::size_t size() const noexcept {
        return this->dev_->platform().bar_size(this->value_);
    }

private:
    template <class T>
    [[nodiscard]] T read(std::size_t offset) const noexcept {
        return this->dev_->platform().template read<T>(this->value_, offset);
    }
    template <class T>
    void write(std::size_t offset, T value) const noexcept {
        this->dev_->platform().template write<T>(this->value_, offset, value);
    }
};

/// The views of a driver's device, for the members of its state: `bar_of<Device>`.
template <class Device>
using bar_of = bar_mapping<managed_t, typename Device::platform_type, typename Device::driver_type>;
template <class Device>
using enabled_of = enabled_device<managed_t, typename Device::platform_type, typename Device::driver_type>;

template <unsigned Number, class Name, unsigned More>
concept bar_in_brackets =
    rule<(Number < bar_count && More == 0 && std::is_convertible_v<Name, const char*>),
         text{"devres[D013] which BAR is a template argument, 0 to 5: pcim_iomap_region<0>(device, name)"}>;
template <class Enabled>
concept bar_of_managed_device = rule<std::is_same_v<detail::owner_of<Enabled>, managed_t>,
                                     text{"devres[D005] a managed BAR needs a device enabled with pcim_enable_device"}>;
template <class Driver, unsigned Number>
concept bar_managed = rule<owned_by<Driver, bar_t<Number>, managed_t>,
                           text{"devres[D004] pcim_iomap_region: the ownership table does not say bar<N> = managed"}>;
template <class Driver, unsigned Number>
concept bar_unmanaged =
    rule<owned_by<Driver, bar_t<Number>, unmanaged_t>,
         text{"devres[D004] pci_iomap_region: the ownership table does not say bar<N> = unmanaged"}>;

namespace detail {

/// Maps a BAR that is at least `least` bytes large.
template <class Token, class Enabled>
[[nodiscard]] DEVRES_INLINE result<Token> map_bar(const Enabled& enabled, unsigned number, std::size_t least,
                                                  const char* name) noexcept {
    if (!is_there(enabled)) [[unlikely]]
        return fail(errc::enoent);
    auto& dev = enabled.dev();
    return acquire<Token, bar_kind>(
        dev, {number, name},
        [&]() noexcept {
            auto region = dev.platform().map_bar(dev.function(), bar_number(number), name);
            if (least != 0 && region && dev.platform().bar_size(*region) < least) [[unlikely]] {
                dev.platform().unmap_bar(dev.function(), *region);
                region = fail(errc::enodev);
            }
            return region;
        },
        enabled);
}

}  // namespace detail

/// Requests BAR `Number` under `name` and maps it, until the driver is unbound. The name is copied by the platform, but must
/// live as long as the mapping where the platform is watched. `Least` is how many bytes it must have: the
/// offsets of a driver's registers are then all there.
/// @returns a view of the mapping; `einval` if the function has no such BAR, `enodev` if it has fewer than `Least` bytes,
/// `ebusy` if it is taken, `enomem` if it cannot be mapped or recorded, `enoent` if the enable has been released, `edeadlk`
/// from inside a handler: nothing is requested or mapped then.
/// @par Linux
/// `pcim_iomap_region()`. One mapping of a BAR at a time: the second is refused, as its region is taken.
template <unsigned Number = detail::no_bar, std::size_t Least = 0, class Enabled, class Name, class... More>
    requires bar_in_brackets<Number, Name, sizeof...(More)> && enabled_argument<Enabled> &&
             bar_of_managed_device<Enabled> && bar_managed<detail::driver_of<Enabled>, Number>
[[nodiscard]] DEVRES_INLINE auto pcim_iomap_region(const Enabled& enabled, Name name, const More&...) noexcept
    -> result<bar_mapping<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using mapping = bar_mapping<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::map_bar<mapping>(enabled, Number, Least, name);
}

/// Requests BAR `Number` under `name` and maps it, until the guard dies.
/// @returns a guard that unmaps it; the errors of `pcim_iomap_region`: nothing is requested or mapped then.
/// @par Linux
/// `pci_request_region()` and `pci_iomap()` in one
template <unsigned Number = detail::no_bar, std::size_t Least = 0, class Enabled, class Name, class... More>
    requires bar_in_brackets<Number, Name, sizeof...(More)> && enabled_argument<Enabled> &&
             bar_unmanaged<detail::driver_of<Enabled>, Number>
[[nodiscard]] DEVRES_INLINE auto pci_iomap_region(const Enabled& enabled, Name name, const More&...) noexcept
    -> result<bar_mapping<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using mapping = bar_mapping<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::map_bar<mapping>(enabled, Number, Least, name);
}

}  // namespace devres::pci
