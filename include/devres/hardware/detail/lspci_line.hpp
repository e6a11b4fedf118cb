// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <devres/hardware/detail/pasted_text.hpp>
#include <devres/pci/address.hpp>

/// What a line of lspci's says: a function begins, a row of its bytes, or anything else.
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
    for (;;) {
        line = without_space(line);
        const char first = line.empty() ? ' ' : line.front();
        const char last = first == '<' ? '>' : first == '[' ? ']' : first == '{' ? '}' : ' ';
        if (last != ' ') {
            const std::size_t end = line.substr(0, 40).find(last);
            if (end == std::string_view::npos)
                return line;
            line.remove_prefix(end + 1);
        } else if (first == '`' || first == '"' || first == '\'') {
            line.remove_prefix(1);
        } else if (line.starts_with("\xe2\x80\x9c") || line.starts_with("\xe2\x80\x98")) {
            line.remove_prefix(3);
        } else {
            return line;
        }
    }
}

/// The beginning of a function: where it is, and what is said of it.
struct lspci_header {
    std::optional<pci::address> address;  ///< nothing: of `-P`, which leaves bus numbers out
    std::string_view path;                ///< of `-P` and `-PP`, up to the last slash
    std::string_view last;                ///< behind it
    std::string_view description;
};

/// "03:00.0 Ethernet controller: ...", "0000:00:1c.0/03:00.0 ...".
[[nodiscard]] inline std::optional<lspci_header> find_header(std::string_view text) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, end);
    lspci_header out;
    const std::size_t slash = word.rfind('/');
    if (slash != std::string_view::npos)
        out.path = word.substr(0, slash);
    out.last = word.substr(slash == std::string_view::npos ? 0 : slash + 1);
    out.description = without_space(text.substr(end));
    const auto parse = [](std::string_view part) -> std::optional<pci::address> {
        const auto found = pci::address::parse(part.data(), part.size());
        return found ? std::optional(*found) : std::nullopt;
    };
    out.address = parse(out.last);
    if (slash == std::string_view::npos)
        return out.address ? std::optional(out) : std::nullopt;
    const auto first = parse(out.path.substr(0, out.path.find('/')));
    if (!first)
        return std::nullopt;
    if (out.address) {  // the domain is said once, at the beginning
        out.address = pci::address(first->domain(), out.address->bus(), out.address->device(), out.address->function());
        return out;
    }
    const bool device_and_function = out.last.size() == 4 && out.last[2] == '.' && hex_digit(out.last[0]) >= 0 &&
                                     hex_digit(out.last[1]) >= 0 && hex_digit(out.last[3]) >= 0;
    return device_and_function ? std::optional(out) : std::nullopt;
}

/// "pci 0000:03:00.0: config space:", with anything before it: the kernel's pci=earlydump, and what drivers print of theirs.
[[nodiscard]] inline std::optional<lspci_header> find_earlydump(std::string_view text) {
    const std::size_t at = text.find(" config space");
    if (at == std::string_view::npos)
        return std::nullopt;
    std::string_view word = text.substr(0, at);
    word = word.substr(word.rfind(' ') + 1);
    if (word.ends_with(':'))
        word.remove_suffix(1);
    const auto where = pci::address::parse(word.data(), word.size());
    if (!where)
        return std::nullopt;
    lspci_header out;
    out.address = *where;
    return out;
}

/// Bytes of configuration space, and the offset that they are said to be at.
struct lspci_row {
    unsigned offset = 0;
    std::vector<std::uint8_t> bytes;  ///< 16 if the row is whole
    bool whole = false;
};

