// SPDX-License-Identifier: BSL-1.0
#include <devres/core/list.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using test::counting_memory;
using test::release_log;

static_assert(!std::is_copy_constructible_v<list> && !std::is_move_constructible_v<list>);
static_assert(sizeof(devres::detail::list_node) <= 40, "a record takes 40 bytes at most");

namespace {

/// A record that does anything when it is released.
void call(void* argument) { (*static_cast<std::function<void()>*>(argument))(); }

}  // namespace

TEST_CASE("a list releases its records newest first and says how many") {
    release_log log;
    list resources;
    for (const char name : std::string("abc"))
        log.add(resources, name);
    CHECK(!resources.empty());
    CHECK(resources.release_all() == 3);
    CHECK(log.released == "cba");
    CHECK(resources.empty());
}

TEST_CASE("an empty list releases nothing") {
    list resources;
    CHECK(resources.empty());
    CHECK(resources.release_all() == 0);
    CHECK(resources.release_all() == 0);
}

TEST_CASE("a list that dies releases what it has left") {
    release_log log;
    {
        list resources;
        log.add(resources, 'a');
        log.add(resources, 'b');
    }
    CHECK(log.released == "ba");
}

TEST_CASE("a list can be used again after everything was released") {
    release_log log;
    list resources;
    log.add(resources, 'a');
    resources.release_all();
    log.add(resources, 'b');
    resources.release_all();
    CHECK(log.released == "ab");
}

TEST_CASE("a record without a function is refused, and nothing is added") {
    list resources;
    CHECK(resources.add(nullptr, &resources).error() == errc::einval);
    CHECK(resources.empty());
}

TEST_CASE("a record can be removed by its handle, without being released") {
    release_log log;
    list resources;
    log.add(resources, 'a');
    const list::handle b = log.add(resources, 'b');
    log.add(resources, 'c');
    CHECK(b);
    CHECK(resources.remove(b));
    CHECK(resources.release_all() == 2);
    CHECK(log.released == "ca");
}

TEST_CASE("a record can be released early by its handle, once") {
    release_log log;
    list resources;
    const list::handle a = log.add(resources, 'a');
    log.add(resources, 'b');
    CHECK(resources.release(a));
    CHECK(log.released == "a");
    resources.release_all();
    CHECK(log.released == "ab");
}

TEST_CASE("a handle is empty unless it names a record") {
    CHECK(!list::handle{});
    const list resources;
    CHECK(!resources.find(&release_log::write));
}

TEST_CASE("finding a record finds the newest that matches") {
    release_log log;
    list resources;
    const auto add = [&](char name) { return log.add(resources, name); };
    add('a');
    add('b');
    add('a');
    CHECK(resources.release(resources.find(&release_log::write, log.argument('a'))));
    CHECK(resources.release(resources.find(&release_log::write)));
    CHECK(log.released == "ab");
    CHECK(!resources.find(&release_log::write, log.argument('b')));
    CHECK(!resources.find(&call));
    CHECK(resources.remove(resources.find(&release_log::write, log.argument('a'))));
    CHECK(resources.empty());
}

TEST_CASE("a list without memory takes its inline records and no more") {
    release_log log;
    list resources;
    for (std::size_t i = 0; i != list::inline_records; ++i)
        log.add(resources, static_cast<char>('a' + i));
    CHECK(resources.add(&release_log::write, log.argument('z')).error() == errc::enomem);
    CHECK(resources.release_all() == list::inline_records);
    CHECK(log.released == std::string("zyxwvutsrqponmlkjihgfedcba").substr(26 - list::inline_records));
    CHECK(resources.add(&release_log::write, log.argument('z')));
}

TEST_CASE("a list that cannot grow refuses the record, keeps the others, and grows when there is memory") {
    counting_memory memory{.allowance = 0};
    release_log log;
    {
        list resources{hooks_of(memory)};
        for (std::size_t i = 0; i != list::inline_records; ++i)
            log.add(resources, '.');
        CHECK(memory.allocations == 0);
        CHECK(resources.add(&release_log::write, log.argument('x')).error() == errc::enomem);
        memory.allowance = 1;
        log.add(resources, '!');
    }
    CHECK(log.released == "!" + std::string(list::inline_records, '.'));
    CHECK(memory.blocks == 0);
}

TEST_CASE("a list that has grown needs no memory again") {
    counting_memory memory;
    release_log log;
    list resources{hooks_of(memory)};
    const auto fill = [&] {
        for (int i = 0; i != 1000; ++i)
            log.add(resources, 'x');
    };
    fill();
    const std::size_t grown = memory.allocations;
    CHECK(memory.bytes <= 1000 * 40);
    CHECK(resources.release_all() == 1000);
    memory.allowance = 0;
    fill();
    CHECK(memory.allocations == grown);
    CHECK(resources.release_all() == 1000);
}

