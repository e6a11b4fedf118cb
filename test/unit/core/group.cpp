// SPDX-License-Identifier: BSL-1.0
#include <devres/core/group.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <devres/core/managed_ref.hpp>
#include <devres/core/revocable.hpp>
#include <devres/core/start.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

using namespace devres;
using test::release_log;

static_assert(!std::is_copy_constructible_v<group> && !std::is_copy_assignable_v<group>);
static_assert(std::is_nothrow_move_constructible_v<group> && std::is_nothrow_move_assignable_v<group>);
static_assert(!std::is_convertible_v<list&, group>, "a group is opened explicitly");
static_assert(std::is_constructible_v<group, list&> && std::is_constructible_v<group, test::core_device&>);
static_assert(!std::is_constructible_v<group, int&>, "only what has a release list has groups");

namespace {

void call(void* argument) { (*static_cast<std::function<void()>*>(argument))(); }

/// A release list, and records that write their names.
struct fixture {
    test::counting_memory memory;
    release_log log;
    list resources{hooks_of(memory)};

    void add(const char* names) {
        for (; *names != 0; ++names)
            log.add(resources, *names);
    }
    void add(std::function<void()>& action) { REQUIRE(resources.add(&call, &action)); }
    /// What has been released since the last question.
    std::string released() { return std::exchange(log.released, {}); }
    std::string released_by_all() {
        resources.release_all();
        return released();
    }
};

}  // namespace

// The scenarios of the kernel's own behaviour that have a spelling here; the ones that are missing (G08 to G12, G15)
// are misuses that do not compile.

TEST_CASE_METHOD(fixture, "G01: releasing a closed group releases what was acquired in it, newest first") {
    add("a");
    group g{resources};
    add("bc");
    g.keep();
    add("d");
    CHECK(g.release() == 2);
    CHECK(released() == "cb");
    CHECK(!g);
    CHECK(released_by_all() == "da");
}

TEST_CASE_METHOD(fixture, "G02: releasing an open group releases everything since it was opened") {
    add("a");
    group g{resources};
    add("bc");
    CHECK(g.release() == 2);
    CHECK(released() == "cb");
    CHECK(released_by_all() == "a");
}

TEST_CASE_METHOD(fixture, "G03: releasing a group releases the groups inside it, which end") {
    group outer{resources};
    add("a");
    group inner{resources};
    add("b");
    inner.keep();
    add("c");
    outer.keep();
    CHECK(outer.release() == 3);
    CHECK(released() == "cba");
    CHECK(!outer);
    CHECK(!inner);
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "G04: an open group that begins inside a released one ends, what came after stays") {
    group outer{resources};
    add("a");
    group inner{resources};
    add("b");
    outer.keep();
    add("c");
    CHECK(outer.release() == 2);
    CHECK(released() == "ba");
    CHECK(!inner);
    CHECK(inner.release() == 0);
    CHECK(released_by_all() == "c");
}

TEST_CASE_METHOD(fixture, "G05: groups close in any order") {
    group outer{resources};
    add("a");
    group inner{resources};
    add("b");
    inner.keep();
    outer.keep();
    add("c");
    CHECK(inner.release() == 1);
    CHECK(released() == "b");
    CHECK(outer.release() == 1);
    CHECK(released() == "a");
    CHECK(released_by_all() == "c");
}

TEST_CASE_METHOD(fixture, "G06: releasing a group that overlaps another leaves the other with the rest") {
    group first{resources};
    add("a");
    group second{resources};
    add("b");
    first.keep();
    add("c");
    second.keep();
    SECTION("the older one first") {
        CHECK(first.release() == 2);
        CHECK(released() == "ba");
        CHECK(!first);
        CHECK(second);
        CHECK(second.release() == 1);
        CHECK(released() == "c");
    }
    SECTION("the newer one first") {
        CHECK(second.release() == 2);
        CHECK(released() == "cb");
        CHECK(first);
        CHECK(first.release() == 1);
        CHECK(released() == "a");
    }
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "G07: a dissolved group releases nothing, and its resources stay where they are") {
    add("a");
    group g{resources};
    add("b");
    SECTION("while it is open") { g.dissolve(); }
    SECTION("after it was kept") {
        g.keep();
        g.dissolve();
    }
    CHECK(!g);
    CHECK(g.release() == 0);
    CHECK(released().empty());
    add("c");
    CHECK(released_by_all() == "cba");
}

