// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <devres/sim/dump.hpp>

namespace devres::sim {

/// Why a dump could not be read, and where.
struct lspci_error {
    unsigned line = 0;  ///< counted from 1; 0: the whole text
    std::string reason;
};

namespace detail {

/// Reads the text of lspci line by line.
class lspci_reader {
public:
    [[nodiscard]] bool line(std::string_view text) {
        ++number_;
        while (!text.empty() && (text.back() == '\r' || text.back() == ' ' || text.back() == '\t'))
            text.remove_suffix(1);
        // Pasted text may be quoted or indented, but what -v says of a function has one tab more than its bytes.
        const std::size_t quote = std::min(text.find_first_not_of(" \t>|"), text.size());
        const auto tabs = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(quote), '\t');
        text.remove_prefix(quote);
        const bool slot = take_word(text, "Slot:");  // -vmm
        const bool inner = !functions_.empty() && tabs > tabs_;
        if (const auto header = header_length(text); header && !inner) {
            tabs_ = tabs;
            return begin(slot ? text.substr(0, *header) : text, *header);
        }
        if (!inner && looks_like_bytes(text))
            return bytes(text);
        if (!functions_.empty())
            describe(text);
        return true;
    }

    [[nodiscard]] bool end() {
        if (functions_.empty()) {
            error_ = {0, "no function is in it: this is not the output of lspci -xxxx"};
            return false;
        }
        return finish();
    }

    std::vector<dumped_function> take() noexcept { return std::move(functions_); }
    [[nodiscard]] const lspci_error& error() const noexcept { return error_; }

private:
    static bool hexadecimal(char c) noexcept { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

    /// Removes `word` and the space behind it from the beginning. @returns whether it was there
    static bool take_word(std::string_view& text, std::string_view word) {
        if (!text.starts_with(word))
            return false;
        text.remove_prefix(word.size());
        text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
        return true;
    }

    /// Text that -v (or -vmm) adds to a function.
    void describe(std::string_view text) {
        std::string& description = functions_.back().description;
        if (functions_.back().config.empty() &&
            (take_word(text, "Class:") || take_word(text, "Vendor:") || take_word(text, "Device:"))) {
            description += description.empty() ? std::string(text) : ' ' + std::string(text);
            return;
        }
        find_size(text);
    }

    bool wrong(unsigned line, std::string reason) {
        error_ = {line, std::move(reason)};
        return false;
    }

    /// The length of the word at the beginning if it has the form of an address: hexadecimal digits in groups,
    /// a colon between them, a dot and one more.
    static std::optional<std::size_t> header_length(std::string_view text) {
        const std::size_t word = std::min(text.find_first_of(" \t"), text.size());
        const std::size_t dot = text.substr(0, word).rfind('.');
        if (dot == std::string_view::npos || dot + 2 != word)
            return std::nullopt;
        const std::size_t colon = text.substr(0, dot).rfind(':');
        if (colon == std::string_view::npos || dot - colon != 3)
            return std::nullopt;
        for (const char c : text.substr(0, word)) {
            if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != ':' && c != '.')
                return std::nullopt;
        }
        return word;
    }

    /// "00: 86 80 ...", "ff0: 00 ..."
    static bool looks_like_bytes(std::string_view text) {
        const std::size_t colon = text.find(':');
        if (colon != 2 && colon != 3)
            return false;
        for (const char c : text.substr(0, colon)) {
            if (!hexadecimal(c))
                return false;
        }
        return colon + 1 == text.size() || text[colon + 1] == ' ';
    }

    bool begin(std::string_view text, std::size_t length) {
        if (!finish())
            return false;
        const auto where = pci::address::parse(text.data(), length);
        if (!where)
            return wrong(number_, "\"" + std::string(text.substr(0, length)) + "\" is no address of a function");
        for (const dumped_function& other : functions_) {
            if (other.address == *where)
                return wrong(number_, std::string(where->text().c_str()) + " is there twice, before in line " +
                                          std::to_string(other.line));
        }
        dumped_function& found = functions_.emplace_back();
        found.address = *where;
        found.line = number_;
        const std::size_t rest = text.find_first_not_of(" \t", length);
        found.description = rest == std::string_view::npos ? std::string() : std::string(text.substr(rest));
        lines_.clear();
        return true;
    }

