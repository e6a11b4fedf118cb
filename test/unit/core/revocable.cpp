// SPDX-License-Identifier: BSL-1.0
#include <devres/core/revocable.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <devres/core/group.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

using namespace devres;

static_assert(std::is_copy_constructible_v<revocable<int>> && std::is_nothrow_move_constructible_v<revocable<int>>);
static_assert(!std::is_constructible_v<revocable<int>, int&>, "only devm_revocable makes one");
static_assert(!std::is_copy_constructible_v<revocable<int>::access>);
static_assert(std::is_nothrow_move_constructible_v<revocable<int>::access>);
static_assert(sizeof(revocable<int>) == sizeof(void*) && sizeof(revocable<int>::access) <= 3 * sizeof(void*));

namespace {

template <class Object>
constexpr bool can_revoke = requires(test::core_device& dev, Object& object) { devm_revocable(dev, object); };
static_assert(can_revoke<managed_ref<int>> && can_revoke<const managed_ref<int>>);
static_assert(!can_revoke<int>, "a plain reference may be gone before the access");

/// A view of something managed, as the tokens of other layers are.
class view {
public:
    explicit view(int shown, list::handle record) noexcept : number(shown), record_(record) {}
    int number;

private:
    friend struct devres::detail::token;
    list::handle record_;
};
static_assert(can_revoke<view>);

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

TEST_CASE_METHOD(fixture, "access is revoked before anything else is released, whatever its age") {
    const auto object = emplace();
    std::optional<revocable<state>> file;
    struct look_at {
        std::optional<revocable<state>>* file;
        bool open = true;
    };
    look_at looks[10]{};
    const auto look = [](void* argument) {
        auto& at = *static_cast<look_at*>(argument);
        at.open = static_cast<bool>((*at.file)->try_access());
    };
    std::size_t next = 0;
    const auto add_all = [&] {
        for (const release_step step :
             {release_step::stop, release_step::handlers, release_step::code, release_step::matter}) {
            looks[next].file = &file;
            REQUIRE(dev->resources().add(look, &looks[next++], step));
        }
    };
    add_all();
    file = devm_revocable(*dev, object).value();
    add_all();
    dev->resources().release_all();
    for (std::size_t i = 0; i != next; ++i)
        CHECK(!looks[i].open);
    CHECK(!alive);
}

TEST_CASE_METHOD(fixture, "access to an object that a group releases is revoked with the object") {
    group g{*dev};
    const auto object = emplace();
    g.keep();
    const revocable<state> file = devm_revocable(*dev, object).value();
    CHECK(file.try_access());
    CHECK(g.release() == 2);
    CHECK(!alive);
    CHECK(!file.try_access());
    CHECK(dev->resources().empty());
}

TEST_CASE_METHOD(fixture, "access that a group revokes leaves the object alone") {
    const auto object = emplace();
    group g{*dev};
    const revocable<state> file = devm_revocable(*dev, object).value();
    CHECK(g.release() == 1);
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

// What is shown.

TEST_CASE_METHOD(fixture, "access to a view shows the view, until what it looks at goes") {
    group g{*dev};
    const list::handle record = dev->resources().add([](void*) {}, nullptr, release_step::matter).value();
    g.keep();
    const revocable<view> file = devm_revocable(*dev, view(7, record)).value();
    {
        const auto access = file.try_access();
        REQUIRE(access);
        CHECK(access->number == 7);
        CHECK((*access).number == 7);
        access->number = 8;
    }
    CHECK(file.try_access()->number == 8);
    CHECK(g.release() == 2);
    CHECK(!file.try_access());
}

TEST_CASE_METHOD(fixture, "access to a part of an object, to a base of it, or to it as const is access to the object") {
    struct whole : state {
        int number = 5;
        using state::state;
    };
    group g{*dev};
    const auto object = devm_emplace<whole>(*dev, alive).value();
    g.keep();
    const revocable<int> part = devm_revocable(*dev, object.member(&whole::number)).value();
    const revocable<state> base = devm_revocable(*dev, managed_ref<state>(object)).value();
    const revocable<const whole> constant = devm_revocable(*dev, managed_ref<const whole>(object)).value();
    CHECK(*part.try_access() == 5);
    CHECK(base.try_access()->alive == &alive);
    CHECK(constant.try_access()->number == 5);
    CHECK(g.release() == 4);
    CHECK(!part.try_access());
    CHECK(!base.try_access());
    CHECK(!constant.try_access());
}

TEST_CASE_METHOD(fixture, "what has gone, or is another device's, cannot be made accessible") {
    test::core_device other;
    const auto foreign = devm_emplace<int>(other, 1).value();
    group g{*dev};
    const auto object = emplace();
    CHECK(g.release() == 1);
    const std::size_t blocks = memory.blocks;
    CHECK(devm_revocable(*dev, object).error() == errc::enoent);
    CHECK(devm_revocable(*dev, foreign).error() == errc::einval);
    emplace();  // where the object was
    CHECK(devm_revocable(*dev, object).error() == errc::enoent);
    CHECK(memory.blocks == blocks);
}

TEST_CASE("inside a handler of the device nothing is made accessible") {
    test::handled_device handled;
    const auto object = devm_emplace<int>(handled, 1).value();
    handled.inside = true;
    CHECK(devm_revocable(handled, object).error() == errc::edeadlk);
    handled.inside = false;
    CHECK(devm_revocable(handled, object));
    handled.resources().release_all();
    CHECK(handled.memory.blocks == 0);
}

// Accesses of one's own.

TEST_CASE_METHOD(fixture, "a list knows whether it would wait for an access that this thread has open") {
    const auto object = emplace();
    const revocable<state> file = devm_revocable(*dev, object).value();
    CHECK(!dev->resources().would_wait_for_itself());
    {
        auto first = file.try_access();
        CHECK(dev->resources().would_wait_for_itself());
        auto second = file.try_access();
        first = std::move(second);  // closes one, whichever it was
        CHECK(dev->resources().would_wait_for_itself());
    }
    CHECK(!dev->resources().would_wait_for_itself());
    std::atomic<int> said = 0;
    std::thread other([&] {
        const auto access = file.try_access();
        ++said;
        while (said != 2)
            std::this_thread::yield();
    });
    while (said != 1)
        std::this_thread::yield();
    CHECK(!dev->resources().would_wait_for_itself());
    ++said;
    other.join();
}

TEST_CASE_METHOD(fixture, "accesses are closed in any order, of several devices") {
    test::core_device other;
    const revocable<int> second_file = devm_revocable(other, devm_emplace<int>(other, 1).value()).value();
    const revocable<state> file = devm_revocable(*dev, emplace()).value();
    std::optional<revocable<state>::access> first = file.try_access();
    std::optional<revocable<int>::access> second = second_file.try_access();
    std::optional<revocable<state>::access> third = file.try_access();
    first.reset();
    CHECK(dev->resources().would_wait_for_itself());
    CHECK(other.resources().would_wait_for_itself());
    third.reset();
    CHECK(!dev->resources().would_wait_for_itself());
    CHECK(other.resources().would_wait_for_itself());
    second.reset();
    CHECK(!other.resources().would_wait_for_itself());
}

TEST_CASE_METHOD(fixture, "a list that dies while this thread has an access open stops the program, and says why") {
    const revocable<state> file = devm_revocable(*dev, emplace()).value();
    CHECK_THAT(test::last_words([&] {
                   const auto access = file.try_access();
                   dev.reset();
               }),
               Catch::Matchers::ContainsSubstring("devres: devres revokes an access that this thread has open"));
}

TEST_CASE_METHOD(fixture, "an access that another thread closes stops the program, and says why") {
    const revocable<state> file = devm_revocable(*dev, emplace()).value();
    CHECK_THAT(test::last_words([&] {
                   std::optional<revocable<state>::access> access = file.try_access();
                   std::thread([&] { access.reset(); }).join();
               }),
               Catch::Matchers::ContainsSubstring("devres: an access is closed or moved by another thread"));
}
