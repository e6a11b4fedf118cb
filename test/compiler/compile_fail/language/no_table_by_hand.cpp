// SPDX-License-Identifier: BSL-1.0
// A table is checked by own(), and there is no other way to make one.
// EXPECT-GNU: is private within this context
// EXPECT-Clang: calling a private constructor of class
#include <type_traits>

#include <devres/devres.hpp>

#include "driver.hpp"

using enable_of_devres = claim<enable_t, managed_t>;

static_assert(!std::is_default_constructible_v<ownership_table<enable_of_devres>>);

struct driver {
#if EXPECT_FAIL == 1
    static constexpr auto ownership = ownership_table<enable_of_devres>();
#elif EXPECT_FAIL == 2
    static constexpr ownership_table<claim<enable_t, unmanaged_t>, enable_of_devres> ownership{};
#else
    static constexpr ownership_table<enable_of_devres> ownership = own(enable = managed);
#endif
};
