// SPDX-License-Identifier: BSL-1.0

// The library's release list beside Linux's: the same programs of actions and groups on both. What differs on purpose is
// in the last tests; docs/linux_model.md lists it.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <devres/devres.hpp>
#include <devres/linux_model/devres.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using devres::group;
using devres::linux_model::device;
using devres::linux_model::event_log;
using devres::linux_model::oops;

namespace {

/// What an action writes its number into.
struct mark {
    std::vector<int>* order;
    int number;
};
void write_number(void* argument) {
    const auto& self = *static_cast<mark*>(argument);
    self.order->push_back(self.number);
}

/// One list of each kind, with the same marks on both.
struct pair_of_lists {
    static constexpr int numbers = 6;  // few, so that an action is there several times

    pair_of_lists() {
        for (int i = 0; i != numbers; ++i) {
            ours.push_back({&our_order, i});
            theirs.push_back({&their_order, i});
        }
    }

    void add(int i) {
        REQUIRE(list.add(write_number, &ours[unsigned(i)]));
        linux_dev.devm_add_action(write_number, &theirs[unsigned(i)]);
    }
    void remove(int i) {
        const auto found = list.find(write_number, &ours[unsigned(i)]);
        if (!found)
            return;
        list.remove(found);
        linux_dev.devm_remove_action(write_number, &theirs[unsigned(i)]);
    }
    void release(int i) {
        const auto found = list.find(write_number, &ours[unsigned(i)]);
        if (!found)
            return;
        list.release(found);
        linux_dev.devm_release_action(write_number, &theirs[unsigned(i)]);
    }

    struct open_group {
        group guard;
        const void* id;
        bool closed = false;
    };
    void open() {
        groups.push_back({group(list), nullptr});
        groups.back().id = linux_dev.devres_open_group();
    }
    void close(std::size_t i) {
        if (!groups[i].guard || groups[i].closed)
            return;
        groups[i].guard.keep();
        linux_dev.devres_close_group(groups[i].id);
        groups[i].closed = true;
    }
    void dissolve(std::size_t i) {
        if (!groups[i].guard)
            return;
        groups[i].guard.dissolve();
        linux_dev.devres_remove_group(groups[i].id);
    }
    void release_group(std::size_t i) {
        if (!groups[i].guard)
            return;
        CHECK(int(groups[i].guard.release().value()) == linux_dev.devres_release_group(groups[i].id));
    }
    void release_all() { CHECK(int(list.release_all()) == linux_dev.devres_release_all()); }

    std::vector<int> our_order, their_order;
    std::deque<mark> ours, theirs;
    devres::test::counting_memory memory;
    devres::list list{devres::hooks_of(memory)};
    event_log log;
    device linux_dev{log};
    std::deque<open_group> groups;
};

/// One random operation; `program` says which it was.
void step(pair_of_lists& both, std::mt19937& random, std::string& program) {
    const auto below = [&](std::size_t n) { return random() % n; };
    const auto number = static_cast<int>(below(pair_of_lists::numbers));
    const auto some_group = [&](const char* what, auto act) {
        if (both.groups.empty())
            return;
        const std::size_t i = below(both.groups.size());
        program += what + std::to_string(i) + ' ';
        act(i);
    };
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
        program += "open ";
        both.open();
        break;
    case 3:
    case 4: some_group("close ", [&](std::size_t i) { both.close(i); }); break;
    case 5: some_group("dissolve ", [&](std::size_t i) { both.dissolve(i); }); break;
    case 6: some_group("release group ", [&](std::size_t i) { both.release_group(i); }); break;
    case 7:
        program += "remove " + std::to_string(number) + ' ';
        both.remove(number);
        break;
    case 8:
        program += "release " + std::to_string(number) + ' ';
        both.release(number);
        break;
    default:
        program += "add " + std::to_string(number) + ' ';
        both.add(number);
    }
}

}  // namespace

