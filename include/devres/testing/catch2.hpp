// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

/// Matchers for Catch2 2.13 and 3: what a driver holds, what a call answers, what a trace releases in which order.

// The version that is included already, or else the one at hand.
#if !defined(CATCH_VERSION_MAJOR) || CATCH_VERSION_MAJOR >= 3
#if __has_include(<catch2/matchers/catch_matchers_templated.hpp>)
#include <catch2/matchers/catch_matchers_templated.hpp>
#define DEVRES_CATCH2_3 1
#elif defined(CATCH_VERSION_MAJOR)
#define DEVRES_CATCH2_3 1
#elif __has_include(<catch2/catch.hpp>)
#include <catch2/catch.hpp>
#else
#error "<devres/testing/catch2.hpp> needs Catch2, 2.13 or 3: Debian's catch2; or include its header before"
#include <devres/stop_reading_here>
#endif
#endif

#include <devres/testing/detail/expectations.hpp>

namespace devres::testing {

namespace detail {

#ifdef DEVRES_CATCH2_3
using catch_matcher_base = Catch::Matchers::MatcherGenericBase;
#else
struct catch_matcher_base {};
#endif

/// An expectation as Catch2 has it: a failure shows the value, what is expected, and what is wrong.
template <class Expectation>
class catch_matcher : public catch_matcher_base {
public:
    explicit catch_matcher(Expectation expected) : expected_(std::move(expected)) {}

    template <class T>
        requires expects<Expectation, T>
    [[nodiscard]] bool match(const T& value) const {
        wrong_ = expected_.wrong_with(value);
        if constexpr (devres::detail::printable<T>) {
            std::ostringstream text;
            text << value;
            separator_ = text.view().find('\n') != std::string_view::npos ? "\n" : "";
        }
        return wrong_.empty();
    }

#ifdef DEVRES_CATCH2_3
    [[nodiscard]] std::string describe() const override { return text(); }
#else
    [[nodiscard]] std::string toString() const { return text(); }
#endif

private:
    [[nodiscard]] std::string text() const {
        return separator_ + expected_.description() + (wrong_.empty() ? "" : " (" + wrong_ + ')');
    }

    Expectation expected_;
    mutable std::string wrong_{};         // with the value that was last matched
    mutable const char* separator_ = "";  // from it, where it is of several lines
};

}  // namespace detail

/// What Catch2's `CHECK_THAT` takes, of version 2.13 and 3. It shows values as `<devres/testing/print.hpp>` prints them.
namespace catch2 {

/// Of a ledger, or of what an explorer found: `CHECK_THAT(bus.ledger(), IsClean());`
[[nodiscard]] inline auto IsClean() { return detail::catch_matcher(detail::expects_clean{}); }

/// Of a result: `CHECK_THAT(pci::bind<driver>(bus, function), FailsWith(errc::ebusy));`
[[nodiscard]] inline auto FailsWith(errc error) { return detail::catch_matcher(detail::expects_error{error}); }

/// Of vectors, of the result of their allocation, or of a ledger, which adds up those of all functions.
[[nodiscard]] inline auto HoldsVectors(std::size_t count) {
    return detail::catch_matcher(detail::expects_vectors{count});
}

/// Of a trace: all that was acquired is released; and once nothing is acquired any more, accesses go before what was started,
/// that before the handlers, these before all that they can use, and the enable after all that needs it. A group that is released then needs
/// the order said.
[[nodiscard]] inline auto ReleasedInOrder() { return detail::catch_matcher(detail::expects_order{}); }

/// Of a trace: these resources are released in this order, others whenever: `ReleasedInOrder({"irq_handler 0", "irq_vectors"})`.
[[nodiscard]] inline auto ReleasedInOrder(std::initializer_list<std::string> resources) {
    return detail::catch_matcher(detail::expects_order{resources});
}

}  // namespace catch2
}  // namespace devres::testing
