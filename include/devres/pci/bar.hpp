// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/bar_part.hpp>
#include <devres/pci/detail/bar_choice.hpp>

/// Mapped BARs: the registers and memory of a function.
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

/// A whole BAR.
template <class Owner, class P, class Driver>
class DEVRES_CONSUMABLE whole_bar : public held<Owner, bar_kind, P, Driver> {
public:
    using held<Owner, bar_kind, P, Driver>::held;

    /// The size of the BAR in bytes.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::size_t size() const noexcept {
        return this->dev_->platform().bar_size(this->value_);
    }

protected:
    template <class T>
    [[nodiscard]] DEVRES_INLINE T get(std::size_t offset) const noexcept {
        return this->dev_->platform().template read<T>(this->value_, offset);
    }
    template <class T>
    DEVRES_INLINE void put(std::size_t offset, T value) const noexcept {
        this->dev_->platform().template write<T>(this->value_, offset, value);
    }
    [[nodiscard]] bar_part<Owner, P, Driver> all() const noexcept {
        using part = bar_part<Owner, P, Driver>;
        if constexpr (std::is_same_v<Owner, managed_t>)
            return token::make<part>(*this->dev_, this->value_, std::size_t{0}, size(), this->record_);
        else
            return token::make<part>(*this->dev_, this->value_, std::size_t{0}, size());
    }
};

}  // namespace detail

/// A BAR, requested and mapped. Owned by devres, it is a view to be copied at will; owned by the driver, a
/// guard that unmaps it and gives the region back when it dies.
template <class Owner, class P, class Driver = void>
class DEVRES_CONSUMABLE bar_mapping : public detail::register_access<detail::whole_bar<Owner, P, Driver>> {
    friend struct devres::detail::token;
    using detail::register_access<detail::whole_bar<Owner, P, Driver>>::register_access;

public:
    /// `size` bytes of it, from `offset`: a block of registers, for the code that knows the block.
    /// @returns a view; `erange` if they are not all in the BAR, `einval` if `size` is 0
    /// @par Linux
    /// a pointer into the mapping, whose bounds nobody knows
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY result<bar_part<Owner, P, Driver>>
    subregion(std::size_t offset, std::size_t size) const noexcept DEVRES_LIFETIMEBOUND {
        return this->all().subregion(offset, size);
    }
};

/// The views of a driver's device, for the members of its state: `bar_of<Device>`.
template <class Device>
using bar_of = bar_mapping<managed_t, typename Device::platform_type, typename Device::driver_type>;
/// likewise
template <class Device>
using enabled_of = enabled_device<managed_t, typename Device::platform_type, typename Device::driver_type>;

template <unsigned Number, std::size_t Least, class... Arguments>
concept bar_is_chosen = rule<
    detail::chooses_bar<Number, Least, Arguments...>,
    text{"devres[D013] which BAR is a template argument, 0 to 5, or a bar_number: pcim_iomap_region<0>(device, name)"}>;
template <class Enabled>
concept bar_of_managed_device = rule<std::is_same_v<detail::owner_of<Enabled>, managed_t>,
                                     text{"devres[D005] a managed BAR needs a device enabled with pcim_enable_device"}>;
template <class Driver, unsigned Number>
concept bar_managed = rule<Number == detail::at_run_time || detail::owns_bar<Driver, Number, managed_t>(),
                           text{"devres[D004] pcim_iomap_region: the ownership table does not say bar<N> = managed"}>;
template <class Driver, unsigned Number>
concept bar_unmanaged =
    rule<Number == detail::at_run_time || detail::owns_bar<Driver, Number, unmanaged_t>(),
         text{"devres[D004] pci_iomap_region: the ownership table does not say bar<N> = unmanaged"}>;
template <class Driver, unsigned Number>
concept any_bar_managed =
    rule<Number != detail::at_run_time || detail::owns_bar<Driver, Number, managed_t>(),
         text{"devres[D004] a BAR that is known at run time: the ownership table does not say any_bar = managed"}>;