TEST_CASE_METHOD(fixture, "G13: each guard releases its own group, whichever was opened first") {
    group older{resources};
    add("a");
    older.keep();
    group newer{resources};
    add("b");
    newer.keep();
    CHECK(older.release() == 1);
    CHECK(released() == "a");
    CHECK(newer.release() == 1);
    CHECK(released() == "b");
}

TEST_CASE_METHOD(fixture, "G14: releasing everything releases through open groups and ends them") {
    add("a");
    group open{resources};
    add("b");
    group kept{resources};
    add("c");
    kept.keep();
    add("d");
    CHECK(resources.release_all() == 4);
    CHECK(released() == "dcba");
    CHECK(!open);
    CHECK(!kept);
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "G16: an empty group releases nothing") {
    add("a");
    group g{resources};
    CHECK(g);
    SECTION("while it is open") {}
    SECTION("after it was kept") { g.keep(); }
    CHECK(g.release() == 0);
    CHECK(!g);
    CHECK(released_by_all() == "a");
}

TEST_CASE_METHOD(fixture, "a group that is neither kept nor dissolved is released when its guard dies") {
    add("a");
    {
        const group g{resources};
        add("b");
    }
    CHECK(released() == "b");
    CHECK(released_by_all() == "a");
}

TEST_CASE_METHOD(fixture, "a kept group leaves its resources to the device when its guard dies") {
    {
        group g{resources};
        add("a");
        g.keep();
        g.keep();  // again changes nothing
        add("b");
    }
    CHECK(released().empty());
    CHECK(released_by_all() == "ba");
}

TEST_CASE_METHOD(fixture, "what is acquired after keep is not in the group") {
    group g{resources};
    g.keep();
    add("a");
    g.keep();
    CHECK(g.release() == 0);
    CHECK(released_by_all() == "a");
}

TEST_CASE_METHOD(fixture, "a group that has ended does nothing") {
    group g{resources};
    add("a");
    CHECK(g.release());
    released();
    g.keep();
    g.dissolve();
    CHECK(g.release() == 0);
    add("b");
    CHECK(g.release() == 0);
    CHECK(released_by_all() == "b");
}

TEST_CASE_METHOD(fixture, "a guard without a group does nothing until it is given one") {
    group g;
    CHECK(!g);
    CHECK(g.release() == 0);
    g.keep();
    g.dissolve();
    add("a");
    g = group{resources};
    add("b");
    CHECK(g);
    CHECK(g.release() == 1);
    CHECK(released() == "b");
}

TEST_CASE_METHOD(fixture, "a group can be opened, released and opened again") {
    group g{resources};
    for (int round = 0; round != 100; ++round) {
        add("ab");
        CHECK(g.release() == 2);
        CHECK(released() == "ba");
        g = group{resources};
    }
    CHECK(g);
}

TEST_CASE_METHOD(fixture, "a moved group is the same group in another place") {
    add("a");
    group g{resources};
    add("b");
    SECTION("while it is open") {
        group moved = std::move(g);
        CHECK(moved);
        add("c");
        CHECK(moved.release() == 2);
        CHECK(released() == "cb");
    }
    SECTION("after it was kept") {
        g.keep();
        group moved = std::move(g);
        add("c");
        CHECK(moved.release() == 1);
        CHECK(released() == "b");
    }
    SECTION("a moved guard that dies releases, the one moved from does not") {
        { const group moved = std::move(g); }
        CHECK(released() == "b");
    }
    CHECK(!g);  // NOLINT: what moved-from is, is the question
    CHECK(g.release() == 0);
    resources.release_all();
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "assigning to a group ends the one it had first") {
    group g{resources};
    add("a");
    group other{resources};
    add("b");
    SECTION("an open one is released") {
        g = std::move(other);
        CHECK(released() == "ba");  // other began inside g, and ended with it
        CHECK(!g);
    }
    SECTION("a kept one is left to the device") {
        g.keep();
        g = std::move(other);
        CHECK(released().empty());
        CHECK(g);
        CHECK(g.release() == 1);
        CHECK(released() == "b");
        CHECK(released_by_all() == "a");
    }
}

