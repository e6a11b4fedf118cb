// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The first stage of reading a pasted text: its bytes become lines, whatever characters and line ends it is written in.
namespace devres::hardware::detail {

/// A line, and where it is in the text that was given, from 1.
struct pasted_line {
    unsigned number = 0;
    std::string text;
};
using pasted_lines = std::vector<pasted_line>;

inline void append_utf8(std::string& out, std::uint32_t unit) {
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (unit < 0x80)
        return put(unit);
    if (unit < 0x800) {
        put(0xc0U | unit >> 6U);
    } else {
        put(0xe0U | unit >> 12U);
        put(0x80U | (unit >> 6U & 0x3fU));
    }
    put(0x80U | (unit & 0x3fU));
}

/// UTF-16 becomes UTF-8, with '?' for halves of pairs; anything else stays. Without a byte order mark, it is known by its zeros.
[[nodiscard]] inline std::string in_utf8(std::string text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.size() < 2)
        return text;
    std::size_t zeros[2]{};
    const std::size_t looked_at = std::min<std::size_t>(text.size(), 512);
    for (std::size_t i = 0; i != looked_at; ++i)
        zeros[i % 2] += text[i] == '\0' ? 1U : 0U;
    const bool little = (byte(0) == 0xff && byte(1) == 0xfe) || (zeros[1] > looked_at / 3 && zeros[0] == 0);
    const bool big = (byte(0) == 0xfe && byte(1) == 0xff) || (zeros[0] > looked_at / 3 && zeros[1] == 0);
    if (!little && !big)
        return text;
    std::string out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const unsigned unit = little ? byte(i) | static_cast<unsigned>(byte(i + 1)) << 8U
                                     : byte(i + 1) | static_cast<unsigned>(byte(i)) << 8U;
        append_utf8(out, unit >= 0xd800 && unit <= 0xdfff ? '?' : unit);
    }
    return out;
}

/// What a file is that is no text; empty if nothing is known of it.
[[nodiscard]] inline std::string_view packed_kind(std::string_view bytes) noexcept {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kinds{
        {{"\x1f\x8b", "a gzip file"},
         {"BZh", "a bzip2 file"},
         {"\xfd"
          "7zXZ",
          "an xz file"},
         {"PK\x03\x04", "a zip file"},
         {"\x28\xb5\x2f\xfd", "a zstd file"},
         {"7z\xbc\xaf", "a 7z file"},
         {"%PDF", "a PDF"},
         {"\x89PNG", "a picture"},
         {"\xff\xd8\xff", "a picture"}}};
    for (const auto& [magic, kind] : kinds) {
        if (bytes.starts_with(magic))
            return kind;
    }
    return {};
}

/// How many bytes the end of a line at the beginning of `text` has; 0 if there is none. Besides LF, CR and both: form feed, vertical
/// tab, NEL, and Unicode's separators of lines and paragraphs.
[[nodiscard]] inline std::size_t line_end(std::string_view text, bool behind_utf8) noexcept {
    switch (static_cast<unsigned char>(text.front())) {
    case '\r': return text.starts_with("\r\n") ? 2 : 1;
    case '\n':
    case '\f':
    case '\v': return 1;
    case 0x85: return behind_utf8 ? 0 : 1;  // of Latin-1
    case 0xc2: return text.starts_with("\xc2\x85") ? 2 : 0;
    case 0xe2: return text.starts_with("\xe2\x80\xa8") || text.starts_with("\xe2\x80\xa9") ? 3 : 0;
    default: return 0;
    }
}

/// Cuts a text into lines. They are numbered from `first` as an editor does: at each LF, or each CR if there is no LF; with
/// `in_one`, all have the same number.
[[nodiscard]] inline pasted_lines lines_of(std::string_view text, unsigned first = 1, bool in_one = false) {
    pasted_lines out;
    const char counts = text.find('\n') == std::string_view::npos ? '\r' : '\n';
    unsigned number = first;
    std::size_t begin = 0;
    for (std::size_t at = 0; (at = text.find_first_of("\n\r\f\v\x85\xc2\xe2", at)) != std::string_view::npos;) {
        const bool behind_utf8 = at != begin && static_cast<unsigned char>(text[at - 1]) >= 0x80;
        const std::size_t length = line_end(text.substr(at), behind_utf8);
        if (length == 0) {
            ++at;
            continue;
        }
        out.push_back({number, std::string(text.substr(begin, at - begin))});
        if (!in_one && text.substr(at, length).find(counts) != std::string_view::npos)
            ++number;
        at += length;
        begin = at;
    }
    if (begin != text.size())
        out.push_back({number, std::string(text.substr(begin))});
    return out;
}

}  // namespace devres::hardware::detail
