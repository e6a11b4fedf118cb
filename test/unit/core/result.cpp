// SPDX-License-Identifier: BSL-1.0
#include <devres/core/result.hpp>

#include <string>
#include <type_traits>

#include "support/catch.hpp"

using devres::errc;
using devres::fail;
using devres::result;

static_assert(std::is_same_v<result<>, std::expected<void, errc>>);
static_assert(std::is_same_v<result<int>, std::expected<int, errc>>);

TEST_CASE("an error made by fail becomes a result of any type") {
    const result<> nothing = fail(errc::enodev);
    const result<std::string> text = fail(errc::enodev);
    CHECK(nothing.error() == errc::enodev);
    CHECK(text.error() == errc::enodev);
}
