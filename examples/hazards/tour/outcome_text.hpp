// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "hazards/tour/text.hpp"
#include "replay/machine.hpp"

/// What became of a program, in a few words.
namespace hazards {

[[nodiscard]] inline unsigned count(const replay::outcome& of, lm::warning_kind kind) {
    return static_cast<unsigned>(std::ranges::count(of.warnings, kind));
}

/// Whether nothing is worth a word.
[[nodiscard]] inline bool clean(const replay::outcome& of) {
    return of.oops.empty() && of.probe == 0 && of.warnings.empty() && of.after.vectors_live == 0 &&
           of.after.handlers_live == 0 && of.rebind == 0;
}

/// What is left when the driver is gone: "nothing", or what.
[[nodiscard]] inline std::string left_behind(const replay::outcome& of) {
    std::vector<std::string> parts;
    if (of.after.vectors_live != 0)
        parts.push_back(counted(of.after.vectors_live, "vector"));
    if (of.after.handlers_live != 0)
        parts.push_back(counted(of.after.handlers_live, "handler"));
    if (const unsigned leaked = count(of, lm::warning_kind::rpe); leaked != 0)
        parts.push_back("the " + std::string(leaked == 1 ? "record" : "records") + " of " + counted(leaked, "handler"));
    if (of.after.msix_enabled)
        parts.emplace_back("msix_enabled");
    if (of.after.msi_enabled)
        parts.emplace_back("msi_enabled");
    if (of.after.is_msi_managed)
        parts.emplace_back("is_msi_managed");
    std::string out;
    for (const std::string& part : parts)
        out += (out.empty() ? "" : ", ") + part;
    return out.empty() ? "nothing" : out;
}

/// "4 warnings, 4 handlers leak", "clean".
[[nodiscard]] inline std::string in_words(const replay::outcome& of) {
    if (!of.oops.empty())
        return "the kernel stops in " + of.oops;
    if (clean(of))
        return "clean";
    std::string out;
    const auto add = [&](const std::string& part) { out += (out.empty() ? "" : ", ") + part; };
    if (of.probe != 0)
        add("probe: " + answer_named(of.probe.value_or(0)));
    if (!of.warnings.empty())
        add(counted(of.warnings.size(), "warning"));
    else
        add("no warning");
    const auto leak = [&](unsigned number, const char* what) {
        if (number != 0)
            add(counted(number, what) + (number == 1 ? " leaks" : " leak"));
    };
    leak(of.after.vectors_live, "vector");
    leak(count(of, lm::warning_kind::rpe), "handler");
    if (of.rebind != 0)
        add("the next probe: " + answer_named(of.rebind.value_or(0)));
    return out;
}

}  // namespace hazards
