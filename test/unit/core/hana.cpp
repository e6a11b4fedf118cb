// SPDX-License-Identifier: BSL-1.0
#include <devres/hana.hpp>

#include <boost/hana/at_key.hpp>
#include <boost/hana/contains.hpp>
#include <boost/hana/keys.hpp>
#include <boost/hana/length.hpp>
#include <type_traits>
#include <utility>

#include <devres/pci/resources.hpp>

#include "support/catch.hpp"

namespace hana = boost::hana;
using namespace devres;

namespace {

template <class... Claims>
struct lines {
    template <class Claim>
    using with = lines<Claims..., Claim>;
    using table = ownership_table<Claims...>;
};

/// One resource of a generated table: absent, managed or unmanaged by the last digit of Number to the base of 3.
template <unsigned Number, class Lines, class... Resources>
struct generated {
    using type = Lines;
};
template <unsigned Number, class Lines, class Resource, class... More>
struct generated<Number, Lines, Resource, More...> {
    using owner = std::conditional_t<Number % 3 == 1, managed_t, unmanaged_t>;
    using next = std::conditional_t<Number % 3 == 0, Lines, typename Lines::template with<claim<Resource, owner>>>;
    using type = typename generated<Number / 3, next, More...>::type;
};

template <class Table, class Resource>
constexpr bool agrees_on() {
    using map = decltype(hana_map(std::declval<const Table&>()));
    constexpr bool has = decltype(hana::contains(std::declval<map>(), hana::type_c<Resource>))::value;
    if constexpr (has) {
        using owner = std::remove_cvref_t<decltype(std::declval<map>()[hana::type_c<Resource>])>;
        return Table::template has<Resource> && Table::template says<Resource, owner>() &&
               Table::template says<Resource, managed_t>() != Table::template says<Resource, unmanaged_t>();
    } else {
        return !Table::template has<Resource> && !Table::template says<Resource, managed_t>() &&
               !Table::template says<Resource, unmanaged_t>();
    }
}

template <unsigned Number, class... Resources>
constexpr bool agrees() {
    using table = typename generated<Number, lines<>, Resources...>::type::table;
    return (agrees_on<table, Resources>() && ...);
}

template <unsigned... Numbers>
constexpr bool all_agree(std::integer_sequence<unsigned, Numbers...>) {
    return (agrees<Numbers, driver_data_t, pci::enable_t, pci::irq_vectors_t, pci::irq_handler_t>() && ...);
}

}  // namespace

TEST_CASE("every table of four resources answers as Hana's map of it does") {
    STATIC_REQUIRE(all_agree(std::make_integer_sequence<unsigned, 3 * 3 * 3 * 3>{}));
}

TEST_CASE("a table's map has its lines, and the owners that the table says") {
    static constexpr auto table = own(driver_data = managed, pci::enable = unmanaged);
    constexpr auto map = hana_map(table);
    STATIC_REQUIRE(decltype(hana::length(map))::value == 2);
    STATIC_REQUIRE(std::is_same_v<std::remove_cvref_t<decltype(map[hana::type_c<pci::enable_t>])>, unmanaged_t>);
    STATIC_REQUIRE(!decltype(hana::contains(map, hana::type_c<pci::bar_t<0>>))::value);
}

TEST_CASE("an event is a Hana struct of its members in their order") {
    STATIC_REQUIRE(hana::Struct<resource_event>::value);
    STATIC_REQUIRE(decltype(hana::length(hana::keys(std::declval<resource_event>())))::value == 5);
}