TEST_CASE_METHOD(fixture, "groups can be kept in a container that moves them") {
    std::vector<group> groups;
    for (int i = 0; i != 50; ++i) {
        groups.emplace_back(resources);
        log.add(resources, static_cast<char>('A' + i));
        groups.back().keep();
    }
    CHECK(groups[7].release() == 1);
    CHECK(released() == "H");
    groups.erase(groups.begin() + 10, groups.begin() + 20);
    CHECK(groups[10].release() == 1);
    CHECK(released() == std::string(1, 'A' + 20));
    groups.clear();
    CHECK(resources.release_all() == 48);
}

TEST_CASE_METHOD(fixture, "nested groups roll back one by one as their guards die") {
    const group outer{resources};
    add("a");
    {
        const group inner{resources};
        add("b");
        {
            group innermost{resources};
            add("c");
            innermost.keep();
        }
        CHECK(released().empty());
    }
    CHECK(released() == "cb");
    CHECK(outer);
}

TEST_CASE_METHOD(fixture, "a group may live on after its list has died") {
    std::optional<group> g;
    {
        list dying;
        g.emplace(dying);
        log.add(dying, 'a');
    }
    CHECK(released() == "a");
    CHECK(!*g);
    CHECK(g->release() == 0);
    g->keep();
}

TEST_CASE_METHOD(fixture, "records of a group can be removed and released one by one") {
    group g{resources};
    const list::handle a = log.add(resources, 'a');
    const list::handle b = log.add(resources, 'b');
    add("c");
    g.keep();
    CHECK(resources.remove(a));
    CHECK(resources.release(b));
    CHECK(released() == "b");
    CHECK(g.release() == 1);
    CHECK(released() == "c");
}

TEST_CASE_METHOD(fixture, "what a release adds to an open group is in the group") {
    add("a");
    std::function<void()> late = [&] { add("xy"); };
    group g{resources};
    add("b");
    add(late);
    CHECK(g.release() == 4);
    CHECK(released() == "yxb");
    CHECK(released_by_all() == "a");
}

TEST_CASE_METHOD(fixture, "what a release adds to a closed group's device is not in the group") {
    std::function<void()> late = [&] { add("xy"); };
    group g{resources};
    add("b");
    add(late);
    g.keep();
    add("c");
    CHECK(g.release() == 2);
    CHECK(released() == "b");
    CHECK(released_by_all() == "yxc");
}

TEST_CASE_METHOD(fixture, "what a release adds to an open group is in it also behind a group that the release opens") {
    std::optional<group> opened;
    std::function<void()> late = [&] {
        add("x");
        opened.emplace(resources);
        add("y");
        opened->keep();
    };
    group g{resources};
    add("b");
    add(late);
    CHECK(g.release() == 4);
    CHECK(released() == "yxb");
    CHECK(!*opened);
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "a release may open and release a group of its own") {
    std::function<void()> nested = [&] {
        group own{resources};
        add("xy");
        CHECK(own.release() == 2);
    };
    group g{resources};
    add("a");
    add(nested);
    g.keep();
    CHECK(g.release() == 2);
    CHECK(released() == "yxa");
}

TEST_CASE_METHOD(fixture, "a release may release another group") {
    group other{resources};
    add("a");
    other.keep();
    std::function<void()> meddle = [&] { CHECK(other.release()); };
    group g{resources};
    add("b");
    add(meddle);
    g.keep();
    CHECK(g.release() == 2);
    CHECK(released() == "ab");
    CHECK(!other);
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "a release may release the group it is in") {
    group g{resources};
    add("a");
    std::function<void()> again = [&] { CHECK(g.release() == 0); };
    add(again);
    add("b");
    CHECK(g.release());
    CHECK(released() == "ba");
    CHECK(!g);
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "a release may release the whole list while a group is released") {
    add("a");
    group g{resources};
    add("b");
    std::function<void()> all = [&] { resources.release_all(); };
    add(all);
    g.keep();
    add("c");
    CHECK(g.release());
    CHECK(released() == "cba");
    CHECK(!g);
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "a release may dissolve or keep the group it is in") {
    group g{resources};
    add("a");
    std::function<void()> end = [&] { g.keep(); };
    add(end);
    CHECK(g.release());
    CHECK(released() == "a");
    CHECK(!g);
}

