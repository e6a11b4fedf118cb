// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>

namespace examples {

/// A number in hexadecimal, of `width` digits, or more where it needs them.
[[nodiscard]] inline std::string hex(std::uint64_t value, std::size_t width = 1) {
    std::array<char, 16> digits{};
    char* const begin = digits.data();
    std::string out(begin, std::to_chars(begin, begin + digits.size(), value, 16).ptr);
    return out.insert(0, width - std::min(width, out.size()), '0');
}

}  // namespace examples
