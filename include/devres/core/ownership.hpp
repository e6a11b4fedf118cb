// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <type_traits>

#include <devres/core/rule.hpp>

namespace devres {

/// The owner devres: it frees the resource when the driver is unbound, after remove().
struct managed_t {};
/// The owner driver: it frees the resource itself, no later than remove().
/// Its guards move; one that has been moved from, or has freed, owns nothing, is false, and frees nothing.
struct unmanaged_t {};

inline constexpr managed_t managed;      ///< the owner of a line: `pci::enable = managed`
inline constexpr unmanaged_t unmanaged;  ///< likewise

namespace detail {

/// Of a resource that a table claims with `without` and `guarding`: what its user keeps off, and what the driver guards.
template <class... Resources>
struct kept_off {};
template <class... Resources>
struct guarded {};

/// Marks the tags of the library's own resources: others are the driver's.
template <class Tag>
struct of_library {};

}  // namespace detail

/// One line of an ownership table: who owns `Resource`, and what a managed user of all the rest is kept apart from.
template <class Resource, class Owner, class Off = detail::kept_off<>, class Guarded = detail::guarded<>>
struct claim {
    using resource_type = Resource;  ///< whose line it is
    using owner_type = Owner;        ///< `managed_t` or `unmanaged_t`
};

/// A resource as ownership tables name it, told from others by its tag; `Needs` are the resources it is built
/// on. Assigning an owner makes a line of a table. A resource of the driver's own that the table makes managed is acquired
/// under its name: `devm_add_action<regulator>(dev, ...)`, `devm_emplace<zone, thermal_zone>(dev)`.
///
/// Example:
/// @code
/// inline constexpr devres::resource<struct minor_number_tag> minor_number;
/// @endcode
template <class Tag, class... Needs>
struct resource {
    /// A line of a table.
    /// @{
    constexpr claim<resource, managed_t> operator=(managed_t) const noexcept { return {}; }      // NOLINT
    constexpr claim<resource, unmanaged_t> operator=(unmanaged_t) const noexcept { return {}; }  // NOLINT
    /// @}
};

/// A resource whose managed form is taken to use all that its driver has, but for what is named: see
/// `pci::irq_handler`.
template <class Resource, class Off, class Guarded>
struct apart;
template <class Resource, class... Off, class... Guarded>
struct apart<Resource, detail::kept_off<Off...>, detail::guarded<Guarded...>> {
    /// It keeps off these: it never uses them. Platforms that can see it report one that does.
    template <class... More>
    [[nodiscard]] constexpr apart<Resource, detail::kept_off<Off..., More...>, detail::guarded<Guarded...>>
    without(More...) const noexcept {
        return {};
    }
    /// The driver itself sees to it that these have not gone when they are used: a promise that can be searched for.
    template <class... More>
    [[nodiscard]] constexpr apart<Resource, detail::kept_off<Off...>, detail::guarded<Guarded..., More...>>
    guarding(More...) const noexcept {
        return {};
    }
    constexpr claim<Resource, managed_t, detail::kept_off<Off...>, detail::guarded<Guarded...>>
    operator=(managed_t) const noexcept {  // NOLINT: makes a line of a table
        return {};
    }
    constexpr claim<Resource, unmanaged_t, detail::kept_off<Off...>, detail::guarded<Guarded...>>
    operator=(unmanaged_t) const noexcept {  // NOLINT: makes a line of a table
        return {};
    }
};

/// The objects that a driver has devres keep for it (`devm_emplace`).
using driver_data_t = resource<detail::of_library<struct driver_data_tag>>;
inline constexpr driver_data_t driver_data;  ///< as a table names it

namespace detail {

template <class Resource, class Owner, class Claim>
inline constexpr bool claims = false;
template <class Resource, class Owner, class Off, class Guarded>
inline constexpr bool claims<Resource, Owner, claim<Resource, Owner, Off, Guarded>> = true;

template <class Claim>
inline constexpr bool claims_own_managed = false;
template <class Tag, class... Needs, class Off, class Guarded>
inline constexpr bool claims_own_managed<claim<resource<Tag, Needs...>, managed_t, Off, Guarded>> = true;
template <class Tag, class... Needs, class Off, class Guarded>
inline constexpr bool claims_own_managed<claim<resource<of_library<Tag>, Needs...>, managed_t, Off, Guarded>> = false;

template <class Resource, class Claim, class By>
inline constexpr bool keeps_off = false;
template <class Resource, class User, class Owner, class... Off, class Guarded, class By>
inline constexpr bool keeps_off<Resource, claim<User, Owner, kept_off<Off...>, Guarded>, By> =
    (std::is_void_v<By> || std::is_same_v<User, By>) && (std::is_same_v<Resource, Off> || ...);

struct table_maker;

}  // namespace detail

/// Who frees what in a driver. Only `own`, which checks it, makes one.
template <class... Claims>
class ownership_table {
public:
    /// Whether the table has a line for `Resource`.
    template <class Resource>
    static constexpr bool has = (std::is_same_v<Resource, typename Claims::resource_type> || ...);

    /// Whether the table says that `Owner` owns `Resource`.
    template <class Resource, class Owner>
    [[nodiscard]] static consteval bool says() noexcept {
        return (detail::claims<Resource, Owner, Claims> || ...);
    }

