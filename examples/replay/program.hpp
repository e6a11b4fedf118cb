// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

/// Scenario programs: what drivers do with a device, a letter for each operation (test/kernel/README.md).
namespace replay {

/// An operation of a driver: `A4` is {'A', 4}.
struct operation {
    char code = 0;
    unsigned number = 0;  ///< 0 where none is written
};

/// A driver: what its probe and its remove do.
struct driver {
    std::string text;
    std::vector<operation> probe;
    std::vector<operation> remove;
};

/// One driver after the other, bound to the same function.
struct program {
    std::string text;
    std::vector<driver> drivers;
};

/// Why a text is no program: at which character, from 1 on.
struct program_error {
    std::size_t position = 0;
    std::string message;
};

namespace detail {

struct operand {
    std::string_view codes;
    bool needed;
    unsigned least;
    unsigned most;
};
inline constexpr operand operands[] = {{"Aai", true, 0, 2048}, {"K", true, 0, 999}, {"GgRr", false, 1, 9}};
inline constexpr std::string_view codes = "EedBAaiFIQVqfMmGgRrKTPX";

[[nodiscard]] constexpr const operand* operand_of(char code) noexcept {
    for (const operand& each : operands) {
        if (each.codes.contains(code))
            return &each;
    }
    return nullptr;
}

}  // namespace detail

/// The program that `text` is; where and why, if it is none.
[[nodiscard]] inline std::expected<program, program_error> parse(std::string_view text) {
    const auto wrong = [](std::size_t at, std::string message) {
        return std::unexpected(program_error{at + 1, std::move(message)});
    };
    program out{std::string(text), {}};
    std::size_t at = 0;
    const auto skip_blanks = [&] {
        while (at != text.size() && text[at] == ' ')
            ++at;
    };
    for (skip_blanks(); at != text.size(); skip_blanks()) {
        const std::size_t begin = at;
        driver made;
        bool in_probe = true;
        for (; at != text.size() && text[at] != ' ';) {
            const std::size_t here = at;
            const char code = text[at++];
            if (code == ':') {
                if (!in_probe)
                    return wrong(here, "a second ':': a driver is PROBE:REMOVE, drivers are separated by blanks");
                in_probe = false;
                continue;
            }
            if (!detail::codes.contains(code))
                return wrong(here, std::string("no such operation: '") + code + "', must be one of " +
                                       std::string(detail::codes));
            if (code == 'X' && !in_probe)
                return wrong(here, "'X' fails a probe: remove returns nothing");
            operation next{.code = code};
            const std::size_t digits = at;
            while (at != text.size() && text[at] >= '0' && text[at] <= '9')
                ++at;
            const detail::operand* const takes = detail::operand_of(code);
            if (at != digits && takes == nullptr)
                return wrong(digits, std::string("'") + code + "' takes no number");
            if (at == digits && takes != nullptr && takes->needed)
                return wrong(at, std::string("'") + code + "' needs a number behind it: " + code + '1');
            if (at != digits) {
                const auto read = std::from_chars(text.data() + digits, text.data() + at, next.number);
                if (read.ec != std::errc() || next.number < takes->least || next.number > takes->most)
                    return wrong(digits, std::string("the number of '") + code + "' must be " +
                                             std::to_string(takes->least) + " to " + std::to_string(takes->most));
            }
            (in_probe ? made.probe : made.remove).push_back(next);
        }
        if (in_probe)
            return wrong(at, "no ':' between probe and remove: a driver is PROBE:REMOVE, and either may be empty");
        made.text = text.substr(begin, at - begin);
        out.drivers.push_back(std::move(made));
    }
    if (out.drivers.empty())
        return wrong(0, "no driver: a program is PROBE:REMOVE");
    return out;
}

}  // namespace replay
