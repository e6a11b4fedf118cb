// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <devres/linux_model.hpp>

/// How the tour says things: small pieces of text.
namespace hazards {

namespace lm = devres::linux_model;

/// A line of what is done or happens, and in which phase; of the same phase as the line before if that is empty.
struct phase_line {
    std::string phase;
    std::string text;

    friend bool operator==(const phase_line&, const phase_line&) = default;
};

/// Adds a line, with its phase if that is another one than that of the lines before.
inline void add_line(std::vector<phase_line>& to, std::string& latest, std::string_view phase, std::string text) {
    to.push_back({phase == latest ? "" : std::string(phase), std::move(text)});
    latest = phase;
}

/// "4 vectors", "1 vector".
[[nodiscard]] inline std::string counted(std::size_t count, std::string_view what) {
    return std::to_string(count).append(" ").append(what).append(count == 1 ? "" : "s");
}

/// "vector 3", "vectors 3 to 0", "vectors 0, 2".
[[nodiscard]] inline std::string vectors_named(const std::vector<unsigned>& vectors) {
    if (vectors.size() == 1)
        return "vector " + std::to_string(vectors.front());
    bool up = true;
    bool down = true;
    for (std::size_t i = 1; i < vectors.size(); ++i) {
        up = up && vectors[i] == vectors[i - 1] + 1;
        down = down && vectors[i] + 1 == vectors[i - 1];
    }
    if (up || down)
        return "vectors " + std::to_string(vectors.front()) + " to " + std::to_string(vectors.back());
    std::string out = "vectors ";
    for (std::size_t i = 0; i != vectors.size(); ++i)
        out += (i == 0 ? "" : ", ") + std::to_string(vectors[i]);
    return out;
}

/// What a C function answered: "0", "4", "-EINVAL".
[[nodiscard]] inline std::string answer_named(int answer) {
    switch (answer) {
    case -5: return "-EIO";
    case -14: return "-EFAULT";
    case -16: return "-EBUSY";
    case -22: return "-EINVAL";
    case -28: return "-ENOSPC";
    default: return std::to_string(answer);
    }
}

/// A text in lines of at most `width` characters, broken at blanks.
[[nodiscard]] inline std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    while (text.size() > width) {
        std::size_t cut = text.rfind(' ', width);
        if (cut == std::string_view::npos)
            cut = std::min(text.find(' '), text.size());
        lines.emplace_back(text.substr(0, cut));
        text.remove_prefix(std::min(cut + 1, text.size()));
    }
    lines.emplace_back(text);
    return lines;
}

}  // namespace hazards
