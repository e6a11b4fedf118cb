// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>

/// The fifth stage of reading a pasted text: what mails, pages, forums, logs and tools put before each line.
namespace devres::hardware::detail {

[[nodiscard]] inline std::string_view without_space(std::string_view text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    return text;
}

/// Where a line begins behind what a mail quotes it with and indents it by.
[[nodiscard]] inline std::size_t quote_length(std::string_view line) noexcept {
    return std::min(line.find_first_not_of(" \t>|"), line.size());
}

/// What stands behind the marks that a page, a forum or a log puts before a line: "<pre>", "[code]", "[ 12.3]", "<6>", "{noformat}",
/// "```", quotation marks.
[[nodiscard]] inline std::string_view behind_marks(std::string_view line) noexcept {
    constexpr std::size_t max_mark = 40;
    for (;;) {
        line = without_space(line);
        const char first = line.empty() ? ' ' : line.front();
        const char last = first == '<' ? '>' : first == '[' ? ']' : first == '{' ? '}' : ' ';
        if (line.starts_with("['") || line.starts_with("[\"")) {  // a list of strings
            line.remove_prefix(2);
        } else if (last != ' ') {
            const std::size_t end = line.substr(0, max_mark).find(last);
            if (end == std::string_view::npos)
                return line;
            line.remove_prefix(end + 1);
        } else if (first == '`' || first == '"' || first == '\'') {
            line.remove_prefix(1);
        } else {
            return line;
        }
    }
}

/// What is alike in what stands before the lines of one listing, the name of a host or the time: letters, and a 0 for each number.
[[nodiscard]] inline std::string shape_of(std::string_view before) {
    std::string out;
    bool in_number = false;
    for (const char c : before) {
        const auto byte = static_cast<unsigned char>(c);
        const bool digit = std::isdigit(byte) != 0;
        if (digit && !in_number)
            out += '0';
        else if (std::isalpha(byte) != 0 || byte >= 0x80)
            out += c;
        in_number = digit;
    }
    return out;
}

}  // namespace devres::hardware::detail
