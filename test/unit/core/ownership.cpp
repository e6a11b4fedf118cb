// SPDX-License-Identifier: BSL-1.0
#include <devres/core/ownership.hpp>

#include <type_traits>

#include <devres/core/managed_ref.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

constexpr resource<struct clock_tag> clock_gate;
constexpr resource<struct counter_tag, std::remove_const_t<decltype(clock_gate)>> counter;
constexpr resource<struct minor_number_tag> minor_number;
constexpr resource<struct display_tag, std::remove_const_t<decltype(counter)>> display;
using clock_t_ = std::remove_const_t<decltype(clock_gate)>;
using counter_t = std::remove_const_t<decltype(counter)>;
using minor_number_t = std::remove_const_t<decltype(minor_number)>;

template <class... Claims>
constexpr bool can_own(Claims...) {
    return requires { own(Claims{}...); };
}

/// A resource whose managed form is taken to use all that its driver has.
struct timer_t_ : resource<devres::detail::of_library<struct timer_tag>> {
    static constexpr bool touches_all = true;
    using line = apart<timer_t_, devres::detail::kept_off<>, devres::detail::guarded<>>;
    constexpr auto without(auto... off) const noexcept { return line{}.without(off...); }
    constexpr auto guarding(auto... guarded) const noexcept { return line{}.guarding(guarded...); }
    constexpr auto operator=(managed_t owner) const noexcept { return line{} = owner; }
    constexpr auto operator=(unmanaged_t owner) const noexcept { return line{} = owner; }
};
constexpr timer_t_ timer;

constexpr auto table = own(clock_gate = managed, counter = unmanaged);
using table_t = std::remove_const_t<decltype(table)>;

struct claiming {
    static constexpr auto ownership = own(driver_data = managed, minor_number = unmanaged);
};
struct silent {};

/// A device of a driver.
template <class Driver>
struct device_of : test::core_device {
    using driver_type = Driver;
};

template <class Device>
constexpr bool can_emplace = requires(Device& dev) { devm_emplace<int>(dev, 1); };

template <class Device, auto Resource>
constexpr bool can_emplace_for = requires(Device& dev) { devm_emplace<int, Resource>(dev, 1); };

struct claims_other_owner {
    static constexpr auto ownership = own(driver_data = unmanaged);
};
struct claims_something_else {
    static constexpr auto ownership = own(minor_number = managed);
};

}  // namespace

TEST_CASE("a table says who owns what it claims, and nothing of what it does not") {
    STATIC_REQUIRE(table_t::has<clock_t_>);
    STATIC_REQUIRE(table_t::has<counter_t>);
    STATIC_REQUIRE(!table_t::has<minor_number_t>);
    STATIC_REQUIRE(table_t::says<clock_t_, managed_t>());
    STATIC_REQUIRE(!table_t::says<clock_t_, unmanaged_t>());
    STATIC_REQUIRE(table_t::says<counter_t, unmanaged_t>());
    STATIC_REQUIRE(!table_t::says<counter_t, managed_t>());
    STATIC_REQUIRE(!table_t::says<minor_number_t, managed_t>());
    STATIC_REQUIRE(!table_t::says<minor_number_t, unmanaged_t>());
}

TEST_CASE("an empty table owns nothing") {
    constexpr auto nothing = own();
    STATIC_REQUIRE(!decltype(nothing)::has<clock_t_>);
}

TEST_CASE("a table takes no room in a driver") { STATIC_REQUIRE(std::is_empty_v<table_t>); }

TEST_CASE("D008: a resource is claimed once") {
    STATIC_REQUIRE(can_own(clock_gate = managed, counter = managed));
    STATIC_REQUIRE(!can_own(clock_gate = managed, clock_gate = managed));
    STATIC_REQUIRE(!can_own(clock_gate = managed, counter = managed, clock_gate = unmanaged));
    STATIC_REQUIRE(!can_own(timer = managed, timer.without(minor_number) = managed, minor_number = managed));
}

TEST_CASE("D002: what devres owns is not built on what the table makes the driver's") {
    STATIC_REQUIRE(can_own(clock_gate = managed, counter = managed));
    STATIC_REQUIRE(!can_own(clock_gate = unmanaged, counter = managed));
    STATIC_REQUIRE(!can_own(counter = managed, clock_gate = unmanaged));
    STATIC_REQUIRE(can_own(clock_gate = unmanaged, counter = unmanaged));
    STATIC_REQUIRE(can_own(clock_gate = managed, counter = unmanaged));
    STATIC_REQUIRE(can_own(counter = managed));  // what it is built on is the caller's business then
}

TEST_CASE("D002: what devres owns is not built, over any number of steps, on what the table makes the driver's") {
    STATIC_REQUIRE(!can_own(clock_gate = unmanaged, display = managed));
    STATIC_REQUIRE(!can_own(clock_gate = managed, counter = unmanaged, display = managed));
    STATIC_REQUIRE(!can_own(clock_gate = unmanaged, counter = unmanaged, display = managed));
    STATIC_REQUIRE(can_own(clock_gate = managed, display = managed));
    STATIC_REQUIRE(can_own(clock_gate = managed, counter = managed, display = managed));
    STATIC_REQUIRE(can_own(clock_gate = unmanaged, display = unmanaged));
}

