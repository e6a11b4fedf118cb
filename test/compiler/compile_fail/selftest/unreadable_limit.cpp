// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] freed by devres
// MAX-LINES: many, because it is so
#include "subject.hpp"

void control(owner<false> resource) { release(resource); }

#ifdef EXPECT_FAIL
void forbidden(owner<true> resource) { release(resource); }
#endif
