// SPDX-License-Identifier: BSL-1.0
#include <devres/core/revocable.hpp>

#include <atomic>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <devres/core/group.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

static_assert(std::is_copy_constructible_v<revocable<int>> && std::is_nothrow_move_constructible_v<revocable<int>>);
static_assert(!std::is_constructible_v<revocable<int>, int&>, "only devm_revocable makes one");
static_assert(!std::is_copy_constructible_v<revocable<int>::access>);
static_assert(std::is_nothrow_move_constructible_v<revocable<int>::access>);
static_assert(sizeof(revocable<int>) == sizeof(void*) && sizeof(revocable<int>::access) == sizeof(void*));

namespace {

template <class Object>
constexpr bool can_revoke = requires(test::core_device& dev, Object& object) { devm_revocable(dev, object); };
static_assert(can_revoke<managed_ref<int>> && can_revoke<const managed_ref<int>>);
static_assert(!can_revoke<int>, "a plain reference may be gone before the access");

/// An object that knows whether it is alive.
struct state {
    explicit state(std::atomic<bool>& flag) noexcept : alive(&flag) { *alive = true; }
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() { *alive = false; }

    std::atomic<bool>* alive;
    std::atomic<int> reads = 0;
};

/// Memory that must outlive every copy, and a device that need not.
struct fixture {
    test::counting_memory memory;
    std::atomic<bool> alive = false;
    struct device {
        list released;
        list& resources() noexcept { return released; }
    };
    std::optional<device> dev;

    fixture() { dev.emplace(list_on(memory)); }
    ~fixture() {
        dev.reset();
        if (!std::uncaught_exceptions())
            CHECK(memory.blocks == 0);
    }

    /// Makes the list in place: it cannot be moved.
    struct list_on {
        memory_hooks hooks;
        explicit list_on(test::counting_memory& from) noexcept : hooks(hooks_of(from)) {}
        operator device() const noexcept { return {.released = list(hooks)}; }  // NOLINT
    };

    managed_ref<state> emplace() { return devm_emplace<state>(*dev, alive).value(); }
};

}  // namespace

TEST_CASE_METHOD(fixture, "while the device is bound, an access opens the object") {
    const auto object = emplace();
    const revocable<state> file = devm_revocable(*dev, object).value();
    auto access = file.try_access();
    REQUIRE(access);
    CHECK(&*access == &object.get());
    access->reads = 3;
    CHECK(object->reads == 3);
}

TEST_CASE_METHOD(fixture, "an object can be accessed any number of times at once") {
    const revocable<state> file = devm_revocable(*dev, emplace()).value();
    std::vector<revocable<state>::access> open;
    for (int i = 0; i != 100; ++i) {
        open.push_back(file.try_access());
        CHECK(open.back());
    }
}

TEST_CASE_METHOD(fixture, "after the device is gone an access opens nothing, however many copies are left") {
    std::vector<revocable<state>> files;
    files.push_back(devm_revocable(*dev, emplace()).value());
    for (int i = 0; i != 9; ++i)
        files.push_back(files.back());
    dev.reset();
    CHECK(!alive);
    for (const auto& file : files)
        CHECK(!file.try_access());
    const revocable<state> late = files.front();
    files.clear();
    CHECK(!late.try_access());
    CHECK(memory.blocks == 1);
}

TEST_CASE_METHOD(fixture, "copies share the access, and moving empties the source") {
    revocable<state> file = devm_revocable(*dev, emplace()).value();
    revocable<state> copy = file;
    CHECK(copy.try_access());
    const revocable<state> moved = std::move(copy);
    CHECK(moved.try_access());
    CHECK(!copy.try_access());  // NOLINT: what moved-from is, is the question
    copy = moved;
    CHECK(copy.try_access());
    auto& alias = file;
    file = alias;
    CHECK(file.try_access());
    file = std::move(alias);
    CHECK(file.try_access());
}

TEST_CASE("access to nothing opens nothing") {
    revocable<state> nothing;
    CHECK(!nothing.try_access());
    const revocable<state> copy = nothing;
    nothing = copy;
    CHECK(!nothing.try_access());
}

TEST_CASE_METHOD(fixture, "an access is moved, not copied, and closed once") {
    const revocable<state> file = devm_revocable(*dev, emplace()).value();
    {
        auto first = file.try_access();
        auto second = std::move(first);
        CHECK(!first);  // NOLINT
        CHECK(second);
        auto& alias = second;
        second = std::move(alias);
        CHECK(second);
        auto third = file.try_access();
        third = std::move(second);
        CHECK(third);
    }
    dev->resources().release_all();  // would wait for ever if an access were still counted
    CHECK(!file.try_access());
}

