// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <initializer_list>
#include <ostream>
#include <string>
#include <utility>

/// Matchers for GoogleTest, for EXPECT_THAT of GoogleMock: what a driver holds, what a call answers, what a trace releases in
/// which order.

#if !__has_include(<gtest/gtest-matchers.h>)
#error "<devres/testing/gtest.hpp> needs GoogleTest, 1.12 or later: Debian's libgmock-dev"
#include <devres/stop_reading_here>
#endif
#include <gtest/gtest-matchers.h>

#include <devres/testing/detail/expectations.hpp>

namespace devres::testing {

namespace detail {

/// An expectation as GoogleTest has it: a failure shows the value, what is expected, and what is wrong.
template <class Expectation>
class gtest_matcher {
public:
    using is_gtest_matcher = void;

    explicit gtest_matcher(Expectation expected) : expected_(std::move(expected)) {}

    template <class T>
        requires expects<Expectation, T>
    bool MatchAndExplain(const T& value, std::ostream* explanation) const {
        const std::string wrong = expected_.wrong_with(value);
        if (explanation != nullptr && !wrong.empty())
            *explanation << wrong;
        return wrong.empty();
    }
    void DescribeTo(std::ostream* out) const { *out << expected_.description(); }
    void DescribeNegationTo(std::ostream* out) const { *out << "not: " << expected_.description(); }

private:
    Expectation expected_;
};

}  // namespace detail

/// What GoogleTest's `EXPECT_THAT` takes. It shows values as `<devres/testing/print.hpp>` prints them.
namespace gtest {

/// Of a ledger, or of what an explorer found: `EXPECT_THAT(bus.ledger(), IsClean());`
[[nodiscard]] inline auto IsClean() { return detail::gtest_matcher(detail::expects_clean{}); }

/// Of a result: `EXPECT_THAT(pci::bind<driver>(bus, function), FailsWith(errc::ebusy));`
[[nodiscard]] inline auto FailsWith(errc error) { return detail::gtest_matcher(detail::expects_error{error}); }

/// Of vectors, of the result of their allocation, or of a ledger, which adds up those of all functions.
[[nodiscard]] inline auto HoldsVectors(std::size_t count) {
    return detail::gtest_matcher(detail::expects_vectors{count});
}

/// Of a trace: all that was acquired is released; and once nothing is acquired any more, accesses go before what was started,
/// that before the handlers, these before all that they can use, and the enable after all that needs it. A group that is released then needs
/// the order said.
[[nodiscard]] inline auto ReleasedInOrder() { return detail::gtest_matcher(detail::expects_order{}); }

/// Of a trace: these resources are released in this order, others whenever: `ReleasedInOrder({"irq_handler 0", "irq_vectors"})`.
[[nodiscard]] inline auto ReleasedInOrder(std::initializer_list<std::string> resources) {
    return detail::gtest_matcher(detail::expects_order{resources});
}

}  // namespace gtest
}  // namespace devres::testing
