// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <expected>

#include <devres/core/errc.hpp>
#include <devres/core/try.hpp>

namespace devres {

/// A value, or the error that took its place.
template <class T = void>
using result = std::expected<T, errc>;

/// An error on its way into a `result`: `return fail(errc::enodev);`
[[nodiscard]] constexpr std::unexpected<errc> fail(errc error) noexcept {
    return std::unexpected<errc>(error);
}

}  // namespace devres