TEST_CASE_METHOD(fixture, "a release may end the life of the guard that is releasing it") {
    // A driver's state that holds the group the state is in.
    auto state = std::make_unique<std::optional<group>>();
    std::function<void()> free_state = [&] { state.reset(); };
    state->emplace(resources);
    add("a");
    add(free_state);
    add("b");
    CHECK((*state)->release());
    CHECK(!state);
    CHECK(released() == "ba");
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "errno is kept when a group is released and when its guard dies") {
    CHECK(test::keeps_errno([&] {
        group g{resources};
        add("a");
        CHECK(g.release());
    }));
    CHECK(test::keeps_errno([&] {
        const group g{resources};
        add("b");
    }));
    CHECK(released() == "ab");
}

TEST_CASE("opening, keeping and releasing groups takes no memory") {
    test::counting_memory memory{.allowance = 0};
    release_log log;
    list resources{hooks_of(memory)};
    for (int i = 0; i != 1000; ++i) {
        group outer{resources};
        group inner{resources};
        log.add(resources, 'a');
        inner.keep();
        CHECK(outer.release());
    }
    CHECK(memory.allocations == 0);
    CHECK(log.released.size() == 1000);
}

// Steps.

TEST_CASE_METHOD(fixture, "a group is released from the outside in, as the whole list is") {
    add("a");
    group g{resources};
    const auto add_step = [&](char name, release_step step) { log.add(resources, name, step); };
    add_step('m', release_step::matter);
    add_step('c', release_step::code);
    add_step('h', release_step::handlers);
    add_step('s', release_step::stop);
    add_step('u', release_step::users);
    add_step('M', release_step::matter);
    std::string rest = "a";
    SECTION("while it is open") {}
    SECTION("when it was kept") { g.keep(); }
    SECTION("with more behind it") {
        g.keep();
        add("b");
        add_step('U', release_step::users);
        rest = "Uba";
    }
    CHECK(g.release() == 6);
    CHECK(released() == "ushcMm");
    CHECK(released_by_all() == rest);
}

TEST_CASE_METHOD(fixture, "a group that was kept leaves what is older and what is younger, in every step") {
    const auto add_all = [&](const char* names) {
        log.add(resources, names[0], release_step::users);
        log.add(resources, names[1], release_step::stop);
        log.add(resources, names[2], release_step::handlers);
        log.add(resources, names[3], release_step::code);
        log.add(resources, names[4], release_step::matter);
    };
    add_all("12345");
    group g{resources};
    add_all("ushcm");
    g.keep();
    add_all("67890");
    CHECK(g.release() == 5);
    CHECK(released() == "ushcm");
    CHECK(released_by_all() == "6172839405");
}

TEST_CASE_METHOD(fixture, "what a release adds to an open group of an earlier step goes next") {
    std::function<void()> late = [&] {
        log.add(resources, 's', release_step::stop);
        log.add(resources, 'm', release_step::matter);
    };
    group g{resources};
    add("b");
    add(late);
    log.add(resources, 'n', release_step::matter);
    CHECK(g.release() == 5);
    CHECK(released() == "sbmn");
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "pinned actions of a group go with its matter") {
    group g{resources};
    add("a");
    resources.pin_actions();
    log.add(resources, 'm', release_step::matter);
    add("b");
    g.keep();
    CHECK(g.release() == 3);
    CHECK(released() == "bma");
}

TEST_CASE_METHOD(fixture, "a group that dies while something is released dissolves, and its records go in their turn") {
    std::function<void()> nested = [&] {
        const group own{resources};
        add("x");
        log.add(resources, 'u', release_step::users);
    };
    SECTION("while the list is released") {
        add("a");
        add(nested);
        CHECK(resources.release_all() == 4);
        CHECK(released() == "uxa");
    }
    SECTION("while a group is released, which is open") {
        group g{resources};
        add("a");
        add(nested);
        CHECK(g.release() == 4);
        CHECK(released() == "uxa");
    }
    SECTION("while a group is released, which was kept") {
        group g{resources};
        add("a");
        add(nested);
        g.keep();
        CHECK(g.release() == 2);
        CHECK(released() == "a");
        CHECK(released_by_all() == "ux");
    }
    SECTION("an open group that dies with what is released") {
        auto inner = std::make_unique<group>(resources);
        add("b");
        std::function<void()> end = [&] { inner.reset(); };
        add(end);
        CHECK(resources.release_all() == 2);
        CHECK(released() == "b");
        CHECK(!inner);
    }
    CHECK(resources.empty());
}

// What is built on a group's contents.

