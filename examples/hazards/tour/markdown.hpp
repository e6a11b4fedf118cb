// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

#include "hazards/tour/text.hpp"

/// The tour's texts as Markdown.
namespace hazards::detail {

constexpr std::size_t markdown_width = 120;

/// A text with what is code in it marked as such: words with an underscore or brackets.
[[nodiscard]] inline std::string with_code(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        const std::size_t begin = std::min(word.find_first_not_of("(\""), word.size());
        std::size_t end = word.find_last_not_of(".,:;\"") + 1;
        if (end > begin && word[end - 1] == ')' && word.substr(begin, end - begin).find('(') == std::string_view::npos)
            --end;
        const std::string_view core = word.substr(begin, end - begin);
        const bool is_code = core.find('_') != std::string_view::npos || core.find("()") != std::string_view::npos;
        const bool is_marked = core.find('`') != std::string_view::npos || core.find('[') != std::string_view::npos;
        if (!out.empty())
            out += ' ';
        if (is_code && !is_marked)
            out.append(word.substr(0, begin)).append("`").append(core).append("`").append(word.substr(end));
        else
            out.append(word);
    }
    return out;
}

inline void markdown(std::ostream& out, std::string_view text) {
    for (const std::string& line : wrapped(with_code(text), markdown_width))
        out << line << '\n';
    out << '\n';
}

/// The anchor that a heading has on GitHub.
[[nodiscard]] inline std::string anchor_of(std::string_view heading) {
    std::string out;
    for (const char c : heading) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-')
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        else if (c == ' ')
            out += '-';
    }
    return out;
}

}  // namespace hazards::detail
