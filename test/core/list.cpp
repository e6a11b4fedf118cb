// SPDX-License-Identifier: BSL-1.0
#include <devres/core/list.hpp>

#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using test::counting_memory;
using test::release_log;

static_assert(!std::is_copy_constructible_v<list> && !std::is_move_constructible_v<list>);
static_assert(sizeof(devres::detail::list_node) <= 32, "a record takes 32 bytes at most");

namespace {

/// A record that does anything when it is released.
void call(void* argument) {
    (*static_cast<std::function<void()>*>(argument))();
}

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
    resources.remove(b);
    CHECK(resources.release_all() == 2);
    CHECK(log.released == "ca");
}

TEST_CASE("a record can be released early by its handle, once") {
    release_log log;
    list resources;
    const list::handle a = log.add(resources, 'a');
    log.add(resources, 'b');
    resources.release(a);
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
    resources.release(resources.find(&release_log::write, log.argument('a')));
    resources.release(resources.find(&release_log::write));
    CHECK(log.released == "ab");
    CHECK(!resources.find(&release_log::write, log.argument('b')));
    CHECK(!resources.find(&call));
    resources.remove(resources.find(&release_log::write, log.argument('a')));
    CHECK(resources.empty());
}

TEST_CASE("a list without memory takes its inline records and no more") {
    release_log log;
    list resources;
    for (std::size_t i = 0; i != list::inline_records; ++i)
        log.add(resources, static_cast<char>('a' + i));
    CHECK(resources.add(&release_log::write, log.argument('z')).error() == errc::enomem);
    CHECK(resources.release_all() == list::inline_records);
    CHECK(log.released == "ponmlkjihgfedcba");
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
    CHECK(memory.bytes <= 1000 * 32);
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
        resources.remove(records[i]);
    for (std::size_t i = 0; i != records.size(); i += 2)
        records[i] = log.add(resources, 'y');
    for (const list::handle record : records)
        resources.release(record);
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
        resources.remove(a);
        resources.release(b);
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