TEST_CASE("the release list releases in Linux's order, whatever actions and groups are on it") {
    for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
        std::mt19937 random(seed);
        pair_of_lists both;
        std::string program;
        INFO("seed " << seed);
        const std::size_t steps = 4 + random() % 60;
        for (std::size_t i = 0; i != steps; ++i) {
            step(both, random, program);
            INFO(program);
            REQUIRE(both.our_order == both.their_order);
        }
        INFO(program);
        both.release_all();
        REQUIRE(both.our_order == both.their_order);
        REQUIRE(both.list.empty());
        REQUIRE_FALSE(both.linux_dev.has_resources());
        for (const auto& each : both.log.events())
            REQUIRE(each.kind != devres::linux_model::event_kind::warning);
        for (const auto& each : both.groups)
            REQUIRE_FALSE(each.guard);
    }
}

namespace {

/// An action that does something to its list.
template <class Act>
struct acting {
    Act act;
    static void call(void* argument) { static_cast<acting*>(argument)->act(); }
};
template <class Act>
acting(Act) -> acting<Act>;

}  // namespace

TEST_CASE("difference: what a release function adds is released too, Linux leaves it on the list") {
    pair_of_lists both;
    acting ours{[&] { REQUIRE(both.list.add(write_number, &both.ours[1])); }};
    acting theirs{[&] { both.linux_dev.devm_add_action(write_number, &both.theirs[1]); }};
    both.add(0);
    REQUIRE(both.list.add(ours.call, &ours));
    both.linux_dev.devm_add_action(theirs.call, &theirs);

    CHECK(both.list.release_all() == 3);
    CHECK(both.our_order == std::vector{1, 0});
    CHECK(both.list.empty());
    CHECK(both.linux_dev.devres_release_all() == 2);
    CHECK(both.their_order == std::vector{0});
    CHECK(both.linux_dev.has_resources());
}

TEST_CASE("difference: what a release function of an open group adds is in the group, in Linux it stays") {
    pair_of_lists both;
    acting ours{[&] { REQUIRE(both.list.add(write_number, &both.ours[1])); }};
    acting theirs{[&] { both.linux_dev.devm_add_action(write_number, &both.theirs[1]); }};
    both.open();
    REQUIRE(both.list.add(ours.call, &ours));
    both.linux_dev.devm_add_action(theirs.call, &theirs);

    CHECK(both.groups[0].guard.release() == 2);
    CHECK(both.our_order == std::vector{1});
    CHECK(both.linux_dev.devres_release_group(both.groups[0].id) == 1);
    CHECK(both.their_order.empty());
}

TEST_CASE("difference: while the list is released, what is older can be found and released, Linux finds nothing") {
    pair_of_lists both;
    both.add(0);
    acting ours{[&] {
        const auto older = both.list.find(write_number, &both.ours[0]);
        REQUIRE(older);
        both.list.release(older);
    }};
    acting theirs{[&] { both.linux_dev.devm_release_action(write_number, &both.theirs[0]); }};
    REQUIRE(both.list.add(ours.call, &ours));
    both.linux_dev.devm_add_action(theirs.call, &theirs);

    CHECK(both.list.release_all() == 1);
    CHECK(both.our_order == std::vector{0});
    CHECK(both.linux_dev.devres_release_all() == 2);
    CHECK(both.their_order == std::vector{0});
    REQUIRE_FALSE(both.log.events().empty());
    CHECK(std::ranges::count(both.log.events(), devres::linux_model::warning_kind::devres_warn,
                             &devres::linux_model::event::warning) == 1);
}

TEST_CASE("difference: a group is kept once, however often that is said, Linux halts when it is closed again") {
    pair_of_lists both;
    both.open();
    both.add(0);
    both.close(0);
    both.groups[0].guard.keep();
    both.add(1);
    CHECK(both.groups[0].guard.release() == 1);
    CHECK_THROWS_AS(both.linux_dev.devres_close_group(both.groups[0].id), oops);
}

TEST_CASE("difference: a group that nobody closed is released with its guard, in Linux it stays until the unbind") {
    pair_of_lists both;
    {
        const group ours(both.list);
        both.linux_dev.devres_open_group();
        both.add(0);
    }
    CHECK(both.our_order == std::vector{0});
    CHECK(both.their_order.empty());
    CHECK(both.linux_dev.devres_release_all() == 1);
}
