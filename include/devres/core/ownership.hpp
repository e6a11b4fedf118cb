// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <type_traits>

#include <devres/core/hana.hpp>
#include <devres/core/rule.hpp>

namespace devres {

/// The owner devres: it frees the resource when the driver is unbound, newest first, after remove().
struct managed_t {};
/// The owner driver: it frees the resource itself, no later than remove().
struct unmanaged_t {};

inline constexpr managed_t managed;
inline constexpr unmanaged_t unmanaged;

/// One line of an ownership table: who owns `Resource`, and what else a managed one touches while it lives.
template <class Resource, class Owner, class... Touched>
struct claim {
    using resource_type = Resource;
    using owner_type = Owner;
};

/// A resource as ownership tables name it, told from others by its tag; `Needs` are the resources it is built
/// on. Assigning an owner makes a line of a table.
///
/// @par Example
/// @code
/// inline constexpr devres::resource<struct minor_number_tag> minor_number;
/// @endcode
template <class Tag, class... Needs>
struct resource {
    constexpr claim<resource, managed_t> operator=(managed_t) const noexcept { return {}; }      // NOLINT
    constexpr claim<resource, unmanaged_t> operator=(unmanaged_t) const noexcept { return {}; }  // NOLINT
};

/// A resource together with others that it touches while it lives: `pci::irq_handler(driver_data)`.
template <class Resource, class... Touched>
struct touching {
    constexpr claim<Resource, managed_t, Touched...> operator=(managed_t) const noexcept { return {}; }      // NOLINT
    constexpr claim<Resource, unmanaged_t, Touched...> operator=(unmanaged_t) const noexcept { return {}; }  // NOLINT
};

/// The objects that a driver has devres keep for it (`devm_emplace`).
using driver_data_t = resource<struct driver_data_tag>;
inline constexpr driver_data_t driver_data;

/// Who frees what in a driver; `own` makes one.
template <class... Claims>
struct ownership_table {
    static constexpr auto owners = boost::hana::make_map(boost::hana::make_pair(
        boost::hana::type_c<typename Claims::resource_type>, typename Claims::owner_type{})...);

    /// Whether the table has a line for `Resource`.
    template <class Resource>
    static constexpr bool has = decltype(boost::hana::contains(owners, boost::hana::type_c<Resource>))::value;

    /// Whether the table says that `Owner` owns `Resource`.
    template <class Resource, class Owner>
    [[nodiscard]] static consteval bool says() noexcept {
        if constexpr (has<Resource>)
            return std::is_same_v<std::remove_cvref_t<decltype(owners[boost::hana::type_c<Resource>])>, Owner>;
        else
            return false;
    }
};

namespace detail {

template <class Resource, class... Claims>
inline constexpr unsigned claims_of = (0U + ... + unsigned{std::is_same_v<Resource, typename Claims::resource_type>});

template <class... Claims>
concept claimed_once = ((claims_of<typename Claims::resource_type, Claims...> == 1) && ...);

template <class Table, class Tag, class... Needs>
consteval bool built_on_unmanaged(resource<Tag, Needs...>) noexcept {
    return ((Table::template says<Needs, unmanaged_t>() || built_on_unmanaged<Table>(Needs{})) || ...);
}

template <class Table, class... Touched, class Resource>
consteval bool outlived(claim<Resource, managed_t, Touched...>) noexcept {
    return (Table::template says<Touched, managed_t>() && ...) && !built_on_unmanaged<Table>(Resource{});
}
template <class Table, class... Touched, class Resource>
consteval bool outlived(claim<Resource, unmanaged_t, Touched...>) noexcept {
    return true;
}

template <class... Claims>
concept managed_outlived = (outlived<ownership_table<Claims...>>(Claims{}) && ...);

}  // namespace detail

/// A driver's ownership table: who frees what, said once and checked against every call that the driver makes.
/// A table that claims a resource twice (D008), or says that devres owns something that is built on or touches
/// what the driver frees earlier (D002), does not compile.
///
/// @par Example
/// @code
/// static constexpr auto ownership = devres::own(
///     devres::driver_data                        = devres::managed,
///     devres::pci::enable                        = devres::managed,
///     devres::pci::irq_vectors                   = devres::managed,
///     devres::pci::irq_handler(devres::driver_data) = devres::managed);
/// @endcode
template <class... Claims>
    requires rule<detail::claimed_once<Claims...>, "devres[D008] a resource is claimed twice: keep one of the lines"> &&
             rule<detail::managed_outlived<Claims...>,
                  "devres[D002] a managed resource touches or is built on one that the table does not make managed: "
                  "devres frees it after remove(), when what the driver frees is gone">
[[nodiscard]] consteval ownership_table<Claims...> own(Claims...) noexcept {
    return {};
}

namespace detail {

template <class Driver, class Resource, class Owner>
consteval bool table_allows() noexcept {
    if constexpr (requires { Driver::ownership; })
        return std::remove_cvref_t<decltype(Driver::ownership)>::template says<Resource, Owner>();
    else
        return true;
}

}  // namespace detail

/// True if the driver has no ownership table, or one that says that `Owner` owns `Resource`.
template <class Driver, class Resource, class Owner>
concept owned_by = detail::table_allows<Driver, Resource, Owner>();

}  // namespace devres
