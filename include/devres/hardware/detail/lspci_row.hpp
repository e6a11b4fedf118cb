// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <devres/hardware/capabilities.hpp>
#include <devres/hardware/config_space.hpp>
#include <devres/hardware/detail/lspci_marks.hpp>
#include <devres/hardware/detail/text.hpp>

/// A row of bytes, as lspci, the kernel, xxd, hexdump and od write it.
namespace devres::hardware::detail {

inline constexpr unsigned row_size = 16;

/// Bytes of configuration space, and the offset that they are said to be at.
struct lspci_row {
    unsigned offset = 0;
    std::optional<unsigned> octal_offset;  ///< if it may be one of od's
    std::vector<std::uint8_t> bytes;       ///< 16 if the row is whole
    bool whole = false;
    bool colon = true;     ///< behind the offset, as lspci has it; false: of hexdump or od
    bool of_file = false;  ///< as tools for files write it
};

[[nodiscard]] inline bool are_hex(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return hex_digit(c) >= 0; });
}
[[nodiscard]] inline std::uint8_t byte_of(std::string_view digits) noexcept {
    return static_cast<std::uint8_t>(hex_digit(digits[0]) << 4 | hex_digit(digits[1]));
}

/// Two hexadecimal digits for each byte, spaces between them, `max` at the most; what follows must be no byte. A mark may touch
/// the last: "00</pre>". EFI's shell has a dash in the middle, a program's text "0x00,".
[[nodiscard]] inline std::optional<std::vector<std::uint8_t>> find_bytes(std::string_view text, std::size_t max,
                                                                         bool to_the_end) {
    std::vector<std::uint8_t> out;
    for (text = without_space(text); !text.empty(); text = without_space(text)) {
        if (text.starts_with("0x"))
            text.remove_prefix(2);
        std::size_t end = std::min(text.find_first_of(" \t"), text.size());
        if (end == 5 && text[2] == '-' && out.size() == 7)
            end = 3;
        const bool last = out.size() + 1 == max && !to_the_end;
        const bool touched = end > 2 && ((last && std::isalnum(static_cast<unsigned char>(text[2])) == 0) ||
                                         (end == 3 && (text[2] == '-' || text[2] == ',')));
        if ((end != 2 && !touched) || !are_hex(text.substr(0, 2))) {
            if (to_the_end || out.size() != max)
                return std::nullopt;
            break;
        }
        if (out.size() == max)
            return std::nullopt;
        out.push_back(byte_of(text));
        text.remove_prefix(end);
    }
    return out;
}

/// Whether sixteen bytes can be the first of a configuration space, by vendor, header type and class; all ones can.
[[nodiscard]] inline bool begins_config(std::span<const std::uint8_t> bytes) noexcept {
    namespace reg = pci::registers;
    const unsigned base_class = field(bytes, reg::revision, 4) >> 24U;
    const bool known_class = base_class <= 0x14 || base_class == 0x40 || base_class == 0xff;
    const bool ones = std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0xff; });
    return ones || (known_class && field(bytes, reg::vendor_id, 2) != 0 &&
                    (field(bytes, reg::header_type, 1) & reg::header::layout) <= reg::header::cardbus);
}

/// Groups of `digits`: as they follow in the file (xxd), or little-endian numbers (hexdump, od -x).
[[nodiscard]] inline std::vector<std::uint8_t> find_words(std::string_view text, std::size_t digits,
                                                          bool little_endian) {
    std::vector<std::uint8_t> out;
    for (text = without_space(text); !text.empty() && out.size() != row_size; text = without_space(text)) {
        const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
        if (end != digits || !are_hex(text.substr(0, digits)))
            return {};
        for (std::size_t i = 0; i != digits; i += 2)
            out.push_back(byte_of(text.substr(little_endian ? digits - 2 - i : i)));
        text.remove_prefix(end);
    }
    return out.size() == row_size ? out : std::vector<std::uint8_t>();
}

