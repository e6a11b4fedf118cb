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

/// The fourth stage of reading a pasted text: a line becomes what a terminal shows of it, in plain characters.
namespace devres::hardware::detail {

/// A control sequence at the beginning of a text: how many characters it has, 0 if there is none; and if it is one with a number
/// ("ESC [ 12 C"), its letter and the number.
struct control_sequence {
    std::size_t length = 0;
    char letter = 0;
    unsigned number = 0;
};

/// How many characters stand for ESC at the beginning: some pastes write it in other ways.
[[nodiscard]] inline std::size_t escape_mark(std::string_view text) noexcept {
    if (text.starts_with('\x1b'))
        return 1;
    for (const std::string_view written : {"^[", "\\e", "\\033", "\\x1b", "\\u001b", "#033", "\xe2\x90\x9b"}) {
        if (text.starts_with(written) && text.size() > written.size() &&
            std::string_view("[]()").find(text[written.size()]) != std::string_view::npos)
            return written.size();
    }
    return 0;
}

/// The control sequence at the beginning; some pastes lose its ESC, where only colours are told from text.
[[nodiscard]] inline control_sequence find_control(std::string_view text) noexcept {
    std::size_t i = escape_mark(text);
    const bool c1 = text.starts_with("\xc2\x9b");
    const bool bare = i == 0 && !c1;
    if (c1)
        i = 2;
    if (i >= text.size())
        return {i};
    if (!bare && !c1 &&
        std::string_view("]PX^_").find(text[i]) != std::string_view::npos) {  // a title, to BEL or ESC backslash
        const std::size_t end = text.find_first_of("\a\x1b", i);
        return {end == std::string_view::npos ? text.size() : end + (text[end] == '\a' ? 1 : 2)};
    }
    if (!c1 && text[i] != '[') {
        if (bare)
            return {};
        return {i + (std::string_view("()*+-./#% ").find(text[i]) != std::string_view::npos ? 2U : 1U)};
    }
    std::size_t end = c1 ? i : i + 1;
    control_sequence out;
    (void)std::from_chars(text.data() + end, text.data() + text.size(), out.number);
    while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) != 0 || text[end] == ';' ||
                                 (!bare && std::string_view("?>=!: ").find(text[end]) != std::string_view::npos)))
        ++end;
    if (end == text.size())
        return {bare ? 0 : end};
    if (bare && text[end] != 'm' && text[end] != 'K')
        return {};
    out.letter = text[end];
    out.length = end + 1;
    return out;
}

/// A character that is not ASCII: how many bytes it has, and what stands for it.
struct plain_character {
    std::size_t length = 1;
    std::string_view text;
};

