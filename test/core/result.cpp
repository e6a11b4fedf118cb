// SPDX-License-Identifier: BSL-1.0
#include <devres/core/result.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "support/catch.hpp"

using devres::errc;
using devres::fail;
using devres::result;

static_assert(std::is_same_v<result<>, std::expected<void, errc>>);
static_assert(std::is_same_v<result<int>, std::expected<int, errc>>);

namespace {

result<int> number(int value) {
    if (value < 0)
        return fail(errc::erange);
    return value;
}

result<> check(bool good) {
    if (!good)
        return fail(errc::einval);
    return {};
}

/// Counts what is alive and how often one was moved.
struct counted {
    static inline int alive = 0;
    static inline int moves = 0;

    counted() { ++alive; }
    counted(counted&&) noexcept {
        ++alive;
        ++moves;
    }
    counted& operator=(counted&&) = delete;
    ~counted() { --alive; }
};

}  // namespace

TEST_CASE("an error made by fail becomes a result of any type") {
    const result<> nothing = fail(errc::enodev);
    const result<std::string> text = fail(errc::enodev);
    CHECK(nothing.error() == errc::enodev);
    CHECK(text.error() == errc::enodev);
}

TEST_CASE("DEVRES_TRY gives the value of a result that has one") {
    const auto sum = []() -> result<int> { return DEVRES_TRY(number(1)) + DEVRES_TRY(number(2)); };
    CHECK(sum() == 3);
}

TEST_CASE("DEVRES_TRY returns the error from a function with a result of another type") {
    const auto to_text = [](int value) -> result<std::string> { return std::to_string(DEVRES_TRY(number(value))); };
    const auto to_nothing = [](int value) -> result<> {
        DEVRES_TRY(number(value));
        return {};
    };
    const auto to_pointer = [](int value) -> result<std::unique_ptr<int>> {
        return std::make_unique<int>(DEVRES_TRY(number(value)));
    };
    CHECK(to_text(4) == "4");
    CHECK(to_text(-1).error() == errc::erange);
    CHECK(to_nothing(4));
    CHECK(to_nothing(-1).error() == errc::erange);
    CHECK(**to_pointer(4) == 4);
    CHECK(to_pointer(-1).error() == errc::erange);
}

TEST_CASE("DEVRES_TRY of a result without a value is a statement") {
    int passed = 0;
    const auto steps = [&](bool first, bool second) -> result<int> {
        DEVRES_TRY(check(first));
        ++passed;
        DEVRES_TRY(check(second));
        ++passed;
        return passed;
    };
    CHECK(steps(true, true) == 2);
    CHECK(steps(true, false).error() == errc::einval);
    CHECK(passed == 3);
    CHECK(steps(false, true).error() == errc::einval);
    CHECK(passed == 3);
}

TEST_CASE("a value that DEVRES_TRY gives may be ignored, without a warning") {
    const auto ignore = [](int value) -> result<> {
        DEVRES_TRY(number(value));
        DEVRES_TRY([]() -> result<std::string> { return "ignored"; }());
        return {};
    };
    CHECK(ignore(1));
    CHECK(ignore(-1).error() == errc::erange);
}

TEST_CASE("DEVRES_TRY hands on what can only be moved") {
    const auto make = [](int value) -> result<std::unique_ptr<int>> {
        if (value < 0)
            return fail(errc::enomem);
        return std::make_unique<int>(value);
    };
    const auto use = [&](int value) -> result<int> {
        DEVRES_TRY(const std::unique_ptr<int> owned, make(value));
        return *owned;
    };
    CHECK(use(7) == 7);
    CHECK(use(-7).error() == errc::enomem);
}

TEST_CASE("DEVRES_TRY may stand inside another, and in the arguments of a call") {
    const auto nested = [](int value) -> result<int> {
        return DEVRES_TRY(number(DEVRES_TRY(number(DEVRES_TRY(number(value)) - 1)) - 1));
    };
    const auto arguments = [](int a, int b) -> result<int> {
        return std::max(DEVRES_TRY(number(a)), DEVRES_TRY(number(b)));
    };
    CHECK(nested(2) == 0);
    CHECK(nested(1).error() == errc::erange);
    CHECK(nested(-1).error() == errc::erange);
    CHECK(arguments(3, 5) == 5);
    CHECK(arguments(3, -5).error() == errc::erange);
}

TEST_CASE("DEVRES_TRY takes an expression with commas") {
    const auto pair = []<class A, class B>(A a, B) -> result<A> { return a; };
    const auto use = [&]() -> result<int> { return DEVRES_TRY(pair.template operator()<int, char>(3, 'x')); };
    CHECK(use() == 3);
}

TEST_CASE("DEVRES_TRY evaluates its expression once") {
    int calls = 0;
    const auto use = [&](int value) -> result<int> { return DEVRES_TRY((++calls, number(value))); };
    CHECK(use(1) == 1);
    CHECK(calls == 1);
    CHECK(!use(-1));
    CHECK(calls == 2);
}

TEST_CASE("DEVRES_TRY leaves one object where a result had one") {
    counted::alive = counted::moves = 0;
    {
        const auto use = [](bool good) -> result<int> {
            const counted before;
            DEVRES_TRY(const counted object, [&]() -> result<counted> {
                if (!good)
                    return fail(errc::eio);
                return counted{};
            }());
            return counted::alive;
        };
        CHECK(use(true) == 2);
        CHECK(counted::alive == 0);
        CHECK(counted::moves <= 2);
        CHECK(use(false).error() == errc::eio);
        CHECK(counted::alive == 0);
    }
}

TEST_CASE("an error that DEVRES_TRY returns releases the guards of the function, newest first") {
    std::string released;
    struct guard {
        std::string* log;
        char name;
        ~guard() { *log += name; }
    };
    const auto probe = [&]() -> result<> {
        const guard first{&released, 'a'};
        const guard second{&released, 'b'};
        DEVRES_TRY(check(false));
        const guard third{&released, 'c'};
        return {};
    };
    CHECK(probe().error() == errc::einval);
    CHECK(released == "ba");
}

TEST_CASE("DEVRES_TRY of a named result leaves that result as it was") {
    const result<std::string> text = "kept";
    const auto use = [&]() -> result<std::size_t> { return DEVRES_TRY(text).size(); };
    CHECK(use() == 4U);
    CHECK(text == "kept");
}