/// Two hexadecimal digits for each byte, spaces between them, `max` at the most; what follows must be no byte. A mark may touch
/// the last: "00</pre>".
[[nodiscard]] inline std::optional<std::vector<std::uint8_t>> find_bytes(std::string_view text, std::size_t max,
                                                                         bool to_the_end) {
    std::vector<std::uint8_t> out;
    for (text = without_space(text); !text.empty(); text = without_space(text)) {
        const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
        const bool touched = end > 2 && out.size() + 1 == max && !to_the_end &&
                             std::string_view("<[`{\"'").find(text[2]) != std::string_view::npos;
        const bool is_byte = (end == 2 || touched) && hex_digit(text[0]) >= 0 && hex_digit(text[1]) >= 0;
        if (!is_byte) {
            if (to_the_end || out.size() != max)
                return std::nullopt;
            break;
        }
        if (out.size() == max)
            return std::nullopt;
        out.push_back(static_cast<std::uint8_t>(hex_digit(text[0]) << 4 | hex_digit(text[1])));
        text.remove_prefix(end);
    }
    return out;
}

/// "00: 86 80 ...", "ff0: 00 ...", "00000010: ...". Sixteen bytes, with anything behind them, or fewer and nothing.
[[nodiscard]] inline std::optional<lspci_row> find_row(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon < 2 || colon > 8 || colon + 1 == text.size() ||
        (text[colon + 1] != ' ' && text[colon + 1] != '\t'))
        return std::nullopt;
    lspci_row out;
    const auto [end, error] = std::from_chars(text.data(), text.data() + colon, out.offset, 16);
    if (error != std::errc() || end != text.data() + colon || out.offset % 16 != 0)
        return std::nullopt;
    auto bytes = find_bytes(text.substr(colon + 1), 16, false);
    out.whole = bytes && bytes->size() == 16;
    if (!out.whole)
        bytes = find_bytes(text.substr(colon + 1), 16, true);
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

/// Whether it begins as the row at `due` does, with its offset and a byte.
[[nodiscard]] inline bool is_nearly_row(std::string_view text, std::size_t due) {
    const std::size_t colon = text.find(':');
    std::size_t offset = 0;
    if (colon == std::string_view::npos || colon < 2 || colon > 3 || colon + 3 >= text.size())
        return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + colon, offset, 16);
    return error == std::errc() && end == text.data() + colon && offset == due && text[colon + 1] == ' ' &&
           hex_digit(text[colon + 2]) >= 0 && hex_digit(text[colon + 3]) >= 0 &&
           (colon + 4 == text.size() || text[colon + 4] == ' ');
}

/// A size that -v says: "Memory at fe800000 (64-bit, non-prefetchable) [size=16K]", with -vv after "Region 0: ".
struct said_size {
    std::optional<unsigned> region;
    bool io = false;
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
};

[[nodiscard]] inline std::optional<said_size> find_size(std::string_view text) {
    const std::size_t size = text.find("[size=");
    const std::size_t at = text.find(" at ");
    if (size == std::string_view::npos || at == std::string_view::npos || at > size || text.starts_with("Expansion"))
        return std::nullopt;
    said_size out;
    const char* const end = text.data() + text.size();
    const bool escaped = text.substr(size + 6).starts_with("3D");  // quoted-printable that was not said to be
    const auto digits = std::from_chars(text.data() + size + (escaped ? 8 : 6), end, out.bytes);
    if (digits.ec != std::errc())
        return std::nullopt;
    const std::string_view units = "KMGT";
    if (const std::size_t unit = digits.ptr != end ? units.find(*digits.ptr) : std::string_view::npos;
        unit != std::string_view::npos && out.bytes >> (54 - 10 * unit) == 0)
        out.bytes <<= 10 * (unit + 1);
    (void)std::from_chars(text.data() + at + 4, text.data() + size, out.address, 16);  // "<ignored>" stays 0
    if (text.starts_with("Region ") && text.size() > 7 && text[7] >= '0' && text[7] <= '5')
        out.region = static_cast<unsigned>(text[7] - '0');
    out.io = text.find("I/O ports") < at;
    return out;
}

}  // namespace devres::hardware::detail