namespace {

/// An object that knows whether it is alive, and may be built on others.
struct thing {
    std::string* log;
    char name;

    thing(std::string& to, char called) noexcept : log(&to), name(called) {}
    thing(std::string& to, char called, const auto&...) noexcept : log(&to), name(called) {}
    thing(const thing&) = delete;
    thing& operator=(const thing&) = delete;
    ~thing() { *log += name; }

    void start() noexcept { *log += '+'; }
    void stop() noexcept { *log += '-'; }
};

struct built_fixture {
    std::string log;
    test::handled_device dev;

    managed_ref<thing> make(char name) { return devm_emplace<thing>(dev, log, name).value(); }
    managed_ref<thing> make(char name, const auto&... parts) {
        return devm_emplace<thing>(dev, log, name, parts...).value();
    }
    std::string logged() { return std::exchange(log, {}); }
};

}  // namespace

TEST_CASE_METHOD(built_fixture, "a group is not released under an object outside that is built on its contents") {
    group g{dev};
    const auto part = make('p');
    g.keep();
    group outside{dev};
    make('w', part);
    outside.keep();
    CHECK(g.release().error() == errc::ebusy);
    CHECK(g);
    CHECK(log.empty());
    CHECK(outside.release() == 1);
    CHECK(g.release() == 1);
    CHECK(logged() == "wp");
    CHECK(!g);
}

TEST_CASE_METHOD(built_fixture,
                 "an object outside that is built on what is built on a group's contents keeps them too") {
    group g{dev};
    const auto part = make('p');
    const auto middle = make('m', part);
    g.keep();
    const auto unrelated = make('u');
    make('w', unrelated, middle);
    CHECK(g.release().error() == errc::ebusy);
    CHECK(log.empty());
    dev.resources().release_all();
    CHECK(logged() == "wump");
}

TEST_CASE_METHOD(built_fixture, "objects in the group that are built on one another go with it") {
    group g{dev};
    const auto part = make('p');
    make('w', part);
    SECTION("while it is open") {}
    SECTION("when it was kept") { g.keep(); }
    CHECK(g.release() == 2);
    CHECK(logged() == "wp");
}

TEST_CASE_METHOD(built_fixture, "starts and accesses outside that are built on a group's contents end before them") {
    group g{dev};
    const auto part = make('p');
    g.keep();
    const auto other = make('o');
    const auto file = devm_revocable(dev, part).value();
    const auto other_file = devm_revocable(dev, other).value();
    REQUIRE(devm_start(dev, part));
    REQUIRE(devm_start(dev, other));
    logged();
    CHECK(g.release() == 3);
    CHECK(logged() == "-p");
    CHECK(!file.try_access());
    CHECK(other_file.try_access());
    dev.resources().release_all();
    CHECK(logged() == "-o");
}

TEST_CASE_METHOD(built_fixture, "a refused release leaves accesses and starts outside as they were") {
    group g{dev};
    const auto part = make('p');
    g.keep();
    const auto file = devm_revocable(dev, part).value();
    REQUIRE(devm_start(dev, part));
    make('w', part);
    logged();
    CHECK(g.release().error() == errc::ebusy);
    CHECK(file.try_access());
    CHECK(log.empty());
    g.dissolve();
    dev.resources().release_all();
    CHECK(logged() == "-wp");
}

TEST_CASE_METHOD(built_fixture, "inside a handler of the device a group is not released, and stays") {
    group g{dev};
    make('a');
    dev.inside = true;
    CHECK(g.release().error() == errc::edeadlk);
    CHECK(g);
    CHECK(log.empty());
    dev.inside = false;
    CHECK(g.release() == 1);
    CHECK(logged() == "a");
}

TEST_CASE_METHOD(built_fixture,
                 "a group that would close an access that this thread has open is not released, and stays") {
    group g{dev};
    const auto part = make('p');
    revocable<thing> file;
    SECTION("an access in the group") { file = devm_revocable(dev, part).value(); }
    SECTION("an access in the group that was kept") {
        file = devm_revocable(dev, part).value();
        g.keep();
    }
    SECTION("an access outside to what the group has") {
        g.keep();
        file = devm_revocable(dev, part).value();
    }
    {
        const auto access = file.try_access();
        REQUIRE(access);
        CHECK(g.release().error() == errc::edeadlk);
        CHECK(g);
        CHECK(log.empty());
        CHECK(file.try_access());
    }
    CHECK(g.release() == 2);
    CHECK(logged() == "p");
    CHECK(!file.try_access());
}

