// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Text as people paste it, as lines of plain characters: what mail and terminals do to it is undone.
namespace devres::hardware::detail {

[[nodiscard]] constexpr int hex_digit(char c) noexcept {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/// A line, and where it is in the text that was given, from 1.
struct pasted_line {
    unsigned number = 0;
    std::string text;
};

/// UTF-16 becomes bytes, with '?' for what is not ASCII but spaces; anything else stays.
[[nodiscard]] inline std::string without_utf16(std::string text) {
    if (text.size() < 2)
        return text;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const bool little = (byte(0) == 0xff && byte(1) == 0xfe) || (byte(0) != 0 && byte(1) == 0);
    const bool big = (byte(0) == 0xfe && byte(1) == 0xff) || (byte(0) == 0 && byte(1) != 0);
    if (!little && !big)
        return text;
    std::string out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const unsigned low = byte(little ? i : i + 1);
        const unsigned unit = low | static_cast<unsigned>(byte(little ? i + 1 : i)) << 8U;
        if (unit < 0x80)
            out += static_cast<char>(unit);
        else if (unit == 0xa0 || (unit >= 0x2000 && unit <= 0x200a) || unit == 0x202f || unit == 0x3000)
            out += ' ';
        else if (unit != 0xfeff && unit != 0x200b)
            out += '?';
    }
    return out;
}

/// How many characters an escape sequence at the beginning has; 0 if there is none. Some pastes lose its escape character, or
/// write it as ^[.
[[nodiscard]] inline std::size_t escape_length(std::string_view text) noexcept {
    std::size_t i = 0;
    if (text.starts_with('\x1b'))
        i = 1;
    else if (text.starts_with("^["))
        i = 2;
    if (i != 0 && i < text.size() && text[i] == ']') {  // a title, to BEL or ESC backslash
        const std::size_t end = text.find_first_of("\a\x1b", i);
        return end == std::string_view::npos ? text.size() : end + (text[end] == '\a' ? 1 : 2);
    }
    if (i >= text.size() || text[i] != '[')
        return i;
    const bool bare = i == 0;
    std::size_t end = i + 1;
    while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) != 0 || text[end] == ';' ||
                                 (!bare && text[end] == '?')))
        ++end;
    if (end == text.size())
        return bare ? 0 : end;
    if (bare && text[end] != 'm' && text[end] != 'K')
        return 0;
    return end + 1;
}

/// The entity or tag at the beginning that stands for a character or none: how many characters, and what they stand for.
[[nodiscard]] inline std::pair<std::size_t, std::string_view> markup(std::string_view text) noexcept {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 15> known{{{"&nbsp;", " "},
                                                                                          {"&#160;", " "},
                                                                                          {"&#xa0;", " "},
                                                                                          {"&gt;", ">"},
                                                                                          {"&lt;", "<"},
                                                                                          {"&amp;", "&"},
                                                                                          {"&quot;", "\""},
                                                                                          {"<br>", ""},
                                                                                          {"<br/>", ""},
                                                                                          {"<br />", ""},
                                                                                          {"<pre>", ""},
                                                                                          {"</pre>", ""},
                                                                                          {"<p>", ""},
                                                                                          {"</p>", ""},
                                                                                          {"<code>", ""}}};
    for (const auto& [from, to] : known) {
        if (text.starts_with(from))
            return {from.size(), to};
    }
    return {0, {}};
}

/// One line without escape sequences, markup, control characters and trailing space; every kind of space is one.
[[nodiscard]] inline std::string plain(std::string_view line) {
    static constexpr std::array<std::pair<std::string_view, char>, 10> spaces{{{"\xc2\xa0", ' '},
                                                                               {"\xe2\x80\xaf", ' '},
                                                                               {"\xe3\x80\x80", ' '},
                                                                               {"\xef\xbb\xbf", 0},
                                                                               {"\xe2\x80\x8b", 0},
                                                                               {"\xe2\x80\x8c", 0},
                                                                               {"\xe2\x80\x8d", 0},
                                                                               {"\xe2\x81\xa0", 0},
                                                                               {"\xe2\x80\x8e", 0},
                                                                               {"\xc2\xad", 0}}};
    std::string out;
    while (!line.empty()) {
        const char c = line.front();
        if (c == '\x1b' || c == '^' || c == '[') {
            if (const std::size_t length = escape_length(line); length != 0) {
                line.remove_prefix(std::min(length, line.size()));
                continue;
            }
        } else if (c == '&' || c == '<') {
            if (const auto [length, stands_for] = markup(line); length != 0) {
                out += stands_for;
                line.remove_prefix(length);
                continue;
            }
        } else if (static_cast<unsigned char>(c) >= 0x80) {
            const auto found = std::find_if(spaces.begin(), spaces.end(),
                                            [&](const auto& each) { return line.starts_with(each.first); });
            if (found != spaces.end()) {
                if (found->second != 0)
                    out += found->second;
                line.remove_prefix(found->first.size());
                continue;
            }
            if (line.size() > 2 && line.starts_with("\xe2\x80") && static_cast<unsigned char>(line[2]) <= 0x8a) {
                out += ' ';  // en quad to hair space
                line.remove_prefix(3);
                continue;
            }
            if (c == '\xa0') {  // Latin-1
                out += ' ';
                line.remove_prefix(1);
                continue;
            }
        }
        if (c == '\t' || static_cast<unsigned char>(c) >= 0x20)
            out += c;
        line.remove_prefix(1);
    }
    while (out.size() > 2 && out[0] == '<' &&
           (out[1] == '/' || std::isalpha(static_cast<unsigned char>(out[1])) != 0) &&
           out.find('>') != std::string::npos)
        out.erase(0, out.find('>') + 1);  // the tags of a page
    if (out.ends_with("=20"))             // a space of a mail's whose header was not pasted
        out.resize(out.size() - 3);
    out.erase(out.find_last_not_of(" \t") + 1);
    return out;
}

