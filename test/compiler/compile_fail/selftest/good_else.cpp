// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] freed by devres
// MAX-LINES: 25
#include "subject.hpp"

#ifdef EXPECT_FAIL
using resource = owner<true>;
#else
using resource = owner<false>;
#endif

void subject(resource r) { release(r); }
