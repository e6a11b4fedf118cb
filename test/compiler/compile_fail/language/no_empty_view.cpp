// SPDX-License-Identifier: BSL-1.0
// A view of something managed is there or does not exist.
// EXPECT-GNU: use of deleted function
// EXPECT-Clang: call to implicitly-deleted default constructor of
#include <optional>
#include <type_traits>

#include <devres/devres.hpp>

#include "driver.hpp"

using device_type = device<platform_type>;
using enabled_type = enabled_of<device_type>;
using registers_type = bar_of<device_type>;
using ring_type = coherent_of<device_type>;
using mapping_type = mapping_of<device_type>;
using vectors_type = vectors_of<device_type>;
using vector_type = vectors_type::vector_type;
using object_type = managed_ref<queue>;

template <class View>
concept complete = !std::is_default_constructible_v<View> && std::is_nothrow_copy_constructible_v<View>;

static_assert(complete<enabled_type> && complete<registers_type> && complete<ring_type> && complete<mapping_type> &&
              complete<vectors_type> && complete<vector_type> && complete<object_type>);

// What may be missing says so.
struct state {
    std::optional<vectors_type> vectors;
    managed_ptr<queue> last;
    irq_registration<managed_t, platform_type> handler;
    revocable<queue> file;
    action undo;
};
static_assert(std::is_default_constructible_v<state> && std::is_copy_assignable_v<managed_ptr<queue>>);

#if EXPECT_FAIL == 1
inline enabled_type empty{};
#elif EXPECT_FAIL == 2
inline registers_type empty{};
#elif EXPECT_FAIL == 3
inline ring_type empty{};
#elif EXPECT_FAIL == 4
inline mapping_type empty{};
#elif EXPECT_FAIL == 5
inline vectors_type empty{};
#endif
