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

/// Reads a program from its text, from left to right.
class program_reader {
public:
    explicit program_reader(std::string_view text) noexcept : text_(text) {}

    [[nodiscard]] std::expected<program, program_error> read() {
        program out{std::string(text_), {}};
        for (skip_blanks(); !at_end(); skip_blanks()) {
            auto next = read_driver();
            if (!next)
                return std::unexpected(std::move(next.error()));
            out.drivers.push_back(std::move(*next));
        }
        if (out.drivers.empty())
            return wrong(0, "no driver: a program is PROBE:REMOVE");
        return out;
    }

private:
    using failure = std::unexpected<program_error>;

    static failure wrong(std::size_t at, std::string message) {
        return failure(program_error{at + 1, std::move(message)});
    }

    [[nodiscard]] bool at_end() const noexcept { return at_ == text_.size(); }
    void skip_blanks() noexcept {
        while (!at_end() && text_[at_] == ' ')
            ++at_;
    }

    /// Up to the next blank.
    std::expected<driver, program_error> read_driver() {
        const std::size_t begin = at_;
        driver made;
        bool in_probe = true;
        while (!at_end() && text_[at_] != ' ') {
            if (text_[at_] == ':') {
                if (!in_probe)
                    return wrong(at_, "a second ':': a driver is PROBE:REMOVE, drivers are separated by blanks");
                in_probe = false;
                ++at_;
                continue;
            }
            const auto next = read_operation(in_probe);
            if (!next)
                return failure(next.error());
            (in_probe ? made.probe : made.remove).push_back(*next);
        }
        if (in_probe)
            return wrong(at_, "no ':' between probe and remove: a driver is PROBE:REMOVE, and either may be empty");
        made.text = text_.substr(begin, at_ - begin);
        return made;
    }

    std::expected<operation, program_error> read_operation(bool in_probe) {
        const char code = text_[at_];
        if (!codes.contains(code))
            return wrong(at_, std::string("no such operation: '") + code + "', must be one of " + std::string(codes));
        if (code == 'X' && !in_probe)
            return wrong(at_, "'X' fails a probe: remove returns nothing");
        ++at_;
        return read_number(code);
    }

    /// The number behind a letter, of one that takes a number.
    std::expected<operation, program_error> read_number(char code) {
        operation out{.code = code};
        const std::size_t digits = at_;
        while (!at_end() && text_[at_] >= '0' && text_[at_] <= '9')
            ++at_;
        const operand* const takes = operand_of(code);
        if (at_ != digits && takes == nullptr)
            return wrong(digits, std::string("'") + code + "' takes no number");
        if (at_ == digits && takes != nullptr && takes->needed)
            return wrong(at_, std::string("'") + code + "' needs a number behind it: " + code + '1');
        if (at_ == digits)
            return out;
        const auto read = std::from_chars(text_.data() + digits, text_.data() + at_, out.number);
        if (read.ec != std::errc() || out.number < takes->least || out.number > takes->most)
            return wrong(digits, std::string("the number of '") + code + "' must be " + std::to_string(takes->least) +
                                     " to " + std::to_string(takes->most));
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace detail

/// The program that `text` is; where and why, if it is none.
[[nodiscard]] inline std::expected<program, program_error> parse(std::string_view text) {
    return detail::program_reader(text).read();
}

}  // namespace replay