    bool bytes(std::string_view text) {
        if (functions_.empty())
            return wrong(number_, "bytes before the first function: its line with the address is missing");
        std::vector<std::uint8_t>& config = functions_.back().config;
        const std::size_t colon = text.find(':');
        const unsigned long offset = std::stoul(std::string(text.substr(0, colon)), nullptr, 16);
        if (offset != config.size())
            return wrong(number_,
                         "bytes from " + hex(offset) + ", but those from " + hex(config.size()) + " come next");
        unsigned count = 0;
        text.remove_prefix(colon + 1);
        for (;;) {
            const std::size_t start = text.find_first_not_of(" \t");
            if (start == std::string_view::npos)
                break;
            text.remove_prefix(start);
            const std::string_view word = text.substr(0, text.find_first_of(" \t"));
            if (word.size() != 2 || !hexadecimal(word[0]) || !hexadecimal(word[1]))
                return wrong(number_, "\"" + std::string(word) + "\" is no byte of two hexadecimal digits");
            config.push_back(static_cast<std::uint8_t>(std::stoul(std::string(word), nullptr, 16)));
            text.remove_prefix(word.size());
            ++count;
        }
        if (count != 16)
            return wrong(number_, "a line has 16 bytes, this one " + std::to_string(count));
        if (config.size() > config_space::size)
            return wrong(number_, "a function has at most 4096 bytes");
        lines_.push_back(number_);
        return true;
    }

    /// The function that was being read is complete.
    bool finish() {
        if (functions_.empty())
            return true;
        dumped_function& done = functions_.back();
        const std::string where = done.address.text().c_str();
        const std::size_t size = done.config.size();
        if (size == 0)
            return wrong(done.line, where + " has no bytes: lspci needs -xxxx (or -xxx or -x)");
        if (size != 64 && size != 128 && size != 256 && size != config_space::size)
            return wrong(lines_.back(), where + " ends after " + std::to_string(size) +
                                            " bytes; whole ones have 64, 128, 256 or 4096");
        if (!answers(done.config))
            return true;
        if (const auto fault = walk_capabilities(done.config, [](unsigned, unsigned) {}))
            return wrong(lines_[fault->offset / 16],
                         where + ": " + fault->reason + ", at offset " + hex(fault->offset));
        return match_sizes();
    }

    /// -v says sizes: "Memory at fe800000 (64-bit, non-prefetchable) [size=16K]", with -vv after "Region 0: ".
    void find_size(std::string_view text) {
        const std::size_t size = text.find("[size=");
        const std::size_t at = text.find(" at ");
        if (size == std::string_view::npos || at == std::string_view::npos || at > size ||
            text.starts_with("Expansion"))
            return;
        std::uint64_t bytes = 0;
        std::size_t i = size + 6;
        for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0; ++i)
            bytes = bytes * 10 + static_cast<unsigned>(text[i] - '0');
        const std::string_view units = "KMGT";
        if (const std::size_t unit = i < text.size() ? units.find(text[i]) : std::string_view::npos;
            unit != std::string_view::npos)
            bytes <<= 10 * (unit + 1);
        std::uint64_t address = 0;
        for (std::size_t j = at + 4; j < text.size() && hexadecimal(text[j]); ++j)
            address = address << 4U | static_cast<unsigned>(std::stoul(std::string(1, text[j]), nullptr, 16));
        std::optional<unsigned> region;
        if (text.starts_with("Region ") && text.size() > 7 && text[7] >= '0' && text[7] <= '5')
            region = static_cast<unsigned>(text[7] - '0');
        sizes_.push_back({region, address, bytes});
    }

    bool match_sizes() {
        dumped_function& done = functions_.back();
        const auto values = bars_of(done.config);
        for (const said_size& said : sizes_) {
            for (unsigned i = 0; i != pci::bar_count; ++i) {
                if (said.region ? *said.region == i : values[i].used && values[i].address == said.address)
                    done.bar_sizes[i] = said.bytes;
            }
        }
        sizes_.clear();
        return true;
    }

    struct said_size {
        std::optional<unsigned> region;
        std::uint64_t address;
        std::uint64_t bytes;
    };

    unsigned number_ = 0;
    std::ptrdiff_t tabs_ = 0;  // before the address of a function
    std::vector<dumped_function> functions_;
    std::vector<unsigned> lines_;  // where the rows of the last function are
    std::vector<said_size> sizes_;
    lspci_error error_;
};

}  // namespace detail

/// Reads the functions of a machine from the output of `lspci -xxxx`, `-xxx` (256 bytes each) or `-x` (64), as
/// people paste it: with or without `-D`, `-n`, `-v` (whose sizes of BARs are used), with text around it, quoted
/// or indented, with any line ends.
/// @returns the functions in the order of the text; `einval`, and in `where` the line and the reason, if it is
/// malformed: a byte that is none, an offset out of sequence, a function that is cut off, twice there or without
/// bytes, a capability list that is a loop; or if there is no function in it.
[[nodiscard]] inline result<std::vector<dumped_function>> read_lspci(std::istream& text, lspci_error* where = nullptr) {
    detail::lspci_reader reader;
    bool good = true;
    for (std::string line; good && std::getline(text, line);)
        good = reader.line(line);
    if (!good || !reader.end()) {
        if (where != nullptr)
            *where = reader.error();
        return fail(errc::einval);
    }
    return reader.take();
}

}  // namespace devres::sim
