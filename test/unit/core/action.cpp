// SPDX-License-Identifier: BSL-1.0
#include <devres/core/action.hpp>

#include <string>

#include <devres/core/group.hpp>
#include <devres/core/managed_ref.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

constexpr resource<struct clock_tag> clock_gate;
constexpr resource<struct minor_number_tag> minor_number;

/// A device of a driver that says who owns what.
template <class Driver>
struct device_of : test::core_device {
    using driver_type = Driver;
};
struct owns_a_clock {
    static constexpr auto ownership = own(clock_gate = managed, minor_number = unmanaged);
};
struct owns_nothing_of_its_own {
    static constexpr auto ownership = own(driver_data = managed, minor_number = unmanaged);
};

template <class Device, auto Resource>
constexpr bool can_add_for = requires(Device& dev, void (*function)(void*)) {
    devm_add_action<Resource>(dev, function, nullptr);
    devm_add_action_or_reset<Resource>(dev, function, nullptr);
};
template <class Device>
constexpr bool can_add = requires(Device& dev, void (*function)(void*)) { devm_add_action(dev, function, nullptr); };

struct fixture {
    test::release_log log;
    test::core_device dev;

    action add(char name) { return devm_add_action(dev, &test::release_log::write, log.argument(name)).value(); }
    result<> remove(char name) { return devm_remove_action(dev, &test::release_log::write, log.argument(name)); }
    result<> release(char name) { return devm_release_action(dev, &test::release_log::write, log.argument(name)); }
};

}  // namespace

TEST_CASE_METHOD(fixture, "A01: a removed action never runs, a released one runs at once, the rest at unbind") {
    add('x');
    log.add(dev.resources(), 'r');
    add('y');
    CHECK(remove('x'));
    CHECK(release('y'));
    CHECK(log.released == "y");
    dev.resources().release_all();
    CHECK(log.released == "yr");
}

TEST_CASE_METHOD(fixture, "A02: an action that is unknown cannot be removed or released, and does not run") {
    add('x');
    CHECK(remove('y').error() == errc::enoent);
    CHECK(release('y').error() == errc::enoent);
    CHECK(remove('x'));
    CHECK(remove('x').error() == errc::enoent);
    CHECK(release('x').error() == errc::enoent);
    CHECK(log.released.empty());
}

TEST_CASE_METHOD(fixture, "A03: the same action added twice and removed once runs once") {
    add('x');
    add('x');
    CHECK(remove('x'));
    dev.resources().release_all();
    CHECK(log.released == "x");
}

TEST_CASE_METHOD(fixture, "actions run in their places among the other managed resources, newest first") {
    add('a');
    log.add(dev.resources(), 'b');
    add('c');
    dev.resources().release_all();
    CHECK(log.released == "cba");
}

TEST_CASE_METHOD(fixture, "an action can be removed or released by the name it was given") {
    const action first = add('x');
    const action second = add('x');
    add('y');
    CHECK(devm_release_action(dev, first));
    CHECK(log.released == "x");
    CHECK(devm_remove_action(dev, second));
    dev.resources().release_all();
    CHECK(log.released == "xy");
}

TEST_CASE_METHOD(fixture, "removing and releasing by function and argument take the newest") {
    const action older = add('x');
    add('x');
    CHECK(remove('x'));
    CHECK(devm_release_action(dev, older));
    CHECK(log.released == "x");
    CHECK(dev.resources().empty());
}

TEST_CASE_METHOD(fixture, "an action without a function is refused") {
    CHECK(devm_add_action(dev, nullptr, &log).error() == errc::einval);
    CHECK(devm_add_action_or_reset(dev, nullptr, &log).error() == errc::einval);
    CHECK(dev.resources().empty());
}

TEST_CASE_METHOD(fixture, "an action that cannot be recorded is not called") {
    dev.memory.allowance = 0;
    while (devm_add_action(dev, [](void*) {}, nullptr))
        continue;
    CHECK(devm_add_action(dev, &test::release_log::write, log.argument('x')).error() == errc::enomem);
    CHECK(log.released.empty());
}

TEST_CASE_METHOD(fixture, "an action that cannot be recorded is called at once where it undoes something") {
    const auto undo = [&] { return devm_add_action_or_reset(dev, &test::release_log::write, log.argument('x')); };
    CHECK(undo());
    CHECK(log.released.empty());
    dev.memory.allowance = 0;
    while (devm_add_action(dev, [](void*) {}, nullptr))
        continue;
    CHECK(undo().error() == errc::enomem);
    CHECK(log.released == "x");
    dev.resources().release_all();
    CHECK(log.released == "xx");
}

TEST_CASE_METHOD(fixture, "actions belong to the group that is open when they are added") {
    add('a');
    group g{dev};
    add('b');
    g.keep();
    add('c');
    CHECK(g.release() == 1);
    CHECK(log.released == "b");
    dev.resources().release_all();
    CHECK(log.released == "bca");
}

