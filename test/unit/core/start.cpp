// SPDX-License-Identifier: BSL-1.0
#include <devres/core/start.hpp>

#include <string>
#include <type_traits>
#include <utility>

#include <devres/core/action.hpp>
#include <devres/core/group.hpp>
#include <devres/core/revocable.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

/// Writes its name in lower case when it is started, in upper case when it is stopped, and '~' and its name at its end.
struct engine {
    std::string* log;
    char name;
    errc failure{};

    engine(std::string& to, char called) noexcept : log(&to), name(called) {}
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() { *log += std::string("~") + name; }

    result<> start() noexcept {
        *log += name;
        if (failure != errc{})
            return fail(failure);
        return {};
    }
    void stop() noexcept {
        *log += static_cast<char>(name - 'a' + 'A');
        errno = EBADF;
    }
};

struct plain {
    void start() {}
    void stop() noexcept {}
};
struct only_start {
    void start() {}
};
struct only_stop {
    void stop() noexcept {}
};
struct throwing_stop {
    void start() {}
    void stop() {}
};
struct int_start {
    int start() { return 0; }
    void stop() noexcept {}
};
struct start_with_argument {
    void start(int) {}
    void stop() noexcept {}
};
struct failing_stop {
    void start() {}
    result<> stop() noexcept { return {}; }
};
struct const_start {
    void start() const {}
    void stop() const noexcept {}
};

template <class Object>
constexpr bool can_start_it = requires(test::core_device& dev, const Object& object) { devm_start(dev, object); };

struct fixture {
    std::string log;
    test::handled_device dev;

    managed_ref<engine> make(char name) { return devm_emplace<engine>(dev, log, name).value(); }
    std::string logged() { return std::exchange(log, {}); }
};

}  // namespace

TEST_CASE("D010: what is started can be stopped, and that cannot fail") {
    STATIC_REQUIRE(can_start_it<managed_ref<engine>>);
    STATIC_REQUIRE(can_start_it<managed_ref<plain>>);
    STATIC_REQUIRE(!can_start_it<managed_ref<only_start>>);
    STATIC_REQUIRE(!can_start_it<managed_ref<only_stop>>);
    STATIC_REQUIRE(!can_start_it<managed_ref<throwing_stop>>);
    STATIC_REQUIRE(!can_start_it<managed_ref<int_start>>);
    STATIC_REQUIRE(!can_start_it<managed_ref<start_with_argument>>);
    STATIC_REQUIRE(!can_start_it<managed_ref<failing_stop>>);
    STATIC_REQUIRE(can_start_it<managed_ref<const_start>>);
    STATIC_REQUIRE(can_start_it<managed_ref<const const_start>>);
    STATIC_REQUIRE(!can_start_it<managed_ref<const plain>>);
    STATIC_REQUIRE(!can_start_it<plain>);
}

TEST_CASE_METHOD(fixture, "what is started is started at once, and stopped once, before all but accesses") {
    const auto a = make('a');
    dev.resources().release_through(release_step::users);
    REQUIRE(devm_start(dev, a));
    CHECK(logged() == "a");
    test::release_log records;
    struct note_of {
        std::string* log;
        char what;
    } notes[] = {{&log, 'h'}, {&log, 'u'}, {&log, 'm'}, {&log, 'c'}};
    const auto note = [](void* argument) {
        const auto& said = *static_cast<note_of*>(argument);
        *said.log += said.what;
    };
    REQUIRE(dev.resources().add(note, &notes[0], release_step::handlers));
    REQUIRE(dev.resources().add(note, &notes[1], release_step::users));
    REQUIRE(dev.resources().add(note, &notes[2], release_step::matter));
    REQUIRE(dev.resources().add(note, &notes[3], release_step::code));
    dev.resources().release_all();
    CHECK(logged() == "uAhc~am");
    CHECK(dev.memory.blocks == 0);
}

TEST_CASE_METHOD(fixture, "of several that are started the newest is stopped first, whatever the age of the objects") {
    const auto a = make('a');
    const auto b = make('b');
    const auto c = make('c');
    REQUIRE(devm_start(dev, b));
    REQUIRE(devm_start(dev, a));
    REQUIRE(devm_start(dev, c));
    CHECK(logged() == "bac");
    dev.resources().release_all();
    CHECK(logged() == "CAB~c~b~a");
}

TEST_CASE_METHOD(fixture, "a start that fails is recorded nowhere, and nothing is stopped") {
    const auto a = make('a');
    a->failure = errc::eio;
    const std::size_t blocks = dev.memory.blocks;
    CHECK(devm_start(dev, a).error() == errc::eio);
    CHECK(logged() == "a");
    CHECK(dev.memory.blocks == blocks);
    CHECK(dev.resources().release_all() == 1);
    CHECK(logged() == "~a");
}

TEST_CASE_METHOD(fixture, "a start that cannot be recorded is not made") {
    const auto a = make('a');
    SECTION("for want of memory for the record") {
        // The list's own small blocks: the object has one of them.
        unsigned taken = 1;
        for (; taken != devres::detail::record_memory::first_block; ++taken)
            REQUIRE(devm_emplace<int>(dev, 1));
        dev.memory.allowance = 0;
    }
    SECTION("for want of a place in the list") {
        dev.memory.allowance = 0;
        while (devm_add_action(dev, [](void*) {}, nullptr))
            continue;
    }
    CHECK(devm_start(dev, a).error() == errc::enomem);
    CHECK(logged().empty());
    dev.resources().release_all();
    CHECK(logged() == "~a");
    CHECK(dev.memory.blocks == 0);
}

