// SPDX-License-Identifier: BSL-1.0
#include <devres/core/group.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using test::release_log;

static_assert(!std::is_copy_constructible_v<group> && !std::is_copy_assignable_v<group>);
static_assert(std::is_nothrow_move_constructible_v<group> && std::is_nothrow_move_assignable_v<group>);
static_assert(!std::is_convertible_v<list&, group>, "a group is opened explicitly");
static_assert(std::is_constructible_v<group, list&> && std::is_constructible_v<group, test::core_device&>);
static_assert(!std::is_constructible_v<group, int&>, "only what has a release list has groups");

namespace {

void call(void* argument) {
    (*static_cast<std::function<void()>*>(argument))();
}

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
    g.release();
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
    resources.remove(a);
    resources.release(b);
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
    std::function<void()> meddle = [&] { other.release(); };
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
    std::function<void()> again = [&] { g.release(); };
    add(again);
    add("b");
    g.release();
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
    g.release();
    CHECK(released() == "cba");
    CHECK(!g);
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "a release may dissolve or keep the group it is in") {
    group g{resources};
    add("a");
    std::function<void()> end = [&] { g.keep(); };
    add(end);
    g.release();
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
    (*state)->release();
    CHECK(!state);
    CHECK(released() == "ba");
    CHECK(resources.empty());
}

TEST_CASE_METHOD(fixture, "errno is kept when a group is released and when its guard dies") {
    CHECK(test::keeps_errno([&] {
        group g{resources};
        add("a");
        g.release();
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
        outer.release();
    }
    CHECK(memory.allocations == 0);
    CHECK(log.released.size() == 1000);
}