TEST_CASE_METHOD(fixture, "the first actions take no memory, and each of a thousand at most 40 bytes") {
    dev.memory.allowance = 0;
    for (std::size_t i = 0; i != list::inline_records; ++i)
        add('x');
    CHECK(dev.memory.allocations == 0);
    dev.memory.allowance = test::counting_memory::unlimited;
    for (std::size_t i = list::inline_records; i != 1000; ++i)
        add('x');
    CHECK(dev.memory.bytes <= 40 * 1000);
}

TEST_CASE_METHOD(fixture, "actions and destructors of objects are called together, newest first, after the handlers") {
    struct noisy {
        std::string* released;
        ~noisy() { *released += 'o'; }
    };
    add('a');
    REQUIRE(devm_emplace<noisy>(dev, &log.released));
    log.add(dev.resources(), 'm', release_step::matter);
    log.add(dev.resources(), 'h', release_step::handlers);
    add('b');
    dev.resources().release_all();
    CHECK(log.released == "hboam");
}

TEST_CASE_METHOD(fixture,
                 "a name of an action that has run, or was removed, is an error, also when its place is used again") {
    const action gone = add('x');
    CHECK(devm_release_action(dev, gone));
    const action newer = add('y');  // where the first was
    CHECK(devm_release_action(dev, gone).error() == errc::enoent);
    CHECK(devm_remove_action(dev, gone).error() == errc::enoent);
    CHECK(devm_remove_action(dev, newer));
    CHECK(devm_remove_action(dev, newer).error() == errc::enoent);
    add('z');
    CHECK(devm_release_action(dev, newer).error() == errc::enoent);
    CHECK(log.released == "x");
    dev.resources().release_all();
    CHECK(log.released == "xz");
}

TEST_CASE_METHOD(fixture, "a name of nothing, or of another device's action, is an error") {
    test::core_device other;
    CHECK(devm_release_action(dev, action()).error() == errc::enoent);
    CHECK(devm_remove_action(dev, action()).error() == errc::enoent);
    const action foreign = devm_add_action(other, &test::release_log::write, log.argument('x')).value();
    add('y');
    CHECK(devm_release_action(dev, foreign).error() == errc::einval);
    CHECK(devm_remove_action(dev, foreign).error() == errc::einval);
    CHECK(log.released.empty());
    CHECK(devm_release_action(other, foreign));
    CHECK(log.released == "x");
}

TEST_CASE("inside a handler no action can be added, released or removed") {
    test::release_log log;
    test::handled_device dev;
    const action there = devm_add_action(dev, &test::release_log::write, log.argument('x')).value();
    dev.inside = true;
    CHECK(devm_add_action(dev, &test::release_log::write, log.argument('y')).error() == errc::edeadlk);
    CHECK(devm_release_action(dev, there).error() == errc::edeadlk);
    CHECK(devm_release_action(dev, &test::release_log::write, log.argument('x')).error() == errc::edeadlk);
    CHECK(log.released.empty());
    CHECK(devm_add_action_or_reset(dev, &test::release_log::write, log.argument('z')).error() == errc::edeadlk);
    CHECK(log.released == "z");
    CHECK(devm_remove_action(dev, there).error() == errc::edeadlk);
    CHECK(devm_remove_action(dev, &test::release_log::write, log.argument('x')).error() == errc::edeadlk);
    dev.inside = false;
    CHECK(devm_remove_action(dev, there));
    CHECK(dev.resources().empty());
}

TEST_CASE("D004: where the table makes resources of the driver's own managed, an action says which it is for") {
    STATIC_REQUIRE(can_add_for<device_of<owns_a_clock>, clock_gate>);
    STATIC_REQUIRE(!can_add_for<device_of<owns_a_clock>, minor_number>);
    STATIC_REQUIRE(!can_add<device_of<owns_a_clock>>);
    STATIC_REQUIRE(can_add<device_of<owns_nothing_of_its_own>>);
    STATIC_REQUIRE(!can_add_for<device_of<owns_nothing_of_its_own>, clock_gate>);
    STATIC_REQUIRE(!can_add_for<device_of<owns_nothing_of_its_own>, minor_number>);
    STATIC_REQUIRE(can_add<test::core_device>);
    STATIC_REQUIRE(can_add_for<test::core_device, clock_gate>);
}

TEST_CASE("an action that says what it is for is an action as any other") {
    test::release_log log;
    device_of<owns_a_clock> dev;
    const action named = devm_add_action<clock_gate>(dev, &test::release_log::write, log.argument('a')).value();
    REQUIRE(devm_add_action_or_reset<clock_gate>(dev, &test::release_log::write, log.argument('b')));
    CHECK(devm_release_action(dev, named));
    CHECK(devm_remove_action(dev, &test::release_log::write, log.argument('b')));
    CHECK(log.released == "a");
}
