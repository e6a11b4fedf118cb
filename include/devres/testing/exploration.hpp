// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <devres/core/result.hpp>
#include <devres/pci/platform.hpp>

namespace devres::testing {

/// One run of a scenario by an explorer: what was done to it, and what came of it.
struct exploration_run {
    std::string what;       ///< `step 7: register_handler vector 2 "switchtec-event"`
    bool reached = true;    ///< the scenario got to where it was to be disturbed
    result<> outcome;       ///< what the scenario returned
    std::string complaint;  ///< what the checker found wrong afterwards; empty: nothing
};

/// What an explorer found: the undisturbed run, and the disturbed ones in order.
///
/// A fault that did not come out as an error is not a fault of the driver in itself, which may be able to do
/// without: look at the `outcome` of the runs where the driver is not.
struct exploration {
    exploration_run undisturbed;        ///< the scenario as it is
    std::vector<exploration_run> runs;  ///< what was done to it, in order

    /// True if the undisturbed run succeeded, every other one got to its point, and the checker complained of none.
    [[nodiscard]] bool clean() const {
        const auto good = [](const exploration_run& run) { return run.reached && run.complaint.empty(); };
        return undisturbed.outcome && good(undisturbed) && std::ranges::all_of(runs, good);
    }

    /// How many runs ended without an error.
    [[nodiscard]] std::size_t tolerated() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(runs, [](const exploration_run& run) { return run.outcome.has_value(); }));
    }
};

/// A line for each run, those that are not good marked with `!`.
inline std::ostream& operator<<(std::ostream& out, const exploration& explored) {
    const auto line = [&](const exploration_run& run, bool good) {
        out << (good ? "  " : "! ") << run.what << " -> ";
        if (!run.reached)
            out << "not reached";
        else
            out << (run.outcome ? "no error" : message(run.outcome.error()));
        if (!run.complaint.empty())
            out << "; " << run.complaint;
        out << '\n';
    };
    const exploration_run& first = explored.undisturbed;
    line(first, first.outcome && first.complaint.empty());
    for (const exploration_run& run : explored.runs)
        line(run, run.reached && run.complaint.empty());
    return out;
}

namespace detail {

template <class Source>
struct made_platform {
    using type = std::remove_cvref_t<std::invoke_result_t<Source&>>;
};
template <pci::platform P>
struct made_platform<P> {
    using type = P;
};

template <class Source>
decltype(auto) next_platform(Source& source) {
    if constexpr (pci::platform<Source>)
        return (source);
    else
        return source();
}

}  // namespace detail

/// What an explorer runs a scenario on: one platform for all runs, or a function that gives the platform of
/// each run, by reference or as a new object.
template <class Source>
concept platform_source = pci::platform<std::remove_reference_t<Source>> ||
                          (std::invocable<Source&> &&
                           pci::platform<std::remove_cvref_t<std::invoke_result_t<Source&>>>);

/// The type of the platform that a `platform_source` gives.
template <platform_source Source>
using platform_of = typename detail::made_platform<std::remove_reference_t<Source>>::type;

}  // namespace devres::testing