TEST_CASE_METHOD(built_fixture, "an access of this thread to something else does not keep a group") {
    const auto other = make('o');
    const auto file = devm_revocable(dev, other).value();
    const auto access = file.try_access();
    group g{dev};
    const auto part = make('p');
    const auto mine = devm_revocable(dev, part).value();
    CHECK(g.release() == 2);
    CHECK(access);
    CHECK(logged() == "p");
}

TEST_CASE_METHOD(built_fixture, "objects that a group releases are announced before the first is destroyed") {
    unsigned waits = 0;
    dev.waiting = [&] {
        ++waits;
        CHECK(log == "-");  // stopped, and not destroyed
    };
    group g{dev};
    const auto part = make('p');
    make('q');
    REQUIRE(devm_start(dev, part));
    logged();
    CHECK(g.release() == 3);
    CHECK(waits == 1);
    CHECK(logged() == "-qp");
}

TEST_CASE_METHOD(built_fixture, "a group without objects waits for no handler") {
    dev.waiting = [&] { FAIL("nothing can be in use"); };
    group g{dev};
    REQUIRE(dev.resources().add([](void*) {}, nullptr));
    CHECK(g.release() == 1);
}

TEST_CASE_METHOD(built_fixture, "a group whose death would wait for this thread stops the program, and says why") {
    using Catch::Matchers::ContainsSubstring;
    CHECK_THAT(test::last_words([&] {
                   const group g{dev};
                   make('a');
                   dev.inside = true;
               }),
               ContainsSubstring("devres: a group dies that cannot be released here"));
    CHECK_THAT(test::last_words([&] {
                   std::optional<revocable<thing>::access> open;
                   const group g{dev};
                   open = devm_revocable(dev, make('a')).value().try_access();
               }),
               ContainsSubstring("devres: a group dies that cannot be released here"));
}

TEST_CASE_METHOD(built_fixture,
                 "groups and objects in any number of layers end in the order of what is built on what") {
    group outer{dev};
    const auto a = make('a');
    group inner{dev};
    make('b', a);
    inner.keep();
    const auto c = make('c', a);
    CHECK(inner.release() == 1);
    CHECK(logged() == "b");
    make('d', c, a);
    CHECK(outer.release() == 3);
    CHECK(logged() == "dca");
}

namespace {

/// Stops its part by itself only when it is told to, and releases another group when it is stopped.
struct meddler {
    thing inner;
    group* other;
    result<std::size_t> outcome;

    meddler(std::string& log, group& to_release) noexcept : inner(log, 'i'), other(&to_release) {}
    void start() noexcept {}
    void stop() noexcept { outcome = other->release(); }
};

}  // namespace

TEST_CASE_METHOD(built_fixture,
                 "a release inside a release, refused or not, leaves what the outer one has still to end to it") {
    group other{dev};
    const auto part = make('p');
    other.keep();
    group g{dev};
    const auto whole = devm_emplace<meddler>(dev, log, other).value();
    g.keep();
    REQUIRE(devm_start(dev, whole.member(&meddler::inner)));
    REQUIRE(devm_start(dev, whole));
    SECTION("refused") {
        make('w', part);
        logged();
        CHECK(g.release() == 3);
        CHECK(logged() == "-i");
        CHECK(other);
    }
    SECTION("not refused") {
        logged();
        CHECK(g.release());
        CHECK(logged() == "-pi");  // which is to go goes with the first of the two
        CHECK(!other);
    }
    const std::size_t left = other ? 2 : 0;
    CHECK(dev.resources().release_all() == left);
}

TEST_CASE_METHOD(built_fixture, "what a release starts anew on what is about to go ends with it too") {
    struct restarting {
        test::handled_device* dev;
        const managed_ref<thing>* part;
        void start() noexcept {}
        void stop() noexcept { CHECK(devm_start(*dev, *part)); }
    };
    group g{dev};
    const auto part = make('p');
    const auto data = devm_emplace<restarting>(dev, &dev, &part).value();
    g.keep();
    REQUIRE(devm_start(dev, data));
    logged();
    CHECK(g.release() == 4);
    CHECK(logged() == "+-p");
    CHECK(dev.resources().empty());
}