TEST_CASE_METHOD(fixture, "an access that outlives the file that opened it keeps the object") {
    std::optional<revocable<state>> file = devm_revocable(*dev, emplace()).value();
    const auto access = file->try_access();
    file.reset();
    CHECK(access->reads == 0);
}

TEST_CASE_METHOD(fixture, "access is revoked in its place among the managed resources") {
    const auto object = emplace();
    std::optional<revocable<state>> file;
    struct probe {
        std::optional<revocable<state>>* file;
        bool open = false;
    };
    probe older{&file};
    probe newer{&file};
    const auto look = [](void* argument) {
        auto& at = *static_cast<probe*>(argument);
        at.open = static_cast<bool>((*at.file)->try_access());
    };
    REQUIRE(dev->resources().add(look, &older));
    file = devm_revocable(*dev, object).value();
    REQUIRE(dev->resources().add(look, &newer));
    dev->resources().release_all();
    CHECK(newer.open);
    CHECK(!older.open);
    CHECK(!alive);
}

TEST_CASE_METHOD(fixture, "access to an object that a group releases is revoked with the object") {
    group g{*dev};
    const auto object = emplace();
    g.keep();
    const revocable<state> file = devm_revocable(*dev, object).value();
    CHECK(file.try_access());
    g.release();
    CHECK(!alive);
    CHECK(!file.try_access());
    CHECK(dev->resources().release_all() == 1);  // the record of the access, with nothing left to do
}

TEST_CASE_METHOD(fixture, "access that a group revokes leaves the object alone") {
    const auto object = emplace();
    group g{*dev};
    const revocable<state> file = devm_revocable(*dev, object).value();
    g.release();
    CHECK(alive);
    CHECK(!file.try_access());
    const revocable<state> again = devm_revocable(*dev, object).value();
    CHECK(again.try_access());
}

TEST_CASE_METHOD(fixture, "an access for which there is no memory leaves nothing") {
    const auto object = emplace();
    const std::size_t blocks = memory.blocks;
    SECTION("for the access") { memory.allowance = 0; }
    SECTION("for its record") {
        for (std::size_t i = 1; i != list::inline_records; ++i)
            REQUIRE(dev->resources().add([](void*) {}, nullptr));
        memory.allowance = 1;
    }
    CHECK(devm_revocable(*dev, object).error() == errc::enomem);
    CHECK(memory.blocks == blocks);
}

TEST_CASE_METHOD(fixture, "errno is kept when accesses and files die and when access is revoked") {
    CHECK(test::keeps_errno([&] {
        const revocable<state> file = devm_revocable(*dev, emplace()).value();
        const auto access = file.try_access();
    }));
    CHECK(test::keeps_errno([&] { dev.reset(); }));
}

TEST_CASE_METHOD(fixture, "revoking waits until the accesses that are open on other threads have been closed") {
    const revocable<state> file = devm_revocable(*dev, emplace()).value();
    std::atomic<bool> opened = false;
    std::atomic<bool> closing = false;
    bool alive_at_the_end = false;
    std::thread reader([&] {
        auto access = file.try_access();
        opened = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        alive_at_the_end = *access->alive;
        closing = true;
    });
    while (!opened)
        std::this_thread::yield();
    dev.reset();
    CHECK(closing);
    CHECK(!alive);
    reader.join();
    CHECK(alive_at_the_end);
}

TEST_CASE_METHOD(fixture, "readers on many threads race with the device going away") {
    for (int round = 0; round != 50; ++round) {
        dev.emplace(list_on(memory));
        std::optional<revocable<state>> file = devm_revocable(*dev, emplace()).value();
        std::atomic<int> bad = 0;
        std::vector<std::thread> readers;
        for (int i = 0; i != 3; ++i) {
            readers.emplace_back([&bad, mine = *file] {
                while (const auto access = mine.try_access()) {
                    const revocable<state> copy = mine;
                    if (!*access->alive)
                        ++bad;
                    ++access->reads;
                }
            });
        }
        file.reset();
        std::this_thread::yield();
        dev.reset();
        CHECK(!alive);
        for (auto& reader : readers)
            reader.join();
        CHECK(bad == 0);
    }
}
