// SPDX-License-Identifier: BSL-1.0
#pragma once

#if __STDC_HOSTED__
#include <cstdio>
#endif

namespace devres::detail {

/// Stops the program where it could only go on with what has gone, or wait for itself. `why` is one line for the log.
[[noreturn, gnu::cold, gnu::noinline]] inline void stop([[maybe_unused]] const char* why) noexcept {
#if __STDC_HOSTED__
    std::fputs("devres: ", stderr);
    std::fputs(why, stderr);
    std::fputs("\n", stderr);
#endif
    __builtin_trap();
}

}  // namespace devres::detail
