// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace devres::detail {

/// An access that this thread has open, and the one it opened before: a release that would wait for its own thread is told
/// from one that waits for others. Without a hosted library there are no thread-local variables, and nothing is known.
struct open_access {
    const void* control = nullptr;
    open_access* outer = nullptr;
};

#if __STDC_HOSTED__
inline constinit thread_local open_access* open_accesses = nullptr;
#endif

/// Whether this thread has an access open that `control` is behind.
[[nodiscard]] inline bool opened_here([[maybe_unused]] const void* control) noexcept {
#if __STDC_HOSTED__
    for (const open_access* access = open_accesses; access != nullptr; access = access->outer) {
        if (access->control == control)
            return true;
    }
#endif
    return false;
}

// g++ does not see that the access is taken out by its own end.
#pragma GCC diagnostic push
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wdangling-pointer"
#endif
inline void access_opened([[maybe_unused]] open_access& access) noexcept {
#if __STDC_HOSTED__
    access.outer = open_accesses;
    open_accesses = &access;
#endif
}
#pragma GCC diagnostic pop

/// Takes the access out, wherever it is among those of this thread. @returns whether it was one.
inline bool access_closed([[maybe_unused]] open_access& access) noexcept {
#if __STDC_HOSTED__
    for (open_access** link = &open_accesses; *link != nullptr; link = &(*link)->outer) {
        if (*link == &access) {
            *link = access.outer;
            return true;
        }
    }
    return false;
#else
    return true;
#endif
}

}  // namespace devres::detail
