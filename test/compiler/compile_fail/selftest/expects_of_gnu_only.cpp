// SPDX-License-Identifier: BSL-1.0
// EXPECT-GNU: devres[D001] freed by devres
#include "subject.hpp"

void control(owner<false> resource) { release(resource); }

#ifdef EXPECT_FAIL
void forbidden(owner<true> resource) { release(resource); }
#endif
