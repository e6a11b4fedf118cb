// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] freed by devres
#include "subject.hpp"

void control(owner<false> resource) { release(resource); }

void another(owner<true> resource) {
#if EXPECT_FAIL == 1
    release(resource);
#elif EXPECT_FAIL == 2
    release<true>(resource);
#else
    (void)resource;
#endif
}
