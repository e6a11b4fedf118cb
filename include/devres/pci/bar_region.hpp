// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/bar.hpp>

/// BARs that are requested first, and mapped where they are needed, in parts.
namespace devres::pci {

namespace detail {

/// BARs that were requested together.
template <class P>
struct bar_set {
    typename P::region_type regions[bar_count];
    unsigned mask;  // bit n: BAR n is among them
};

struct bars_kind : any_kind {
    static constexpr resource_kind about{"bars"};
    template <class P>
    using value = bar_set<P>;

    template <class P, class Driver>
    static void release(device<P, Driver>& dev, bar_set<P>& held) noexcept {
        for (unsigned bar = bar_count; bar-- != 0;) {
            if ((held.mask >> bar & 1U) != 0)
                dev.platform().unmap_bar(dev.function(), held.regions[bar]);
        }
        held.mask = 0;
    }
    template <class P>
    static constexpr void clear(bar_set<P>& held) noexcept {
        held.mask = 0;
    }
};

struct region_parts;

}  // namespace detail

/// A BAR that nobody else can request. What is in it is reached through `pci_iomap`, all of it, or `pci_iomap_range`. Owned by
/// devres, it is a view to be copied at will; owned by the driver, a guard that gives the region back when it dies.
template <class Owner, class P, class Driver = void>
class DEVRES_CONSUMABLE bar_region : public detail::whole_bar<Owner, P, Driver> {
    friend struct devres::detail::token;
    friend struct detail::region_parts;
    using detail::whole_bar<Owner, P, Driver>::whole_bar;
};

/// The BARs that a function has, or those of them that were selected, requested as one.
template <class Owner, class P, class Driver = void>
class DEVRES_CONSUMABLE bar_regions : public detail::held<Owner, detail::bars_kind, P, Driver> {
    friend struct devres::detail::token;
    friend struct detail::region_parts;
    using detail::held<Owner, detail::bars_kind, P, Driver>::held;

public:
    /// Bit n: BAR n is among them.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY unsigned mask() const noexcept { return this->value_.mask; }
};

namespace detail {

template <class Token>
inline constexpr bool is_region = false;
template <class Owner, class P, class Driver>
inline constexpr bool is_region<bar_region<Owner, P, Driver>> = true;
template <class Token>
inline constexpr bool are_regions = false;
template <class Owner, class P, class Driver>
inline constexpr bool are_regions<bar_regions<Owner, P, Driver>> = true;

/// The parts of what was requested.
struct region_parts {
    template <class Region>
    using part_of = bar_part<owner_of<Region>, platform_of<Region>, driver_of<Region>>;

