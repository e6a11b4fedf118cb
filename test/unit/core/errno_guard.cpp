// SPDX-License-Identifier: BSL-1.0
#include <devres/core/detail/errno_guard.hpp>

#include <cerrno>
#include <type_traits>

#include "support/catch.hpp"

using devres::detail::errno_guard;

static_assert(!std::is_copy_constructible_v<errno_guard> && !std::is_copy_assignable_v<errno_guard>);

TEST_CASE("errno is at the end of a guarded scope what it was at its start") {
    errno = ENXIO;
    {
        const errno_guard keep;
        errno = EIO;
    }
    CHECK(errno == ENXIO);
}
