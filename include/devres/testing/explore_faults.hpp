// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>

#include <devres/testing/exploration.hpp>
#include <devres/testing/faulty.hpp>

namespace devres::testing {

/// How many steps fail in a run: each one alone, or each one alone and then each pair, the later of the two
/// being any step that the driver makes once the earlier one has failed.
enum class fault_depth { singles, pairs };

/// Runs a scenario without a fault, then once for each of its fallible steps with that step failing.
///
/// `scenario` drives a `faulty` platform and must have given up everything on it when it returns. `check` is
/// called with the platform underneath after each run, and answers what is wrong, or an empty string: a
/// resource that is still held, a state that is not as before. If it complains of the undisturbed run, or that
/// run fails, no other is made.
///
/// Example:
/// @code
/// const auto explored = testing::explore_faults(
///     bus,
///     [&](auto& platform) -> result<> {
///         DEVRES_TRY(auto binding, pci::bind<driver>(platform, function));
///         return {};
///     },
///     [](sim::bus& after) { return std::string(after.ledger().clean() ? "" : "not clean"); });
/// INFO(explored);
/// CHECK(explored.clean());
/// @endcode
template <platform_source Source, class Scenario, class Check>
    requires std::invocable<Scenario&, faulty<platform_of<Source>>&> && std::invocable<Check&, platform_of<Source>&>
[[nodiscard]] exploration explore_faults(Source&& source, Scenario scenario, Check check,
                                         fault_depth depth = fault_depth::singles) {
    std::size_t steps = 0;  // of the latest run
    const auto run = [&](const fault_steps& failing) {
        decltype(auto) inner = detail::next_platform(source);
        exploration_run done;
        {
            faulty<platform_of<Source>> platform(inner, failing);
            done.outcome = scenario(platform);
            const auto made = platform.steps();
            steps = made.size();
            done.reached = platform.injected() == failing;
            for (const std::size_t step : failing) {
                if (!done.what.empty())
                    done.what += ", ";
                done.what += step <= steps ? made[step - 1] : "step " + std::to_string(step);
            }
        }
        done.complaint = check(inner);
        return done;
    };

    exploration explored;
    explored.undisturbed = run({});
    explored.undisturbed.what = "no fault, " + std::to_string(steps) + " steps";
    if (!explored.clean())
        return explored;
    const std::size_t all = steps;
    for (std::size_t first = 1; first <= all; ++first) {
        explored.runs.push_back(run({first}));
        const std::size_t after_fault = steps;
        for (std::size_t second = first + 1; depth == fault_depth::pairs && second <= after_fault; ++second)
            explored.runs.push_back(run({first, second}));
    }
    return explored;
}

}  // namespace devres::testing