    template <class Region>
    [[nodiscard]] static result<part_of<Region>> all(const Region& region) noexcept {
        DEVRES_TRY(there(region));
        return region.all();
    }
    template <class Regions>
    [[nodiscard]] static result<part_of<Regions>> all(const Regions& regions, unsigned bar) noexcept {
        DEVRES_TRY(there(regions));
        if (bar >= bar_count || (regions.value_.mask >> bar & 1U) == 0) [[unlikely]]
            return fail(errc::einval);
        const auto& region = regions.value_.regions[bar];
        const std::size_t size = regions.dev_->platform().bar_size(region);
        if constexpr (managed_token<Regions>)
            return token::make<part_of<Regions>>(*regions.dev_, region, std::size_t{0}, size, token::record(regions));
        else
            return token::make<part_of<Regions>>(*regions.dev_, region, std::size_t{0}, size);
    }

private:
    template <class Region>
    [[nodiscard]] static result<> there(const Region& region) noexcept {
        if constexpr (managed_token<Region>)
            return used_records(region).check(region.dev_->resources());
        else if (region.dev_ == nullptr)
            return fail(errc::enoent);
        else
            return {};
    }
};

/// Requests all BARs of `wanted` that the function has; every one that is named must be there, unless all are.
template <class Token, class Enabled>
[[nodiscard]] result<Token> request_regions(const Enabled& enabled, unsigned wanted, const char* name) noexcept {
    if (!is_there(enabled)) [[unlikely]]
        return fail(errc::enoent);
    auto& dev = enabled.dev();
    using set = bar_set<platform_of<Enabled>>;
    return acquire<Token, bars_kind>(
        dev, {0, name},
        [&]() noexcept -> result<set> {
            set got{};
            for (unsigned bar = 0; bar != bar_count; ++bar) {
                if ((wanted >> bar & 1U) == 0)
                    continue;
                auto region = dev.platform().map_bar(dev.function(), bar_number(bar), name);
                if (!region && region.error() == errc::einval)
                    continue;  // there is none
                if (!region) {
                    bars_kind::release(dev, got);
                    return fail(region.error());
                }
                got.regions[bar] = *region;
                got.mask |= 1U << bar;
            }
            return got;
        },
        enabled);
}

inline constexpr unsigned all_bars = (1U << bar_count) - 1U;

}  // namespace detail

template <class Driver, unsigned Number>
concept region_managed =
    rule<Number == detail::at_run_time || detail::owns_bar<Driver, Number, managed_t>(),
         text{"devres[D004] pcim_request_region: the ownership table does not say bar<N> = managed"}>;
template <class Driver, unsigned Number>
concept region_unmanaged =
    rule<Number == detail::at_run_time || detail::owns_bar<Driver, Number, unmanaged_t>(),
         text{"devres[D004] pci_request_region: the ownership table does not say bar<N> = unmanaged"}>;
template <class Driver>
concept all_bars_managed =
    rule<detail::owns_bar<Driver, detail::at_run_time, managed_t>(),
         text{"devres[D004] pcim_request_all_regions: the ownership table does not say any_bar = managed"}>;
template <class Driver>
concept all_bars_unmanaged =
    rule<detail::owns_bar<Driver, detail::at_run_time, unmanaged_t>(),
         text{"devres[D004] pci_request_regions: the ownership table does not say any_bar = unmanaged"}>;

template <class Driver>
concept selected_bars_unmanaged =
    rule<detail::owns_bar<Driver, detail::at_run_time, unmanaged_t>(),
         text{"devres[D004] pci_request_selected_regions: the ownership table does not say any_bar = unmanaged"}>;

template <class Region>
concept requested_region =
    rule<detail::is_region<Region> || detail::are_regions<Region>,
         text{"devres[D009] the first argument is no requested BAR: unwrap the result of pci(m)_request_region"}>;
template <unsigned Number, class Region, class... Bar>
concept region_is_chosen = rule<
    (detail::is_region<Region> && Number == detail::at_run_time && sizeof...(Bar) == 0) ||
        (detail::are_regions<Region> && (Number < bar_count ? sizeof...(Bar) == 0 : sizeof...(Bar) == 1) &&
         (std::is_same_v<Bar, bar_number> && ...)),
    text{
        "devres[D013] of BARs that were requested together it says which, pci_iomap<0>(regions) or with a bar_number; of "
        "one it does not"}>;

/// Requests a BAR until the driver is unbound, without a way to its registers; its arguments are those of `pcim_iomap_region`.
/// @returns a view; the errors of `pcim_iomap_region`: nothing is requested then.
/// @par Linux
/// `pcim_request_region()`
template <unsigned Number = detail::at_run_time, std::size_t Least = 0, class Enabled, class... Arguments>
    requires bar_is_chosen<Number, Least, Arguments...> && enabled_argument<Enabled> &&
             bar_of_managed_device<Enabled> && region_managed<detail::driver_of<Enabled>, Number> &&
             any_bar_managed<detail::driver_of<Enabled>, Number>
[[nodiscard]] auto pcim_request_region(const Enabled& enabled, const Arguments&... arguments) noexcept
    -> result<bar_region<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using region = bar_region<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::map_bar<region>(enabled, detail::choose_bar<Number, Least>(arguments...));
}

/// Requests a BAR until the guard dies, without a way to its registers; its arguments are those of `pcim_iomap_region`.
/// @returns a guard; the errors of `pcim_iomap_region`: nothing is requested then.
/// @par Linux
/// `pci_request_region()` and, when the guard dies, `pci_release_region()`
template <unsigned Number = detail::at_run_time, std::size_t Least = 0, class Enabled, class... Arguments>
    requires bar_is_chosen<Number, Least, Arguments...> && enabled_argument<Enabled> &&
             region_unmanaged<detail::driver_of<Enabled>, Number> &&
             any_bar_unmanaged<detail::driver_of<Enabled>, Number>
