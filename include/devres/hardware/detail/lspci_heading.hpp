// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <devres/hardware/detail/lspci_marks.hpp>
#include <devres/hardware/detail/lspci_row.hpp>
#include <devres/hardware/detail/text.hpp>
#include <devres/pci/address.hpp>

/// The line that a function begins with: where it is, and what is said of it.
namespace devres::hardware::detail {

/// The beginning of a function.
struct lspci_heading {
    std::optional<pci::address> address;  ///< nothing: of `-P`, which leaves bus numbers out
    std::string_view path;                ///< of `-P` and `-PP`, up to the last slash
    std::string_view last;                ///< behind it; without a path, the address as it is written
    std::string_view description;
    std::string_view before;   ///< what stands before it in its line
    bool exact = true;         ///< false: the address has lost digits
    bool no_function = false;  ///< the function's number is one of them
};

[[nodiscard]] inline std::optional<pci::address> address_in(std::string_view word) noexcept {
    const auto found = pci::address::parse(word.data(), word.size());
    return found ? std::optional(*found) : std::nullopt;
}

/// "03:00.0 Ethernet controller: ...", "0000:00:1c.0/03:00.0 ...".
[[nodiscard]] inline std::optional<lspci_heading> find_heading(std::string_view text) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, end);
    lspci_heading out;
    const std::size_t slash = word.rfind('/');
    if (slash != std::string_view::npos)
        out.path = word.substr(0, slash);
    out.last = word.substr(slash == std::string_view::npos ? 0 : slash + 1);
    out.description = without_space(text.substr(end));
    out.address = address_in(out.last);
    if (slash == std::string_view::npos)
        return out.address ? std::optional(out) : std::nullopt;
    const auto first = address_in(out.path.substr(0, out.path.find('/')));
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

/// "0:1f.2 ...", "000:00:1f.2 ...", "00:1f SATA controller: ...": an address that has lost digits, at the beginning.
[[nodiscard]] inline std::optional<lspci_heading> find_damaged_heading(std::string_view text) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    std::string_view word = text.substr(0, end);
    lspci_heading out;
    out.last = word;
    out.description = without_space(text.substr(end));
    out.exact = false;
    const auto take = [&word](std::size_t from, std::size_t max) -> std::optional<std::uint32_t> {
        const std::string_view digits = word.substr(from);
        word = word.substr(0, from == 0 ? 0 : from - 1);
        std::uint32_t value = 0;
        for (const char c : digits) {
            if (hex_digit(c) < 0)
                return std::nullopt;
            value = value << 4U | static_cast<std::uint32_t>(hex_digit(c));
        }
        return digits.empty() || digits.size() > max ? std::nullopt : std::optional(value);
    };
    if (word.empty() || word.find('/') != std::string_view::npos)
        return std::nullopt;
    out.no_function = word.find('.') == std::string_view::npos;
    const auto function = out.no_function ? std::optional(0U) : take(word.rfind('.') + 1, 1);
    const std::size_t colon = word.rfind(':');
    const auto device = colon == std::string_view::npos ? std::nullopt : take(colon + 1, 2);
    const auto bus = take(word.rfind(':') + 1, 2);
    const auto domain = word.empty() ? std::optional(0U) : take(0, 8);
    const bool described = out.description.empty() || out.description.find(": ") != std::string_view::npos ||
                           out.description.front() == '"';
    if (!function || *function > 7 || !device || *device > 0x1f || !bus || !domain || (out.no_function && !described))
        return std::nullopt;
    out.address = pci::address(*domain, static_cast<std::uint8_t>(*bus), static_cast<std::uint8_t>(*device),
                               static_cast<std::uint8_t>(*function));
    return out;
}

/// Every whole address in a line that something stands before: "host kernel: 03:00.0 ...", "12:03:00.0 ...".
[[nodiscard]] inline std::vector<lspci_heading> headings_inside(std::string_view line) {
    std::vector<lspci_heading> out;
    for (std::size_t dot = line.find('.'); dot != std::string_view::npos; dot = line.find('.', dot + 1)) {
        if (dot < 5 || dot + 2 > line.size())
            continue;
        std::size_t begin = dot - 5;
        const std::size_t end = dot + 2;
        const auto is_word = [&](std::size_t i) { return std::isalnum(static_cast<unsigned char>(line[i])) != 0; };
        if (!address_in(line.substr(begin, 7)) || (end < line.size() && is_word(end)))
            continue;
        for (const std::size_t domain : {std::size_t{5}, std::size_t{9}}) {
            if (begin >= domain && address_in(line.substr(begin - domain, end - begin + domain))) {
                begin -= domain;
                break;
            }
        }
        if (begin != 0 && is_word(begin - 1))
            continue;
        std::string_view behind = line.substr(end);
        behind.remove_prefix(std::min(behind.find_first_not_of(" \t:*`_)],\"'"), behind.size()));
        out.push_back({.address = address_in(line.substr(begin, end - begin)),
                       .path = {},
                       .last = line.substr(begin, end - begin),
                       .description = behind,
                       .before = line.substr(0, begin)});
    }
    return out;
}

/// "pci 0000:03:00.0: config space:", with anything before it: the kernel's pci=earlydump, and what drivers print of theirs; and
/// "hexdump -C /sys/bus/pci/devices/0000:03:00.0/config".
[[nodiscard]] inline std::optional<lspci_heading> find_config_heading(std::string_view text) {
    std::string_view word;
    if (const std::size_t at = text.find(" config space"); at != std::string_view::npos) {
        word = text.substr(0, at);
        word = word.substr(word.rfind(' ') + 1);
        if (word.ends_with(':'))
            word.remove_suffix(1);
    } else if (const std::size_t file = text.find("/config"); file != std::string_view::npos) {
        word = text.substr(0, file);
        word = word.substr(word.find_last_of("/ ") + 1);
    }
    const auto where = address_in(word);
    if (!where)
        return std::nullopt;
    lspci_heading out;
    out.address = *where;
    out.last = word;
    out.before = text;  // like nothing that stands before a row
    return out;
}

/// How much of a text is one line: where line ends were lost, rows follow each other and what a function begins with.
[[nodiscard]] inline std::size_t line_length(std::string_view text) {
    constexpr std::size_t least = 58;  // an address and a row
    const std::size_t first = text.size() < least ? std::string_view::npos : find_row_inside(text);
    if (first == std::string_view::npos)
        return text.size();
    const std::string_view before = text.substr(0, first);
    if (find_heading(behind_marks(before.substr(quote_length(before)))))
        return first;
    const std::size_t end = row_end(text, first);
    const std::size_t next = find_row_inside(text.substr(end));
    if (next == std::string_view::npos)
        return text.size();
    const auto headings = headings_inside(text.substr(end, next));
    return end + (headings.empty() ? next : headings.back().before.size());
}

/// Whether -v says such a line of a function, so that it is none that a mail program broken off the heading.
[[nodiscard]] inline bool is_detail(std::string_view text) noexcept {
    static constexpr std::array<std::string_view, 24> words{
        "Subsystem",    "Flags",    "Control:",     "Status:",       "Latency",    "Cache",
        "Interrupt",    "Region ",  "Memory at",    "I/O ports",     "I/O behind", "Memory behind",
        "Prefetchable", "Bus:",     "Capabilities", "Kernel ",       "DeviceName", "NUMA",
        "IOMMU",        "Physical", "Expansion",    "Memory window", "Secondary",  "BridgeCtl"};
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return text.starts_with(word); });
}

}  // namespace devres::hardware::detail