TEST_CASE_METHOD(fixture, "what has gone or is another device's cannot be started, nor anything inside a handler") {
    test::core_device other;
    const auto foreign = devm_emplace<engine>(other, log, 'f').value();
    group g{dev};
    const auto gone = make('g');
    CHECK(g.release() == 1);
    const auto a = make('a');  // where the one that has gone was
    logged();
    CHECK(devm_start(dev, gone).error() == errc::enoent);
    CHECK(devm_start(dev, foreign).error() == errc::einval);
    dev.inside = true;
    CHECK(devm_start(dev, a).error() == errc::edeadlk);
    dev.inside = false;
    CHECK(logged().empty());
    CHECK(devm_start(dev, a));
    CHECK(logged() == "a");
}

TEST_CASE_METHOD(fixture, "a group stops what it has started before anything of it goes") {
    const auto a = make('a');
    group g{dev};
    const auto b = make('b');
    REQUIRE(devm_start(dev, a));
    REQUIRE(devm_start(dev, b));
    REQUIRE(make('c').get().name == 'c');
    g.keep();
    logged();
    CHECK(g.release() == 4);
    CHECK(logged() == "BA~c~b");
}

TEST_CASE_METHOD(fixture, "an object that a group releases is stopped first, wherever it was started") {
    group g{dev};
    const auto a = make('a');
    g.keep();
    REQUIRE(devm_start(dev, a));
    logged();
    CHECK(g.release() == 2);
    CHECK(logged() == "A~a");
    CHECK(dev.resources().empty());
}

TEST_CASE_METHOD(fixture, "an object may be started as const, and a part of an object") {
    struct machine {
        mutable std::string* to;
        engine part;
        explicit machine(std::string& text) noexcept : to(&text), part(text, 'p') {}
        void start() const { *to += '('; }
        void stop() const noexcept { *to += ')'; }
    };
    const auto whole = devm_emplace<const machine>(dev, log).value();
    REQUIRE(devm_start(dev, whole));
    const auto changeable = devm_emplace<machine>(dev, log).value();
    REQUIRE(devm_start(dev, changeable.member(&machine::part)));
    CHECK(logged() == "(p");
    dev.resources().release_all();
    CHECK(logged() == "P)~p~p");
}

TEST_CASE_METHOD(fixture, "an access is closed before what it may wait for is stopped") {
    const auto a = make('a');
    const revocable<engine> file = devm_revocable(dev, a).value();
    struct watching {
        const revocable<engine>* file;
        bool* open;
        void start() noexcept {}
        void stop() noexcept { *open = static_cast<bool>(file->try_access()); }
    };
    bool open = true;
    REQUIRE(devm_start(dev, devm_emplace<watching>(dev, &file, &open).value()));
    dev.resources().release_all();
    CHECK(!open);
}

TEST_CASE_METHOD(fixture, "errno is kept when what was started is stopped") {
    REQUIRE(devm_start(dev, make('a')));
    CHECK(test::keeps_errno([&] { dev.resources().release_all(); }));
}

#if defined(__cpp_exceptions)
TEST_CASE("a start that throws is recorded nowhere") {
    struct throwing {
        int* stops;
        void start() { throw 42; }
        void stop() noexcept { ++*stops; }
    };
    test::core_device dev;
    int stops = 0;
    const auto object = devm_emplace<throwing>(dev, &stops).value();
    CHECK_THROWS_AS((void)devm_start(dev, object), int);
    CHECK(dev.resources().release_all() == 1);
    CHECK(stops == 0);
    CHECK(dev.memory.blocks == 0);
}
#endif

// Sleeping and waking: what `bind` does for a driver without hooks of its own.

TEST_CASE_METHOD(fixture, "what was started is halted newest first and started again oldest first") {
    REQUIRE(devm_start(dev, make('a')));
    REQUIRE(devm_start(dev, make('b')));
    REQUIRE(dev.resources().add([](void*) {}, nullptr, release_step::stop));  // no start: left alone
    logged();
    devres::detail::halt_started(dev.resources());
    CHECK(logged() == "BA");
    devres::detail::halt_started(dev.resources());  // halted already
    CHECK(logged().empty());
    CHECK(devres::detail::start_again(dev.resources()));
    CHECK(logged() == "ab");
    CHECK(devres::detail::start_again(dev.resources()));  // running already
    CHECK(logged().empty());
    dev.resources().release_all();
    CHECK(logged() == "BA~b~a");
}

TEST_CASE_METHOD(fixture, "what is halted is not stopped again at the unbind") {
    REQUIRE(devm_start(dev, make('a')));
    devres::detail::halt_started(dev.resources());
    logged();
    dev.resources().release_all();
    CHECK(logged() == "~a");
}

TEST_CASE_METHOD(fixture, "starting again ends with the first that fails, and what did not start is not stopped") {
    const auto a = make('a');
    const auto b = make('b');
    const auto c = make('c');
    for (const auto& each : {a, b, c})
        REQUIRE(devm_start(dev, each));
    devres::detail::halt_started(dev.resources());
    logged();
    b->failure = errc::eio;
    CHECK(devres::detail::start_again(dev.resources()).error() == errc::eio);
    CHECK(logged() == "ab");
    dev.resources().release_all();
    CHECK(logged() == "A~c~b~a");
}
