// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] freed by devres
#include "subject.hpp"

#ifdef EXPECT_FAIL
void forbidden(owner<true> resource) { release(resource); }
#endif