/// Spaces of all kinds become one, quotation marks and dashes ASCII's, full-width letters plain ones; what has no width goes.
[[nodiscard]] inline plain_character plain_form(std::string_view text) noexcept {
    static constexpr std::string_view ascii = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_"
                                              "`abcdefghijklmnopqrstuvwxyz{|}~";
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto goes_on = [&](std::size_t i) { return (at(i) & 0xc0U) == 0x80; };
    const unsigned first = at(0);
    if (first >= 0xc2 && first < 0xe0 && goes_on(1)) {
        if (first != 0xc2)
            return {2, text.substr(0, 2)};
        return {2, at(1) == 0xa0                    ? " "
                   : at(1) == 0xad || at(1) < 0xa0  ? ""
                   : at(1) == 0xab || at(1) == 0xbb ? "\""
                                                    : text.substr(0, 2)};
    }
    if (first >= 0xe0 && first < 0xf0 && goes_on(1) && goes_on(2)) {
        const unsigned unit = (first & 0xfU) << 12U | (at(1) & 0x3fU) << 6U | (at(2) & 0x3fU);
        if ((unit >= 0x2000 && unit <= 0x200a) || unit == 0x202f || unit == 0x205f || unit == 0x3000)
            return {3, " "};
        if ((unit >= 0x200b && unit <= 0x200f) || (unit >= 0x202a && unit <= 0x202e) ||
            (unit >= 0x2060 && unit <= 0x2069) || unit == 0xfeff)
            return {3, ""};
        if (unit >= 0x2010 && unit <= 0x2015)
            return {3, "-"};
        if (unit >= 0x2018 && unit <= 0x201b)
            return {3, "'"};
        if (unit >= 0x201c && unit <= 0x201f)
            return {3, "\""};
        if (unit == 0x2502 || unit == 0x2503)  // the frame of a table
            return {3, "|"};
        if (unit >= 0xff01 && unit <= 0xff5e)
            return {3, ascii.substr(unit - 0xff01, 1)};
        return {3, text.substr(0, 3)};
    }
    if (first >= 0xf0 && goes_on(1) && goes_on(2) && goes_on(3))
        return {4, text.substr(0, 4)};
    switch (first) {  // Latin-1, Windows-1252
    case 0xa0: return {1, " "};
    case 0xad: return {1, ""};
    case 0x91:
    case 0x92: return {1, "'"};
    case 0x93:
    case 0x94:
    case 0xab:
    case 0xbb: return {1, "\""};
    case 0x96:
    case 0x97: return {1, "-"};
    default: return {1, text.substr(0, 1)};
    }
}

/// A line of a terminal, with a cursor that goes back for a character that is struck over.
class terminal_line {
public:
    explicit terminal_line(std::string_view line) {
        while (!line.empty())
            line.remove_prefix(std::min(take(line), line.size()));
        text_.erase(text_.find_last_not_of(" \t") + 1);
    }
    [[nodiscard]] std::string text() && { return std::move(text_); }

private:
    std::size_t take(std::string_view rest) {
        const char c = rest.front();
        if (c == '\b' || rest.starts_with("^H")) {
            cursor_ -= cursor_ == 0 ? 0 : 1;
            return c == '\b' ? 1 : 2;
        }
        if (rest == "^M")
            return 2;
        if (rest.starts_with("#011")) {  // a tab, of syslog
            put("\t");
            return 4;
        }
        if (c == '\x1b' || std::string_view("^[\\#\xe2\xc2").find(c) != std::string_view::npos) {
            if (const control_sequence found = find_control(rest); found.length != 0) {
                obey(found);
                return found.length;
            }
        }
        if (static_cast<unsigned char>(c) >= 0x80) {
            const plain_character found = plain_form(rest);
            put(found.text);
            return found.length;
        }
        if (c == '\t' || (c >= 0x20 && c != 0x7f))
            put(rest.substr(0, 1));
        return 1;
    }

    void put(std::string_view what) {
        text_.replace(std::min(cursor_, text_.size()), std::min(what.size(), text_.size() - cursor_), what);
        cursor_ += what.size();
    }
    void obey(const control_sequence& control) {
        const std::size_t by = std::min<std::size_t>(std::max(control.number, 1U), 200);
        if (control.letter == 'D') {
            cursor_ -= std::min(by, cursor_);
        } else if (control.letter == 'C') {
            for (std::size_t i = 0; i != by; ++i)
                cursor_ < text_.size() ? void(++cursor_) : put(" ");
        } else if (control.letter == 'K' && control.number == 0) {
            text_.resize(cursor_);
        }
    }

    std::string text_;
    std::size_t cursor_ = 0;  // at the end of the text at the most
};

/// What is seen of a line, without trailing space.
[[nodiscard]] inline std::string seen_of(std::string line) {
    const auto special = [](unsigned char c) {
        return (c < 0x20 && c != '\t') || c >= 0x7f || c == '^' || c == '[' || c == '\\' || c == '#';
    };
    if (std::any_of(line.begin(), line.end(), special))
        return terminal_line(line).text();
    line.erase(line.find_last_not_of(" \t") + 1);
    return line;
}

}  // namespace devres::hardware::detail
