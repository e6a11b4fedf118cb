// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D001] freed by devres
#include "subject.hpp"

template <bool Managed>
    requires rule<!Managed, "devres[D002] built on what devres frees">
void build(owner<Managed>) {}

void control(owner<false> resource) { release(resource); }

#ifdef EXPECT_FAIL
void forbidden(owner<true> resource) {
    build(resource);
    release(resource);
}
#endif
