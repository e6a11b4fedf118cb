// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// How a reader of dumps counts and names.
namespace devres::hardware::detail {

[[nodiscard]] inline std::string counted(std::size_t count, std::string_view what) {
    return std::to_string(count).append(" ").append(what).append(count == 1 ? "" : "s");
}
/// "3 functions (00:00.0, 00:01.0, ...)"
[[nodiscard]] inline std::string some(std::string_view what, const std::vector<std::string>& names) {
    std::string out = counted(names.size(), what) + " (";
    for (std::size_t i = 0; i != std::min<std::size_t>(names.size(), 3); ++i)
        out += (i == 0 ? "" : ", ") + names[i];
    return out + (names.size() > 3 ? ", ...)" : ")");
}

}  // namespace devres::hardware::detail
