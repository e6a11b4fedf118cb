// SPDX-License-Identifier: BSL-1.0
// EXPECT-MSVC: freed by devres
#include "subject.hpp"

void control(owner<false> resource) { release(resource); }

#ifdef EXPECT_FAIL
void forbidden(owner<false> resource) { release(resource); }
#endif
