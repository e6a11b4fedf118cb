// SPDX-License-Identifier: BSL-1.0
#include <devres/core/action.hpp>

#include <string>

#include <devres/core/group.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

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
    devm_release_action(dev, first);
    CHECK(log.released == "x");
    devm_remove_action(dev, second);
    dev.resources().release_all();
    CHECK(log.released == "xy");
}

TEST_CASE_METHOD(fixture, "removing and releasing by function and argument take the newest") {
    const action older = add('x');
    add('x');
    CHECK(remove('x'));
    devm_release_action(dev, older);
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
    g.release();
    CHECK(log.released == "b");
    dev.resources().release_all();
    CHECK(log.released == "bca");
}

TEST_CASE_METHOD(fixture, "sixteen actions take no memory, and each of a thousand at most 32 bytes") {
    dev.memory.allowance = 0;
    for (int i = 0; i != 16; ++i)
        add('x');
    CHECK(dev.memory.allocations == 0);
    dev.memory.allowance = test::counting_memory::unlimited;
    for (int i = 16; i != 1000; ++i)
        add('x');
    CHECK(dev.memory.bytes <= 32 * 1000);
}
