// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/driver.hpp>

#include <string>
#include <string_view>

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
    static void remove(Removed&...) noexcept {}
};
struct final_driver final {
    static result<> probe(auto&, const device_id&) { return {}; }
    static void remove() noexcept {}
};

// A driver with a state, and one name more.
#define WITH_STATE(name, ...)                                                                                          \
    struct name {                                                                                                      \
        static result<managed_ref<std::string>> probe(device<platform_archetype, name>&, const device_id&);            \
        __VA_ARGS__                                                                                                    \
    }
WITH_STATE(removes_reference, static void remove(std::string&) noexcept {});
WITH_STATE(removes_const_reference, static void remove(const std::string&) noexcept {});
WITH_STATE(removes_managed_ref, static void remove(managed_ref<std::string>) noexcept {});
WITH_STATE(removes_reference_to_managed_ref, static void remove(const managed_ref<std::string>&) noexcept {});
WITH_STATE(removes_anything, static void remove(auto&) noexcept {});
WITH_STATE(removes_copy, static void remove(std::string) noexcept {});
WITH_STATE(removes_view, static void remove(std::string_view) noexcept {});
WITH_STATE(removes_copy_of_anything, template <class T> static void remove(T) noexcept {});
WITH_STATE(suspends_copy, static void suspend(std::string){});
WITH_STATE(resumes_copy, static void resume(std::string) noexcept {});
WITH_STATE(remove_may_throw, static void remove(std::string&){});
WITH_STATE(resume_may_throw, static void resume(std::string&){});
WITH_STATE(suspend_may_throw, static void suspend(std::string&){});
WITH_STATE(remove_of_managed_ref_may_throw, static void remove(managed_ref<std::string>){});
WITH_STATE(has_shutdown, static void shutdown(std::string&) noexcept {});
WITH_STATE(has_error_handlers, static void slot_reset(std::string&) noexcept {});
WITH_STATE(has_runtime_suspend, int runtime_suspend = 0;);
WITH_STATE(slips_on_suspend, static void supend(std::string&) noexcept {});
WITH_STATE(slips_on_remove, static void on_remove(std::string&) noexcept {});
WITH_STATE(slips_on_ids, int id_table = 0;);
WITH_STATE(has_names_of_its_own, static void remover(std::string&) {} void on_irq(); int state;);
#undef WITH_STATE

struct stateless_remove_may_throw {
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
    STATIC_REQUIRE(!driver_on<final_driver, platform_archetype>);  // what is private in it cannot be found
}

TEST_CASE("a hook takes the state that probe makes, by reference or as a managed_ref") {
    STATIC_REQUIRE(driver_on<removes_reference, platform_archetype>);
    STATIC_REQUIRE(driver_on<removes_const_reference, platform_archetype>);
    STATIC_REQUIRE(driver_on<removes_managed_ref, platform_archetype>);
    STATIC_REQUIRE(driver_on<removes_reference_to_managed_ref, platform_archetype>);
    STATIC_REQUIRE(driver_on<removes_anything, platform_archetype>);
}

TEST_CASE("D007: a hook takes no copy of the state") {
    STATIC_REQUIRE(!driver_on<removes_copy, platform_archetype>);
    STATIC_REQUIRE(!driver_on<removes_view, platform_archetype>);
    STATIC_REQUIRE(!driver_on<removes_copy_of_anything, platform_archetype>);
    STATIC_REQUIRE(!driver_on<suspends_copy, platform_archetype>);
    STATIC_REQUIRE(!driver_on<resumes_copy, platform_archetype>);
}

TEST_CASE("D007: remove and resume cannot throw, suspend may") {
    STATIC_REQUIRE(!driver_on<remove_may_throw, platform_archetype>);
    STATIC_REQUIRE(!driver_on<remove_of_managed_ref_may_throw, platform_archetype>);
    STATIC_REQUIRE(!driver_on<stateless_remove_may_throw, platform_archetype>);
    STATIC_REQUIRE(!driver_on<resume_may_throw, platform_archetype>);
    STATIC_REQUIRE(driver_on<suspend_may_throw, platform_archetype>);
}

TEST_CASE("D007: a hook that would never be called is refused: one of Linux's, or a slip of the pen") {
    STATIC_REQUIRE(!driver_on<has_shutdown, platform_archetype>);
    STATIC_REQUIRE(!driver_on<has_error_handlers, platform_archetype>);
    STATIC_REQUIRE(!driver_on<has_runtime_suspend, platform_archetype>);
    STATIC_REQUIRE(!driver_on<slips_on_suspend, platform_archetype>);
    STATIC_REQUIRE(!driver_on<slips_on_remove, platform_archetype>);
    STATIC_REQUIRE(!driver_on<slips_on_ids, platform_archetype>);
    STATIC_REQUIRE(driver_on<has_names_of_its_own, platform_archetype>);
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