TEST_CASE("D002: a managed user of all the rest says of each unmanaged line that it keeps off it, or who guards it") {
    STATIC_REQUIRE(can_own(timer = managed));
    STATIC_REQUIRE(can_own(minor_number = managed, timer = managed));
    STATIC_REQUIRE(!can_own(minor_number = unmanaged, timer = managed));
    STATIC_REQUIRE(!can_own(timer = managed, driver_data = managed, minor_number = unmanaged));
    STATIC_REQUIRE(can_own(minor_number = unmanaged, timer.without(minor_number) = managed));
    STATIC_REQUIRE(can_own(minor_number = unmanaged, timer.guarding(minor_number) = managed));
    STATIC_REQUIRE(!can_own(minor_number = unmanaged, clock_gate = unmanaged, timer.without(minor_number) = managed));
    STATIC_REQUIRE(can_own(minor_number = unmanaged, clock_gate = unmanaged,
                           timer.without(minor_number).guarding(clock_gate) = managed));
    STATIC_REQUIRE(can_own(minor_number = unmanaged, clock_gate = unmanaged,
                           timer.guarding(minor_number).without(clock_gate) = managed));
    STATIC_REQUIRE(
        can_own(minor_number = unmanaged, clock_gate = unmanaged, timer.without(minor_number, clock_gate) = managed));
}

TEST_CASE("what a user says that it keeps off may be managed, or not be claimed at all") {
    STATIC_REQUIRE(can_own(timer.without(minor_number) = managed));
    STATIC_REQUIRE(can_own(minor_number = managed, timer.without(minor_number) = managed));
    using cautious = decltype(own(minor_number = unmanaged, clock_gate = unmanaged,
                                  timer.without(minor_number).guarding(clock_gate) = managed));
    STATIC_REQUIRE(cautious::keeps_off<minor_number_t>);
    STATIC_REQUIRE(!cautious::keeps_off<clock_t_>);
    STATIC_REQUIRE(cautious::says<timer_t_, managed_t>());
}

TEST_CASE("what the driver owns may use anything") {
    STATIC_REQUIRE(can_own(minor_number = unmanaged, timer = unmanaged));
    STATIC_REQUIRE(can_own(timer = unmanaged, clock_gate = unmanaged, driver_data = unmanaged));
    STATIC_REQUIRE(can_own(minor_number = unmanaged, timer.without(minor_number) = unmanaged));
}

TEST_CASE("a table knows whether devres owns what is the driver's own") {
    STATIC_REQUIRE(decltype(own(clock_gate = managed))::has_own_managed);
    STATIC_REQUIRE(!decltype(own(clock_gate = unmanaged))::has_own_managed);
    STATIC_REQUIRE(!decltype(own(driver_data = managed, timer = managed))::has_own_managed);
    STATIC_REQUIRE(decltype(own(driver_data = managed, counter = managed))::has_own_managed);
}

TEST_CASE("a table is made by own alone, which checks it") {
    STATIC_REQUIRE(!std::is_default_constructible_v<table_t>);
    STATIC_REQUIRE(!std::is_default_constructible_v<ownership_table<>>);
}

TEST_CASE("a driver's table decides what it may acquire, without one nothing is checked") {
    STATIC_REQUIRE(owned_by<claiming, driver_data_t, managed_t>);
    STATIC_REQUIRE(!owned_by<claiming, driver_data_t, unmanaged_t>);
    STATIC_REQUIRE(!owned_by<claiming, counter_t, managed_t>);
    STATIC_REQUIRE(owned_by<silent, counter_t, managed_t>);
    STATIC_REQUIRE(owned_by<silent, counter_t, unmanaged_t>);
    STATIC_REQUIRE(owned_by<void, counter_t, managed_t>);
}

TEST_CASE("D004: devm_emplace asks for a table that makes driver_data managed") {
    STATIC_REQUIRE(can_emplace<test::core_device>);
    STATIC_REQUIRE(can_emplace<device_of<claiming>>);
    STATIC_REQUIRE(can_emplace<device_of<silent>>);
    STATIC_REQUIRE(!can_emplace<device_of<claims_other_owner>>);
    STATIC_REQUIRE(!can_emplace<device_of<claims_something_else>>);
}

TEST_CASE("D004: an object that is for a resource of the driver's own says so, and the table makes that managed") {
    STATIC_REQUIRE(can_emplace_for<device_of<claims_something_else>, minor_number>);
    STATIC_REQUIRE(!can_emplace_for<device_of<claims_something_else>, clock_gate>);
    STATIC_REQUIRE(!can_emplace_for<device_of<claiming>, minor_number>);
    STATIC_REQUIRE(can_emplace_for<device_of<silent>, minor_number>);
}
