// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] freed by devres
#include "subject.hpp"

void control(owner<false> resource) { release(resource); }

#if EXPECT_FAIL == 1
void forbidden(owner<true> resource) { release(resource); }
#elif EXPECT_FAIL == 2
void allowed(owner<false> resource) { release(resource); }
#endif