TEST_CASE("adding, removing and releasing by handle take no memory once the list is large enough") {
    counting_memory memory;
    release_log log;
    list resources{hooks_of(memory)};
    std::vector<list::handle> records;
    for (int i = 0; i != 10'000; ++i)
        records.push_back(log.add(resources, 'x'));
    memory.allowance = 0;
    for (std::size_t i = 0; i != records.size(); i += 2)
        CHECK(resources.remove(records[i]));
    for (std::size_t i = 0; i != records.size(); i += 2)
        records[i] = log.add(resources, 'y');
    for (const list::handle record : records)
        CHECK(resources.release(record));
    CHECK(resources.empty());
    CHECK(log.released.size() == 10'000);
}

TEST_CASE("a list grows by several records at a time") {
    counting_memory memory;
    release_log log;
    list resources{hooks_of(memory)};
    for (int i = 0; i != 1000; ++i)
        log.add(resources, 'x');
    CHECK(memory.allocations <= 1000 / 8);
}

TEST_CASE("a record that a release adds is released in the same round") {
    release_log log;
    list resources;
    std::function<void()> late = [&] {
        log.released += 'l';
        log.add(resources, 'n');
    };
    log.add(resources, 'a');
    REQUIRE(resources.add(&call, &late));
    CHECK(resources.release_all() == 3);
    CHECK(log.released == "lna");
    CHECK(resources.empty());
}

TEST_CASE("a release may add records beyond what the list has room for") {
    counting_memory memory;
    release_log log;
    {
        std::function<void()> many;
        list resources{hooks_of(memory)};
        many = [&] {
            for (int i = 0; i != 100; ++i)
                log.add(resources, 'n');
        };
        REQUIRE(resources.add(&call, &many));
    }
    CHECK(log.released == std::string(100, 'n'));
    CHECK(memory.blocks == 0);
}

TEST_CASE("a release that adds itself again is released again") {
    list resources;
    int left = 5;
    std::function<void()> again = [&] {
        if (left-- != 0)
            REQUIRE(resources.add(&call, &again));
    };
    REQUIRE(resources.add(&call, &again));
    CHECK(resources.release_all() == 6);
    CHECK(resources.empty());
}

TEST_CASE("a release may remove or release older records") {
    release_log log;
    list resources;
    const list::handle a = log.add(resources, 'a');
    const list::handle b = log.add(resources, 'b');
    log.add(resources, 'c');
    std::function<void()> meddle = [&] {
        CHECK(resources.remove(a));
        CHECK(resources.release(b));
    };
    REQUIRE(resources.add(&call, &meddle));
    log.add(resources, 'd');
    CHECK(resources.release_all() == 3);  // b was released by a release, and is not counted again
    CHECK(log.released == "dbc");
}

TEST_CASE("a release that is running has left the list: it cannot be found") {
    list resources;
    bool found = true;
    std::function<void()> look = [&] { found = static_cast<bool>(resources.find(&call, &look)); };
    REQUIRE(resources.add(&call, &look));
    resources.release_all();
    CHECK(!found);
}

TEST_CASE("a release may release the whole list") {
    release_log log;
    list resources;
    log.add(resources, 'a');
    std::size_t inner = 0;
    std::function<void()> all = [&] { inner = resources.release_all(); };
    REQUIRE(resources.add(&call, &all));
    log.add(resources, 'b');
    CHECK(resources.release_all() == 2);
    CHECK(inner == 1);
    CHECK(log.released == "ba");
}

TEST_CASE("errno is kept when a list is released and when it dies") {
    release_log log;
    CHECK(test::keeps_errno([&] {
        list resources;
        log.add(resources, 'a');
        resources.release_all();
        log.add(resources, 'b');
    }));
    CHECK(log.released == "ab");
}

TEST_CASE("a list knows where objects that belong to it take their memory") {
    counting_memory memory;
    const list resources{hooks_of(memory)};
    CHECK(resources.memory().context == &memory);
}

// The five steps.

namespace {

/// A record for each step, in the order of the steps, called 'u', 's', 'h', 'c' and 'm'.
constexpr release_step steps_in_order[] = {release_step::users, release_step::stop, release_step::handlers,
                                           release_step::code, release_step::matter};
constexpr char letters[] = "ushcm";

struct steps_fixture {
    counting_memory memory;
    release_log log;
    list resources{hooks_of(memory)};

    list::handle add(char name, release_step step) { return log.add(resources, name, step); }
    list::handle add(std::function<void()>& action, release_step step) {
        return resources.add(&call, &action, step).value();
    }
    std::string released() { return std::exchange(log.released, {}); }
};

}  // namespace

TEST_CASE_METHOD(steps_fixture, "records are released step by step, whatever the order they were added in") {
    std::string names = "01234";
    do {
        for (const char digit : names) {
            const auto which = static_cast<std::size_t>(digit - '0');
            add(letters[which], steps_in_order[which]);
        }
        CHECK(resources.release_all() == 5);
        CHECK(released() == "ushcm");
    } while (std::ranges::next_permutation(names).found);
}

TEST_CASE_METHOD(steps_fixture, "within each step the newest goes first") {
    for (const char name : std::string("abc")) {
        for (const release_step step : steps_in_order)
            add(name, step);
    }
    CHECK(resources.release_all() == 15);
    CHECK(released() == "cbacbacbacbacba");
}

TEST_CASE_METHOD(steps_fixture, "a record goes with the code that gives back unless its step is said") {
    add('c', release_step::code);
    log.add(resources, 'd');
    add('m', release_step::matter);
    add('h', release_step::handlers);
    CHECK(resources.release_all() == 4);
    CHECK(released() == "hdcm");
}

TEST_CASE_METHOD(steps_fixture, "a list can be released as far as a step, and then the rest") {
    for (std::size_t i = 0; i != 5; ++i)
        add(letters[i], steps_in_order[i]);
    CHECK(resources.release_through(release_step::handlers) == 3);
    CHECK(released() == "ush");
    CHECK(!resources.empty());
    CHECK(resources.release_through(release_step::handlers) == 0);
    add('s', release_step::stop);
    CHECK(resources.release_all() == 3);
    CHECK(released() == "scm");
    CHECK(resources.empty());
}

TEST_CASE_METHOD(steps_fixture,
                 "what a release adds of an earlier step goes next, what it adds of a later one in its turn") {
    std::function<void()> late = [&] {
        log.released += '!';
        for (std::size_t i = 0; i != 5; ++i)
            add(letters[i], steps_in_order[i]);
    };
    add('a', release_step::handlers);
    add('b', release_step::code);
    SECTION("from the first step") {
        add(late, release_step::users);
        CHECK(resources.release_all() == 8);
        CHECK(released() == "!ushacbm");
    }
    SECTION("from the middle") {
        add('z', release_step::handlers);
        add(late, release_step::handlers);
        add('y', release_step::users);
        CHECK(resources.release_all() == 10);
        CHECK(released() == "y!ushzacbm");
    }
    SECTION("from the last step") {
        add('z', release_step::matter);
        add(late, release_step::matter);
        CHECK(resources.release_all() == 9);
        CHECK(released() == "ab!ushcmz");
    }
    CHECK(resources.empty());
}

TEST_CASE_METHOD(steps_fixture, "a hundred thousand records of all steps are each released once, in their order") {
    struct counted {
        std::vector<unsigned>* order;
        unsigned number;
    };
    constexpr unsigned count = 100'000;
    std::vector<unsigned> order;
    order.reserve(count);
    std::vector<counted> records(count);
    for (unsigned i = 0; i != count; ++i) {
        records[i] = {&order, i};
        const auto write = [](void* argument) {
            const auto& record = *static_cast<counted*>(argument);
            record.order->push_back(record.number);
        };
        REQUIRE(resources.add(write, &records[i], steps_in_order[i * 7 % 5]));
    }
    const auto later = [](unsigned a, unsigned b) { return a * 7 % 5 != b * 7 % 5 ? a * 7 % 5 > b * 7 % 5 : a < b; };
    SECTION("all at once") { CHECK(resources.release_all() == count); }
    SECTION("step by step") {
        std::size_t released_so_far = 0;
        for (const release_step step : steps_in_order)
            released_so_far += resources.release_through(step);
        CHECK(released_so_far == count);
    }
    REQUIRE(order.size() == count);
    std::size_t out_of_order = 0;
    for (std::size_t i = 1; i != order.size(); ++i)
        out_of_order += !later(order[i], order[i - 1]) ? 1U : 0U;
    CHECK(out_of_order == 0);
}

// Actions that are pinned: what was switched on before the enable goes off after it.

TEST_CASE_METHOD(steps_fixture, "pinned actions are released with the matter, at their places") {
    add('m', release_step::matter);
    add('a', release_step::code);
    add('n', release_step::matter);
    add('b', release_step::code);
    resources.pin_actions();
    add('o', release_step::matter);
    add('c', release_step::code);
    CHECK(resources.release_all() == 6);
    CHECK(released() == "cobnam");
}

TEST_CASE_METHOD(steps_fixture, "pinning again pins what has come since, between what is there") {
    add('a', release_step::code);
    resources.pin_actions();
    add('b', release_step::code);
    add('m', release_step::matter);
    add('c', release_step::code);
    add('h', release_step::handlers);
    resources.pin_actions();
    resources.pin_actions();
    add('d', release_step::code);
    CHECK(resources.release_all() == 6);
    CHECK(released() == "hdcmba");
}

TEST_CASE_METHOD(steps_fixture, "with no action there is nothing to pin") {
    resources.pin_actions();
    CHECK(resources.empty());
    add('m', release_step::matter);
    add('s', release_step::stop);
    resources.pin_actions();
    CHECK(resources.release_all() == 2);
    CHECK(released() == "sm");
}

TEST_CASE_METHOD(steps_fixture, "a pinned action can be found, removed and released early by its name") {
    const list::handle a = add('a', release_step::code);
    const list::handle b = add('b', release_step::code);
    add('m', release_step::matter);
    resources.pin_actions();
    CHECK(resources.has(a));
    CHECK(resources.find(&release_log::write, log.argument('a')));
    CHECK(resources.release(a));
    CHECK(released() == "a");
    CHECK(resources.remove(b));
    CHECK(resources.release_all() == 1);
}

// Names.

TEST_CASE_METHOD(steps_fixture, "a name of a record that has gone is an error, also when its memory is used again") {
    const list::handle removed = add('a', release_step::code);
    CHECK(resources.has(removed));
    CHECK(list::names(removed));
    CHECK(resources.remove(removed));
    const list::handle released_one = add('b', release_step::code);  // in the same memory
    CHECK(resources.release(released_one));
    const list::handle there = add('c', release_step::matter);  // again
    for (const list::handle gone : {removed, released_one}) {
        CHECK(gone);
        CHECK(!resources.has(gone));
        CHECK(!list::names(gone));
        CHECK(resources.why_not(gone) == errc::enoent);
        CHECK(resources.remove(gone).error() == errc::enoent);
        CHECK(resources.release(gone).error() == errc::enoent);
        CHECK(resources.release_leaf(gone).error() == errc::enoent);
    }
    CHECK(released() == "b");
    CHECK(resources.has(there));
    resources.release_all();
    CHECK(resources.release(there).error() == errc::enoent);
}

TEST_CASE_METHOD(steps_fixture, "a name of another list's record is invalid, whatever became of the record") {
    list other{hooks_of(memory)};
    const list::handle foreign = log.add(other, 'a');
    add('b', release_step::code);
    const auto refused = [&] {
        CHECK(!resources.has(foreign));
        CHECK(resources.why_not(foreign) == errc::einval);
        CHECK(resources.remove(foreign).error() == errc::einval);
        CHECK(resources.release(foreign).error() == errc::einval);
        CHECK(resources.release_leaf(foreign).error() == errc::einval);
    };
    refused();
    CHECK(list::names(foreign));
    CHECK(other.release(foreign));
    refused();
    CHECK(!list::names(foreign));
    CHECK(released() == "a");
}

TEST_CASE_METHOD(steps_fixture, "a name of nothing names nothing") {
    const list::handle nothing;
    CHECK(!resources.has(nothing));
    CHECK(!list::names(nothing));
    CHECK(resources.why_not(nothing) == errc::enoent);
    CHECK(resources.remove(nothing).error() == errc::enoent);
    CHECK(resources.release(nothing).error() == errc::enoent);
    CHECK(resources.release_leaf(nothing).error() == errc::enoent);
}

TEST_CASE_METHOD(steps_fixture, "a hundred thousand records in the same memory have names of their own") {
    const list::handle first = add('a', release_step::code);
    CHECK(resources.remove(first));
    list::handle last;
    for (int i = 0; i != 100'000; ++i) {
        last = add('b', release_step::code);
        REQUIRE(!resources.has(first));
        REQUIRE(resources.remove(last));
    }
    CHECK(memory.allocations == 0);
}

TEST_CASE("a record cannot be released, with what may be built on it, inside a handler of the device") {
    test::handled_device dev;
    release_log log;
    const list::handle record = log.add(dev.resources(), 'a');
    dev.inside = true;
    CHECK(dev.resources().release(record).error() == errc::edeadlk);
    CHECK(dev.resources().has(record));
    dev.inside = false;
    CHECK(dev.resources().release(record));
    CHECK(log.released == "a");
}

TEST_CASE("finding looks through all steps for the newest") {
    release_log log;
    list resources;
    log.add(resources, 'a', release_step::matter);
    const list::handle newest = log.add(resources, 'a', release_step::users);
    log.add(resources, 'b', release_step::stop);
    const list::handle found = resources.find(&release_log::write, log.argument('a'));
    CHECK(resources.remove(found));
    CHECK(!resources.has(newest));
    CHECK(resources.release_all() == 2);
}