[[nodiscard]] auto pci_request_region(const Enabled& enabled, const Arguments&... arguments) noexcept
    -> result<bar_region<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using region = bar_region<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::map_bar<region>(enabled, detail::choose_bar<Number, Least>(arguments...));
}

/// Requests every BAR that the function has, until the driver is unbound. A table claims them as `pci::any_bar`.
/// @returns a view; `ebusy` if one is taken, and the other errors of `pcim_iomap_region`: nothing is requested then.
/// @par Linux
/// `pcim_request_all_regions()`
template <class Enabled>
    requires enabled_argument<Enabled> && bar_of_managed_device<Enabled> && all_bars_managed<detail::driver_of<Enabled>>
[[nodiscard]] auto pcim_request_all_regions(const Enabled& enabled, const char* name) noexcept
    -> result<bar_regions<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using regions = bar_regions<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::request_regions<regions>(enabled, detail::all_bars, name);
}

/// Requests those BARs of the function whose bit is in `mask`, until the guard dies: `pci_select_bars` knows which are memory.
/// @returns a guard; `ebusy` if one is taken, and the other errors of `pcim_iomap_region`: nothing is requested then.
/// @par Linux
/// `pci_request_selected_regions()` and, when the guard dies, `pci_release_selected_regions()`
template <class Enabled>
    requires enabled_argument<Enabled> && selected_bars_unmanaged<detail::driver_of<Enabled>>
[[nodiscard]] auto pci_request_selected_regions(const Enabled& enabled, unsigned mask, const char* name) noexcept
    -> result<bar_regions<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using regions = bar_regions<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::request_regions<regions>(enabled, mask, name);
}

/// Requests every BAR that the function has, until the guard dies.
/// @returns as `pci_request_selected_regions`
/// @par Linux
/// `pci_request_regions()` and, when the guard dies, `pci_release_regions()`
template <class Enabled>
    requires enabled_argument<Enabled> && all_bars_unmanaged<detail::driver_of<Enabled>>
[[nodiscard]] auto pci_request_regions(const Enabled& enabled, const char* name) noexcept
    -> result<bar_regions<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using regions = bar_regions<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::request_regions<regions>(enabled, detail::all_bars, name);
}

/// The registers of a requested BAR: `pci_iomap(region)`, `pci_iomap<2>(regions)`, `pci_iomap(regions, pci::bar_number(n))`.
/// @returns a view, of the region's owner; `einval` if that BAR is not among them, `enoent` if the region has been released
/// @par Linux
/// `pci_iomap()`, `pcim_iomap()`. Here a BAR that is not requested is not mapped.
template <unsigned Number = detail::at_run_time, class Region, class... Bar>
    requires requested_region<Region> && region_is_chosen<Number, Region, Bar...>
[[nodiscard]] auto pci_iomap(const Region& region DEVRES_LIFETIMEBOUND, Bar... bar) noexcept
    -> result<detail::region_parts::part_of<Region>> {
    if constexpr (detail::is_region<Region>)
        return detail::region_parts::all(region);
    else if constexpr (Number != detail::at_run_time)
        return detail::region_parts::all(region, Number);
    else
        return detail::region_parts::all(region, bar.value()...);
}

/// `size` bytes of a requested BAR, from `offset`: `pci_iomap_range(region, 0x1000, 0x100)`, `pci_iomap_range<2>(regions, ...)`.
/// @returns as `pci_iomap`; `erange` if the BAR does not have them, `einval` if `size` is 0
/// @par Linux
/// `pci_iomap_range()`, `pcim_iomap_range()`; `ioremap(pci_resource_start(pdev, bar) + offset, size)`
template <unsigned Number = detail::at_run_time, class Region>
    requires requested_region<Region> && region_is_chosen<Number, Region>
[[nodiscard]] auto pci_iomap_range(const Region& region DEVRES_LIFETIMEBOUND, std::size_t offset,
                                   std::size_t size) noexcept -> result<detail::region_parts::part_of<Region>> {
    DEVRES_TRY(auto all, pci_iomap<Number>(region));
    return all.subregion(offset, size);
}

}  // namespace devres::pci
