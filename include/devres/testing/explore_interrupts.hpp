// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string>

#include <devres/testing/exploration.hpp>
#include <devres/testing/interrupting.hpp>

namespace devres::testing {

/// Runs a scenario without an interrupt, then once for each point before and after one of its primitives with
/// the device interrupting there, and then with the device interrupting at every point.
///
/// `scenario` drives an `interrupting` platform and must have given up everything on it when it returns.
/// `fire` is called with the platform underneath, at a time when the driver may have no vectors or handlers
/// yet, or no more. `check` is as for `explore_faults`; so is what ends the exploration early.
///
/// Example:
/// @code
/// const auto explored = testing::explore_interrupts(
///     bus, bind_and_unbind, [&](sim::bus&) { function.raise(0); }, is_clean);
/// CHECK(explored.clean());
/// @endcode
template <platform_source Source, class Scenario, class Fire, class Check>
    requires std::invocable<Scenario&, interrupting<platform_of<Source>>&> &&
             std::invocable<Fire&, platform_of<Source>&> && std::invocable<Check&, platform_of<Source>&>
[[nodiscard]] exploration explore_interrupts(Source&& source, Scenario scenario, Fire fire, Check check) {
    enum class when { never, here, always };
    std::size_t points = 0;  // of the latest run
    const auto run = [&](when fires, std::size_t here) {
        decltype(auto) inner = detail::next_platform(source);
        exploration_run done;
        done.reached = fires != when::here;
        {
            interrupting<platform_of<Source>> platform(inner, [&](const interrupt_point& point) {
                if (fires == when::never || (fires == when::here && point.number != here))
                    return;
                if (fires == when::here)
                    done.what = to_string(point);
                done.reached = true;
                fire(inner);
            });
            done.outcome = scenario(platform);
            points = platform.points();
        }
        done.complaint = check(inner);
        return done;
    };

    exploration explored;
    explored.undisturbed = run(when::never, 0);
    explored.undisturbed.what = "no interrupt, " + std::to_string(points) + " points";
    if (!explored.clean())
        return explored;
    const std::size_t all = points;
    for (std::size_t here = 1; here <= all; ++here) {
        explored.runs.push_back(run(when::here, here));
        if (!explored.runs.back().reached)
            explored.runs.back().what = "point " + std::to_string(here);
    }
    explored.runs.push_back(run(when::always, 0));
    explored.runs.back().what = "every point";
    return explored;
}

}  // namespace devres::testing