/// The bytes that a text in base64 stands for; what is no digit of it is passed over.
[[nodiscard]] inline std::string from_base64(std::string_view text) {
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const std::size_t digit = digits.find(c);
        if (digit == std::string_view::npos)
            continue;
        bits = bits << 6U | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xffU);
        }
    }
    return out;
}

/// Cuts a text into lines and undoes what mail does to them: quoted-printable and base64, where a header says so.
class pasted_text {
public:
    explicit pasted_text(std::istream& in) {
        const std::string text = without_utf16(std::string(std::istreambuf_iterator<char>(in), {}));
        unsigned number = 0;
        for (std::string_view rest = text; !rest.empty();) {
            const std::size_t end = rest.find('\n');
            std::string_view line = rest.substr(0, end);
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
            if (line.ends_with('\r'))
                line.remove_suffix(1);
            add(++number, line);
        }
        flush();
    }

    [[nodiscard]] const std::vector<pasted_line>& lines() const noexcept { return lines_; }

private:
    enum class encoding { none, quoted_printable, base64 };

    void add(unsigned number, std::string_view line) {
        if (const auto said = said_encoding(line)) {
            flush();
            encoding_ = *said;
            in_body_ = false;
        }
        if (encoding_ == encoding::base64 && in_body_ && is_base64(line)) {
            if (held_.empty())
                held_from_ = number;
            held_.append(line);
            return;
        }
        if (line.empty())
            in_body_ = true;
        if (encoding_ == encoding::base64) {
            flush();
        } else if (encoding_ == encoding::quoted_printable) {
            if (held_.empty())
                held_from_ = number;
            const bool goes_on = line.ends_with('=');
            held_.append(unquoted(line.substr(0, line.size() - (goes_on ? 1 : 0))));
            if (!goes_on)
                flush();
            return;
        }
        lines_.push_back({number, plain(line)});
    }

    /// What is held is complete.
    void flush() {
        if (held_.empty() && encoding_ != encoding::quoted_printable)
            return;
        const std::string text = encoding_ == encoding::base64 ? from_base64(held_) : std::exchange(held_, {});
        held_.clear();
        for (std::string_view rest = text;;) {
            const std::size_t end = rest.find('\n');
            lines_.push_back({held_from_, plain(rest.substr(0, end))});
            if (end == std::string_view::npos)
                return;
            rest.remove_prefix(end + 1);
        }
    }

    /// What a mail's header says of the lines that follow.
    static std::optional<encoding> said_encoding(std::string_view line) {
        static constexpr std::string_view name = "content-transfer-encoding:";
        if (line.size() < name.size())
            return std::nullopt;
        std::string lower(line);
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (!lower.starts_with(name))
            return std::nullopt;
        return lower.find("quoted-printable") != std::string::npos ? encoding::quoted_printable
               : lower.find("base64") != std::string::npos         ? encoding::base64
                                                                   : encoding::none;
    }

    static bool is_base64(std::string_view line) noexcept {
        return !line.empty() && std::all_of(line.begin(), line.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '=';
        });
    }

    static std::string unquoted(std::string_view line) {
        std::string out;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const int high = line[i] == '=' && i + 2 < line.size() ? hex_digit(line[i + 1]) : -1;
            const int low = high < 0 ? -1 : hex_digit(line[i + 2]);
            if (low < 0) {
                out += line[i];
            } else {
                out += static_cast<char>(high << 4 | low);
                i += 2;
            }
        }
        return out;
    }

    std::vector<pasted_line> lines_;
    encoding encoding_ = encoding::none;
    bool in_body_ = false;
    std::string held_;
    unsigned held_from_ = 0;
};

}  // namespace devres::hardware::detail
