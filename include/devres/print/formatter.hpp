// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sstream>
#include <string_view>
#include <version>

#ifdef __cpp_lib_format
#include <format>
#endif

namespace devres::detail {

#ifdef __cpp_lib_format
/// What `std::formatter` is for a type that prints: its text, padded and cut as text is (`{:>20}`).
template <class T>
struct printed_formatter : std::formatter<std::string_view> {
    template <class Context>
    auto format(const T& value, Context& context) const {
        std::ostringstream text;
        text << value;
        return std::formatter<std::string_view>::format(text.view(), context);
    }
};
#endif

/// Whether a value of the type can be written to a stream.
template <class T>
concept printable = requires(std::ostream& out, const T& value) { out << value; };

}  // namespace devres::detail

/// Defines `std::formatter` for a type that prints, where the library has it.
#ifdef __cpp_lib_format
#define DEVRES_FORMATTER(...)                                                                                          \
    template <>                                                                                                        \
    struct std::formatter<__VA_ARGS__> : devres::detail::printed_formatter<__VA_ARGS__> {}
#else
#define DEVRES_FORMATTER(...) static_assert(devres::detail::printable<__VA_ARGS__>)
#endif
