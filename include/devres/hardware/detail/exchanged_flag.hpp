// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

/// A flag that threads exchange.
namespace devres::hardware::detail {

/// A word: riscv64 has no instruction that exchanges less, and then a program must link a library for it.
using exchanged_flag = std::atomic<unsigned>;

}  // namespace devres::hardware::detail
