// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/driver.hpp>

#include <devres/pci/platform_archetype.hpp>
#include <devres/pci/resources.hpp>

#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;

namespace {

struct good {
    static result<> probe(auto&, const device_id&) { return {}; }
};
struct good_with_state {
    static result<managed_ref<int>> probe(device<platform_archetype, good_with_state>&, const device_id&);
};
struct without_probe {};
struct without_id {
    static result<> probe(auto&) { return {}; }
};
struct not_static {
    result<> probe(auto&, const device_id&) { return {}; }
};
struct another_result {
    static bool probe(auto&, const device_id&) { return true; }
};
struct unmanaged_state {
    static result<int> probe(auto&, const device_id&) { return 0; }
};
class hidden_table {
public:
    static result<> probe(auto&, const device_id&) { return {}; }

private:
    static constexpr auto ownership = own(enable = managed);
};
class hidden_ids {
public:
    static result<> probe(auto&, const device_id&) { return {}; }

private:
    static constexpr device_id ids[] = {{.vendor = 1}};
};
template <class... Removed>
struct removing {
    static result<managed_ref<int>> probe(device<platform_archetype, removing>&, const device_id&);
    static void remove(Removed&...) {}
};
struct final_driver final {
    static result<> probe(auto&, const device_id&) { return {}; }
    static void remove() {}
};
struct without_ids {};
struct with_ids {
    static constexpr device_id ids[] = {{.vendor = 1}, {.vendor = 2, .device = 3}};
};

}  // namespace

TEST_CASE("D007: a driver has a static probe that takes a device and an id, and returns a result") {
    STATIC_REQUIRE(driver_on<good, platform_archetype>);
    STATIC_REQUIRE(driver_on<good_with_state, platform_archetype>);
    STATIC_REQUIRE(!driver_on<without_probe, platform_archetype>);
    STATIC_REQUIRE(!driver_on<without_id, platform_archetype>);
    STATIC_REQUIRE(!driver_on<not_static, platform_archetype>);
    STATIC_REQUIRE(!driver_on<another_result, platform_archetype>);
    STATIC_REQUIRE(!driver_on<unmanaged_state, platform_archetype>);
}

TEST_CASE("D007: what a driver says must not go unread: a private table, private ids, a hook with another argument") {
    STATIC_REQUIRE(!driver_on<hidden_table, platform_archetype>);
    STATIC_REQUIRE(!driver_on<hidden_ids, platform_archetype>);
    STATIC_REQUIRE(driver_on<removing<int>, platform_archetype>);
    STATIC_REQUIRE(!driver_on<removing<>, platform_archetype>);
    STATIC_REQUIRE(!driver_on<removing<long>, platform_archetype>);
    STATIC_REQUIRE(!driver_on<removing<int, int>, platform_archetype>);
    STATIC_REQUIRE(driver_on<final_driver, platform_archetype>);
}

TEST_CASE("a driver without ids is for any function, whose own id it is given") {
    constexpr device_id function{.vendor = 7, .device = 8};
    CHECK(match<without_ids>(function) == &function);
}

TEST_CASE("a driver's ids are looked at in their order") {
    CHECK(match<with_ids>({.vendor = 1, .device = 9}) == &with_ids::ids[0]);
    CHECK(match<with_ids>({.vendor = 2, .device = 3}) == &with_ids::ids[1]);
    CHECK(match<with_ids>({.vendor = 2, .device = 4}) == nullptr);
}
