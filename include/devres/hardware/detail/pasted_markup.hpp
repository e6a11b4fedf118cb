// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <devres/hardware/detail/pasted_bytes.hpp>
#include <devres/hardware/detail/text.hpp>

/// The third stage of reading a pasted text: the tags and entities of pages and the escapes of strings are undone.
namespace devres::hardware::detail {

/// The text of a string of JSON's or of a program's: "\n" is a line's end in it.
[[nodiscard]] inline std::string unescaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t slashes = text.find_first_not_of('\\') == std::string_view::npos
                                        ? 0
                                        : text.find_first_not_of('\\');
        if (slashes == 0) {
            out += text.front() == '"' ? '\n' : text.front();  // where the string begins or ends
            text.remove_prefix(1);
            continue;
        }
        const char c = text[slashes];
        text.remove_prefix(slashes + 1);
        std::uint32_t unit = 0;
        if (c == 'n' || c == 'r' || c == 't') {
            out += c == 'n' ? '\n' : c == 't' ? '\t' : '\r';
        } else if (c == 'u' && text.size() >= 4 &&
                   std::from_chars(text.data(), text.data() + 4, unit, 16).ptr == text.data() + 4) {
            append_utf8(out, unit);
            text.remove_prefix(4);
        } else {
            if (c != '"' && c != '\'' && c != '/')
                out += '\\';
            out += c;
        }
    }
    return out;
}

/// What an entity at the beginning of `text` stands for, and how many characters it has, 0 if it is none.
[[nodiscard]] inline std::pair<std::size_t, std::string> entity(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> known{{{"nbsp", " "},
                                                                                         {"gt", ">"},
                                                                                         {"lt", "<"},
                                                                                         {"quot", "\""},
                                                                                         {"apos", "'"},
                                                                                         {"colon", ":"},
                                                                                         {"Tab", "\t"},
                                                                                         {"NewLine", "\n"},
                                                                                         {"period", "."}}};
    const std::size_t end = text.substr(0, 12).find(';');
    if (end == std::string_view::npos)
        return {};
    const std::string_view name = text.substr(1, end - 1);
    for (const auto& [from, to] : known) {
        if (name == from)
            return {end + 1, std::string(to)};
    }
    if (name.size() < 2 || name[0] != '#')
        return {};
    const bool hexadecimal = name[1] == 'x' || name[1] == 'X';
    const std::string_view digits = name.substr(hexadecimal ? 2 : 1);
    std::uint32_t unit = 0;
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit,
                                               hexadecimal ? 16 : 10);
    if (error != std::errc() || last != digits.data() + digits.size() || unit > 0xffff)
        return {};
    std::string out;
    append_utf8(out, unit);
    return {end + 1, out};
}

/// What a tag of HTML's is to the text.
enum class tag : unsigned char { unknown, nothing, space, line };

/// The tag whose name is at the beginning of `text`, behind its bracket.
[[nodiscard]] inline tag tag_of(std::string_view text) {
    static constexpr std::array<std::string_view, 17> lines{"br",    "p",          "div", "tr",   "li",  "pre",
                                                            "table", "blockquote", "hr",  "h1",   "h2",  "h3",
                                                            "h4",    "ul",         "ol",  "body", "html"};
    static constexpr std::array<std::string_view, 18> others{"span", "font",  "a",    "b",      "i",     "u",
                                                             "tt",   "code",  "em",   "strong", "head",  "meta",
                                                             "o:p",  "tbody", "samp", "kbd",    "small", "img"};
    if (text.starts_with('/'))
        text.remove_prefix(1);
    std::string name(text.substr(0, std::min({text.find_first_of(" \t/>"), text.size(), std::size_t{12}})));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::find(lines.begin(), lines.end(), name) != lines.end())
        return tag::line;
    if (name == "td" || name == "th")
        return tag::space;
    return std::find(others.begin(), others.end(), name) != others.end() ? tag::nothing : tag::unknown;
}

/// A text without the tags and entities of HTML.
[[nodiscard]] inline std::string without_tags(std::string text) {
    for (std::size_t at = 0; (at = text.find("&amp;", at)) != std::string::npos;)
        text.erase(at + 1, 4);  // it may have been escaped more than once
    std::string out;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t plain = std::min(rest.find_first_of("<&"), rest.size());
        out += rest.substr(0, plain);
        rest.remove_prefix(plain);
        if (rest.empty())
            break;
        if (rest.front() == '&') {
            const auto [length, stands_for] = entity(rest);
            out += length == 0 ? "&" : stands_for;
            rest.remove_prefix(std::max<std::size_t>(length, 1));
            continue;
        }
        const tag found = tag_of(rest.substr(1));
        const std::size_t end = rest.find('>');
        if (found == tag::unknown || end == std::string_view::npos) {
            out += '<';
            rest.remove_prefix(1);
            continue;
        }
        if (found != tag::nothing)
            out += found == tag::line ? '\n' : ' ';
        rest.remove_prefix(end + 1);
    }
    return out;
}

/// Whether a tag begins in a line and does not end there.
[[nodiscard]] inline bool has_open_tag(std::string_view text) {
    const std::size_t open = text.rfind('<');
    return open != std::string_view::npos && text.find('>', open) == std::string_view::npos &&
           tag_of(text.substr(open + 1)) != tag::unknown;
}

/// Lines without markup; one that had more than one in it becomes as many, with its number.
[[nodiscard]] inline pasted_lines without_markup(pasted_lines lines) {
    constexpr std::size_t max_lines_of_tag = 8;
    pasted_lines out;
    for (std::size_t i = 0; i != lines.size(); ++i) {
        std::string& text = lines[i].text;
        const unsigned number = lines[i].number;
        const bool escaped = text.find("\\n") != std::string::npos;
        if (!escaped && text.find_first_of("<&") == std::string::npos) {
            out.push_back(std::move(lines[i]));
            continue;
        }
        std::string whole = std::move(text);
        for (std::size_t more = 0, tag = 0; has_open_tag(whole) && more != max_lines_of_tag && i + 1 != lines.size();
             ++more) {
            if (std::exchange(tag, whole.rfind('<')) != tag)
                more = 0;
            whole += ' ' + lines[++i].text;
        }
        whole = without_tags(escaped ? unescaped(whole) : std::move(whole));
        for (pasted_line& each : lines_of(whole, number, true))
            out.push_back(std::move(each));
    }
    return out;
}

}  // namespace devres::hardware::detail
