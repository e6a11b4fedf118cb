// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The end of a program that cannot go on, with a line that says why.

// As <unistd.h> declares it, which takes a compiler a twentieth of all that devres.hpp does.
#if __STDC_HOSTED__ && defined(__unix__)
extern "C" __PTRDIFF_TYPE__ write(int file, const void* text, __SIZE_TYPE__ size);
#endif

namespace devres::detail {

/// Stops the program where it could only go on with what has gone, or wait for itself. `why` is one line for the log. It is
/// written without a lock, as this may be a handler.
[[noreturn, gnu::cold, gnu::noinline]] inline void stop([[maybe_unused]] const char* why) noexcept {
#if __STDC_HOSTED__ && defined(__unix__)
    const auto say = [](const char* text) noexcept { return ::write(2, text, __builtin_strlen(text)) >= 0; };
    (void)(say("devres: ") && say(why) && say("\n"));
#endif
    __builtin_trap();
}

}  // namespace devres::detail
