// SPDX-License-Identifier: BSL-1.0
// A token comes from the function that acquired what it stands for, and from nothing else.
// EXPECT-GNU: no matching function for call to
// EXPECT-Clang: error: no matching con
// MAX-LINES: 56, because each constructor of each class beneath is a candidate
#include <type_traits>

#include <devres/devres.hpp>

#include "driver.hpp"

using device_type = device<platform_type>;

template <class Token>
concept born_full = !std::is_constructible_v<Token, device_type&> &&
                    !std::is_constructible_v<Token, device_type&, dma_block> &&
                    !std::is_constructible_v<Token, device_type&, vector_grant> &&
                    !std::is_constructible_v<Token, device_type&, unsigned> &&
                    !std::is_constructible_v<Token, device_type&, handler_id> &&
                    !std::is_constructible_v<Token, device_type&, platform_type::region_type>;
template <class Owner>
concept tokens_are_born_full = born_full<enabled_device<Owner, platform_type>> &&
                               born_full<bar_mapping<Owner, platform_type>> &&
                               born_full<dma_allocation<Owner, platform_type>> &&
                               born_full<dma_mapping<Owner, platform_type>> &&
                               born_full<irq_allocation<Owner, platform_type>> &&
                               born_full<irq_vector<Owner, platform_type>> &&
                               born_full<irq_registration<Owner, platform_type>>;

static_assert(tokens_are_born_full<managed_t> && tokens_are_born_full<unmanaged_t>);
static_assert(!std::is_constructible_v<managed_ref<queue>, queue&>);

#if EXPECT_FAIL == 1
void forge(device_type& dev) { (void)enabled_device<unmanaged_t, platform_type>(dev); }
#elif EXPECT_FAIL == 2
void forge(device_type& dev, const dma_block& block) { (void)dma_allocation<unmanaged_t, platform_type>(dev, block); }
#elif EXPECT_FAIL == 3
void forge(device_type& dev, const vector_grant& vectors) {
    (void)irq_allocation<unmanaged_t, platform_type>(dev, vectors);
}
#elif EXPECT_FAIL == 4
void forge(device_type& dev) { (void)bar_mapping<unmanaged_t, platform_type>(dev, platform_type::region_type()); }
#endif