    /// Whether the table says of a user of all the rest, `By` or any, that it keeps off `Resource`.
    template <class Resource, class By = void>
    static constexpr bool keeps_off = (detail::keeps_off<Resource, Claims, By> || ...);

    /// Whether devres owns resources that are the driver's own.
    static constexpr bool has_own_managed = (detail::claims_own_managed<Claims> || ...);

private:
    friend detail::table_maker;
    consteval ownership_table() noexcept = default;
};

namespace detail {

struct table_maker {
    template <class Table>
    static consteval Table make() noexcept {
        return Table();
    }
};

template <class Resource, class... Claims>
inline constexpr unsigned claims_of = (0U + ... + unsigned{std::is_same_v<Resource, typename Claims::resource_type>});

template <class... Claims>
inline constexpr bool claimed_once = ((claims_of<typename Claims::resource_type, Claims...> == 1) && ...);

template <class Table, class Tag, class... Needs>
consteval bool built_on_unmanaged(resource<Tag, Needs...>) noexcept {
    return ((Table::template says<Needs, unmanaged_t>() || built_on_unmanaged<Table>(Needs{})) || ...);
}

template <class Table, class Claim>
inline constexpr bool built_on_managed = true;
template <class Table, class Resource, class Off, class Guarded>
inline constexpr bool built_on_managed<Table, claim<Resource, managed_t, Off, Guarded>> = !built_on_unmanaged<Table>(
    Resource{});

/// A resource whose users use everything, unless the table says otherwise.
template <class Resource>
concept touches_all = requires { Resource::touches_all; };

template <class Resource, class... Others>
inline constexpr bool among = (std::is_same_v<Resource, Others> || ...);

/// Whether what `User` claims may meet what `Other` claims: unless that is the driver's, is `User` itself or is named.
template <class User, class Other>
inline constexpr bool may_meet = true;
template <touches_all Resource, class... Off, class... Guarded, class Other, class... More>
inline constexpr bool may_meet<claim<Resource, managed_t, kept_off<Off...>, guarded<Guarded...>>,
                               claim<Other, unmanaged_t, More...>> = among<Other, Resource, Off..., Guarded...>;

template <class User, class... Claims>
inline constexpr bool may_meet_all = (may_meet<User, Claims> && ...);

}  // namespace detail

/// The claims of a driver's table, each of one resource.
template <class... Claims>
concept no_claim_twice =
    rule<detail::claimed_once<Claims...>, text{"devres[D008] a resource is claimed twice: keep one of the lines"}>;
template <class... Claims>
concept managed_on_managed = rule<
    (detail::built_on_managed<ownership_table<Claims...>, Claims> && ...),
    text{"devres[D002] a managed resource is built on one that the table does not make managed: devres frees it after "
         "remove(), when what the driver frees is gone"}>;
template <class... Claims>
concept handlers_apart = rule<
    (detail::may_meet_all<Claims, Claims...> && ...),
    text{
        "devres[D002] a managed handler can still run when what the driver frees is gone: say of each unmanaged line that "
        "it keeps off it, irq_handler.without(...), or that the driver sees to it, .guarding(...)"}>;

/// A driver's ownership table: who frees what, said once and checked against every call that the driver makes.
/// A table that claims a resource twice (D008), or says that devres owns something that is built on or may use
/// what the driver frees earlier (D002), does not compile.
///
/// Example:
/// @code
/// static constexpr auto ownership = devres::own(
///     devres::driver_data                           = devres::managed,
///     devres::pci::enable                           = devres::managed,
///     devres::pci::irq_vectors                      = devres::managed,
///     devres::pci::irq_handler.without(minor_number) = devres::managed,
///     minor_number                                  = devres::unmanaged);
/// @endcode
template <class... Claims>
    requires no_claim_twice<Claims...> && managed_on_managed<Claims...> && handlers_apart<Claims...>
[[nodiscard]] consteval ownership_table<Claims...> own(Claims...) noexcept {
    return detail::table_maker::make<ownership_table<Claims...>>();
}

namespace detail {

template <class Driver>
using table_of = std::remove_cvref_t<decltype(Driver::ownership)>;

template <class Driver, class Resource, class Owner>
consteval bool table_allows() noexcept {
    if constexpr (requires { Driver::ownership; })
        return table_of<Driver>::template says<Resource, Owner>();
    else
        return true;
}

/// Whether an action must say which resource it is for: the table makes some of the driver's own managed.
template <class Driver>
inline constexpr bool actions_are_named = false;
template <class Driver>
    requires requires { Driver::ownership; }
inline constexpr bool actions_are_named<Driver> = table_of<Driver>::has_own_managed;

template <class Device>
struct driver_of {
    using type = void;
};
template <class Device>
    requires requires { typename Device::driver_type; }
struct driver_of<Device> {
    using type = typename Device::driver_type;
};

}  // namespace detail

/// True if the driver has no ownership table, or one that says that `Owner` owns `Resource`.
template <class Driver, class Resource, class Owner>
concept owned_by = detail::table_allows<Driver, Resource, Owner>();

}  // namespace devres
