// SPDX-License-Identifier: BSL-1.0
// A state is made of its views, not filled with them.
// EXPECT-GNU: use of deleted function
// EXPECT-Clang: cannot be assigned because its copy assignment operator is implicitly deleted
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
concept fixed = !std::is_copy_assignable_v<View> && !std::is_move_assignable_v<View>;

static_assert(fixed<enabled_type> && fixed<registers_type> && fixed<ring_type> && fixed<mapping_type> &&
              fixed<vectors_type> && fixed<vector_type> && fixed<object_type>);
static_assert(std::is_move_assignable_v<irq_allocation<unmanaged_t, platform_type>>);  // a guard is

#if EXPECT_FAIL == 1
void assign(enabled_type& to, const enabled_type& from) { to = from; }
#elif EXPECT_FAIL == 2
void assign(registers_type& to, const registers_type& from) { to = from; }
#elif EXPECT_FAIL == 3
void assign(ring_type& to, const ring_type& from) { to = from; }
#elif EXPECT_FAIL == 4
void assign(mapping_type& to, const mapping_type& from) { to = from; }
#elif EXPECT_FAIL == 5
void assign(vectors_type& to, const vectors_type& from) { to = from; }
#endif
