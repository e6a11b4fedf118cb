// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <expected>
#include <ostream>
#include <type_traits>

#include <devres/core/detail/type_name.hpp>
#include <devres/core/result.hpp>
#include <devres/print/errc.hpp>

namespace devres {

/// An error on its way into a `result` prints as the error.
inline std::ostream& operator<<(std::ostream& out, const std::unexpected<errc>& failed) {
    return out << failed.error();
}

/// A `result` prints as its error, or as its value: "success" if there is none, `a devres::pci::bar` if it does not print.
template <class T>
std::ostream& operator<<(std::ostream& out, const std::expected<T, errc>& outcome) {
    if (!outcome)
        return out << outcome.error();
    if constexpr (std::is_void_v<T>)
        return out << "success";
    else if constexpr (detail::printable<T>)
        return out << *outcome;
    else
        return out << "a " << detail::type_name<T>.text;
}

}  // namespace devres

/// @cond
DEVRES_FORMATTER(std::unexpected<devres::errc>);
#ifdef __cpp_lib_format
template <class T>
struct std::formatter<std::expected<T, devres::errc>>
    : devres::detail::printed_formatter<std::expected<T, devres::errc>> {};
#endif
/// @endcond
