// SPDX-License-Identifier: BSL-1.0
#include <devres/core/try.hpp>

#include <memory>
#include <string>
#include <utility>

#include <devres/core/result.hpp>

#include "support/catch.hpp"

using devres::errc;
using devres::fail;
using devres::result;

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

/// Whether `DEVRES_TRY(expr)` and `DEVRES_TRY(auto x, expr)` compile.
template <class Result>
constexpr bool can_drop = requires(const Result& outcome) { devres::detail::failed<0>(outcome); };
template <class Result>
constexpr bool can_keep = requires(const Result& outcome) { devres::detail::failed<1>(outcome); };

}  // namespace

TEST_CASE("DEVRES_TRY gives the value of a result that has one") {
    const auto sum = []() -> result<int> {
        DEVRES_TRY(const int one, number(1));
        DEVRES_TRY(auto two, number(2));
        return one + two;
    };
    CHECK(sum() == 3);
}

TEST_CASE("DEVRES_TRY returns the error from a function with a result of another type") {
    const auto to_text = [](int value) -> result<std::string> {
        DEVRES_TRY(auto whole, number(value));
        return std::to_string(whole);
    };
    const auto to_nothing = [](int value) -> result<> {
        DEVRES_TRY(number(value));
        return {};
    };
    const auto to_pointer = [](int value) -> result<std::unique_ptr<int>> {
        DEVRES_TRY(auto whole, number(value));
        return std::make_unique<int>(whole);
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

TEST_CASE("DEVRES_TRY may follow another, and stand in a loop and behind a condition") {
    const auto nested = [](int value) -> result<int> {
        DEVRES_TRY(const int one, number(value));
        DEVRES_TRY(const int two, number(one - 1));
        DEVRES_TRY(const int three, number(two - 1));
        return three;
    };
    const auto total = [](int from) -> result<int> {
        int sum = 0;
        for (int i = 0; i != 3; ++i) {
            DEVRES_TRY(const int next, number(from - i));
            if (next != 0) {
                DEVRES_TRY(check(next > 0));
            }
            sum += next;
        }
        return sum;
    };
    CHECK(nested(2) == 0);
    CHECK(nested(1).error() == errc::erange);
    CHECK(nested(-1).error() == errc::erange);
    CHECK(total(3) == 6);
    CHECK(total(2) == 3);
    CHECK(total(1).error() == errc::erange);
}

TEST_CASE("DEVRES_TRY assigns to what stands first where it declares nothing") {
    struct holder {
        int member = 0;
        int items[2] = {};
    };
    holder kept;
    const auto assign = [&](int value) -> result<> {
        DEVRES_TRY(kept.member, number(value));
        DEVRES_TRY(kept.items[1], number(value - 1));
        return {};
    };
    CHECK(assign(3));
    CHECK(kept.member == 3);
    CHECK(kept.items[1] == 2);
    CHECK(assign(0).error() == errc::erange);
    CHECK(kept.member == 0);
    CHECK(kept.items[1] == 2);
}

TEST_CASE("DEVRES_TRY takes an expression with commas, in parentheses where there is nothing to keep") {
    const auto pair = []<class A, class B>(A a, B) -> result<A> { return a; };
    const auto use = [&]() -> result<int> {
        DEVRES_TRY(auto first, pair.template operator()<int, char>(3, 'x'));
        DEVRES_TRY((pair.template operator()<int, char>(4, 'x')));
        return first;
    };
    CHECK(use() == 3);
}

TEST_CASE("DEVRES_TRY evaluates its expression once") {
    int calls = 0;
    const auto use = [&](int value) -> result<int> {
        DEVRES_TRY(auto once, (++calls, number(value)));
        return once;
    };
    CHECK(use(1) == 1);
    CHECK(calls == 1);
    CHECK(!use(-1));
    CHECK(calls == 2);
}

TEST_CASE("DEVRES_TRY moves the value of a result once, and what is left of the result goes with the function's own") {
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
        CHECK(use(true) == 3);
        CHECK(counted::alive == 0);
        CHECK(counted::moves <= 2);  // one of them into the result
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
    result<std::string> other = "kept too";
    const auto use = [&]() -> result<std::size_t> {
        DEVRES_TRY(text);
        DEVRES_TRY(other);
        DEVRES_TRY(auto copy, other);
        return copy.size() - 4;
    };
    CHECK(use() == 4U);
    CHECK(text == "kept");
    CHECK(other == "kept too");
}

TEST_CASE("DEVRES_TRY of a named result that it keeps moves out of it") {
    const auto use = []() -> result<std::unique_ptr<int>> {
        result<std::unique_ptr<int>> made = std::make_unique<int>(5);
        DEVRES_TRY(auto kept, std::move(made));
        return kept;
    };
    CHECK(**use() == 5);
}

TEST_CASE("D009: DEVRES_TRY drops no value that can only be moved, which owns something") {
    STATIC_REQUIRE(can_drop<result<>>);
    STATIC_REQUIRE(can_drop<result<int>>);
    STATIC_REQUIRE(can_drop<result<std::string>>);
    STATIC_REQUIRE(!can_drop<result<std::unique_ptr<int>>>);
    STATIC_REQUIRE(can_keep<result<std::unique_ptr<int>>>);
}
