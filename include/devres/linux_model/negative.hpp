// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/errc.hpp>

namespace devres::linux_model {

/// An error as the kernel's functions return it: -EINVAL.
[[nodiscard]] constexpr int negative(errc error) noexcept { return -static_cast<int>(error); }

}  // namespace devres::linux_model