/// The offset that a row begins with, as it is written, and whether a colon is behind it.
struct row_offset {
    std::string_view digits;
    std::size_t end = 0;
    bool colon = true;
    bool space = true;  // behind it
};
[[nodiscard]] inline std::optional<row_offset> find_offset(std::string_view text) {
    const std::size_t begin = text.starts_with("0x") || text.starts_with("0X") ? 2 : 0;
    std::size_t end = begin;
    while (end != text.size() && end - begin <= 8 && hex_digit(text[end]) >= 0)
        ++end;
    const std::size_t count = end - begin;
    row_offset out{.digits = text.substr(begin, count), .end = end, .colon = end != text.size() && text[end] == ':'};
    out.end += out.colon ? 1 : 0;
    if (count < 2 || count > 8 || out.end == text.size() || (!out.colon && count < 6))
        return std::nullopt;
    out.space = text[out.end] == ' ' || text[out.end] == '\t';
    if (!out.space && (!out.colon || hex_digit(text[out.end]) < 0))
        return std::nullopt;
    return out;
}

/// "00: 86 80 ...", "ff0: 00 ...", "00000010: ...", "00000010  00 ...". Sixteen bytes, with anything behind them, or fewer and nothing.
[[nodiscard]] inline std::optional<lspci_row> find_row(std::string_view text) {
    const auto at = find_offset(text);
    if (!at)
        return std::nullopt;
    lspci_row out;
    out.colon = at->colon;
    out.of_file = !at->colon || at->digits.size() > 3;
    const char* const digits_end = at->digits.data() + at->digits.size();
    (void)std::from_chars(at->digits.data(), digits_end, out.offset, 16);
    if (unsigned octal = 0; !out.colon && std::from_chars(at->digits.data(), digits_end, octal, 8).ptr == digits_end)
        out.octal_offset = octal;
    if (out.offset % row_size != 0)
        return std::nullopt;
    const std::string_view rest = text.substr(at->end);
    auto bytes = find_bytes(rest, row_size, false);
    out.whole = bytes && bytes->size() == row_size;
    if (!out.whole && at->digits.size() >= 6) {
        bytes = find_words(rest, 4, !out.colon);
        if (bytes->empty() && !out.colon)
            bytes = find_words(rest, 8, true);
        out.whole = !bytes->empty();
    }
    if (!out.whole)
        bytes = out.colon && at->space ? find_bytes(rest, row_size, true) : std::nullopt;
    if (!bytes || bytes->empty())
        return std::nullopt;
    out.bytes = std::move(*bytes);
    return out;
}

/// Where a whole row begins that something stands before: "host kernel: 00: 86 80 ..."; npos if there is none.
[[nodiscard]] inline std::size_t find_row_inside(std::string_view line) {
    for (std::size_t colon = line.find(": "); colon != std::string_view::npos; colon = line.find(": ", colon + 1)) {
        std::size_t begin = colon;
        while (begin != 0 && colon - begin != 8 && hex_digit(line[begin - 1]) >= 0)
            --begin;
        if (const auto row = find_row(line.substr(begin)); row && row->whole)
            return begin;
    }
    return std::string_view::npos;
}

/// Where a row ends that is known to begin at `begin`: behind its last byte.
[[nodiscard]] inline std::size_t row_end(std::string_view line, std::size_t begin) {
    std::size_t at = line.find_first_of(": ", begin);
    for (unsigned digits = 0; at != line.size() && digits != 2 * row_size; ++at)
        digits += hex_digit(line[at]) >= 0 ? 1U : 0U;
    return at;
}

/// What begins like a row and is none that can be read.
struct damaged_row {
    unsigned offset = 0;
    bool has_byte = false;  ///< its first is one
};
[[nodiscard]] inline std::optional<damaged_row> find_damaged_row(std::string_view text) {
    const auto at = find_offset(text);
    damaged_row out;
    if (!at || !at->colon || !at->space || (at->digits.size() > 3 && at->digits.size() != 8))
        return std::nullopt;
    (void)std::from_chars(at->digits.data(), at->digits.data() + at->digits.size(), out.offset, 16);
    const std::string_view rest = without_space(text.substr(at->end));
    if (out.offset % row_size != 0 || out.offset >= config_space::size)
        return std::nullopt;
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    out.has_byte = word.size() >= 2 && word.size() % 2 == 0 && are_hex(word);
    return out;
}

}  // namespace devres::hardware::detail
