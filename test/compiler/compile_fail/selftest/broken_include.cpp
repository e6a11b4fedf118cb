// SPDX-License-Identifier: BSL-1.0
// EXPECT: no_such_header.hpp
#include "subject.hpp"

void control(owner<false> resource) { release(resource); }

#ifdef EXPECT_FAIL
#include "no_such_header.hpp"  // a missing include: an error, and even the text that is expected
#endif
