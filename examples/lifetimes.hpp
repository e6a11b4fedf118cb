// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <devres/testing/trace.hpp>

/// From when to when a driver held each resource, as a trace tells.
namespace examples {

/// One resource: which entries of the trace acquired and released it, and which were its interrupts.
struct lifetime {
    devres::testing::trace_entry acquired;
    std::size_t begin = 0;
    std::optional<std::size_t> end{};
    std::vector<std::size_t> interrupts{};
};

/// Every resource of the trace, in the order in which they were acquired.
[[nodiscard]] inline std::vector<lifetime> lifetimes_of(std::span<const devres::testing::trace_entry> trace) {
    using devres::testing::trace_step;
    std::vector<lifetime> all;
    for (std::size_t i = 0; i != trace.size(); ++i) {
        const auto& entry = trace[i];
        if (entry.step == trace_step::acquired)
            all.push_back({entry, i});
        if (entry.step != trace_step::released && entry.step != trace_step::interrupt)
            continue;
        // The youngest of its name that is held: of several with one name, the one with the same detail.
        lifetime* which = nullptr;
        for (lifetime& each : all) {
            const auto& of = each.acquired;
            const bool same = entry.step == trace_step::interrupt || of.detail == entry.detail;
            if (!each.end && of.who == entry.who && of.resource == entry.resource && same)
                which = &each;
        }
        if (which != nullptr && entry.step == trace_step::released)
            which->end = i;
        else if (which != nullptr)
            which->interrupts.push_back(i);
    }
    return all;
}

/// Whether all were released, and from the outside in: what was started, then handlers, then the rest, each of them newest first.
[[nodiscard]] inline bool released_in_order(std::span<const lifetime> all) {
    const auto ring = [](const lifetime& of) {
        const std::string& resource = of.acquired.resource;
        return resource == "start" ? 0 : resource.starts_with("irq_handler") ? 1 : 2;
    };
    return std::ranges::all_of(all, [&](const lifetime& older) {
        return older.end && std::ranges::all_of(all, [&](const lifetime& newer) {
                   const bool inner = older.begin < newer.begin && newer.begin < *older.end &&
                                      newer.acquired.who == older.acquired.who && ring(older) >= ring(newer);
                   return !inner || (newer.end && *newer.end < *older.end);
               });
    });
}

}  // namespace examples