template <class Driver, unsigned Number>
concept any_bar_unmanaged =
    rule<Number != detail::at_run_time || detail::owns_bar<Driver, Number, unmanaged_t>(),
         text{"devres[D004] a BAR that is known at run time: the ownership table does not say any_bar = unmanaged"}>;

namespace detail {

/// Maps a BAR that is large enough.
template <class Token, class Enabled>
[[nodiscard]] DEVRES_INLINE result<Token> map_bar(const Enabled& enabled, const bar_choice& bar) noexcept {
    if (!is_there(enabled)) [[unlikely]]
        return fail(errc::enoent);
    auto& dev = enabled.dev();
    return acquire<Token, bar_kind>(
        dev, {bar.number, bar.name},
        [&]() noexcept {
            auto region = dev.platform().map_bar(dev.function(), bar_number(bar.number), bar.name);
            if (bar.least != 0 && region && dev.platform().bar_size(*region) < bar.least) [[unlikely]] {
                dev.platform().unmap_bar(dev.function(), *region);
                region = fail(errc::enodev);
            }
            return region;
        },
        enabled);
}

}  // namespace detail

/// Requests BAR `Number` under a name and maps it, until the driver is unbound: `pcim_iomap_region<0>(enabled, name)`. The name
/// is copied by the platform, but must live as long as the mapping where the platform is watched. `Least` is how many bytes it
/// must have: the offsets of a driver's registers are then all there.
///
/// A number that is known at run time is an argument, and so is then the least size:
/// `pcim_iomap_region(enabled, pci::bar_number(id.driver_data), name, 0x100)`. A table claims it as `pci::any_bar`.
/// @returns a view of the mapping; `einval` if the function has no such BAR, `enodev` if it has fewer than `Least` bytes,
/// `ebusy` if it is taken, `enomem` if it cannot be mapped or recorded, `enoent` if the enable has been released, `edeadlk`
/// from inside a handler: nothing is requested or mapped then.
/// @par Linux
/// `pcim_iomap_region()`. One mapping of a BAR at a time: the second is refused, as its region is taken.
template <unsigned Number = detail::at_run_time, std::size_t Least = 0, class Enabled, class... Arguments>
    requires bar_is_chosen<Number, Least, Arguments...> && enabled_argument<Enabled> &&
             bar_of_managed_device<Enabled> && bar_managed<detail::driver_of<Enabled>, Number> &&
             any_bar_managed<detail::driver_of<Enabled>, Number>
[[nodiscard]] DEVRES_INLINE auto pcim_iomap_region(const Enabled& enabled, const Arguments&... arguments) noexcept
    -> result<bar_mapping<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using mapping = bar_mapping<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::map_bar<mapping>(enabled, detail::choose_bar<Number, Least>(arguments...));
}

/// Requests BAR `Number` under a name and maps it, until the guard dies; its arguments are those of `pcim_iomap_region`.
/// @returns a guard that unmaps it; the errors of `pcim_iomap_region`: nothing is requested or mapped then.
/// @par Linux
/// `pci_request_region()` and `pci_iomap()` in one
template <unsigned Number = detail::at_run_time, std::size_t Least = 0, class Enabled, class... Arguments>
    requires bar_is_chosen<Number, Least, Arguments...> && enabled_argument<Enabled> &&
             bar_unmanaged<detail::driver_of<Enabled>, Number> && any_bar_unmanaged<detail::driver_of<Enabled>, Number>
[[nodiscard]] DEVRES_INLINE auto pci_iomap_region(const Enabled& enabled, const Arguments&... arguments) noexcept
    -> result<bar_mapping<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using mapping = bar_mapping<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::map_bar<mapping>(enabled, detail::choose_bar<Number, Least>(arguments...));
}

}  // namespace devres::pci
