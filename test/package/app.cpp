// SPDX-License-Identifier: BSL-1.0
// A program of somebody who uses devres, with habits of their own: the unused and shadowed names here are warnings under
// the options of our own tests, which must not reach it.
#include <devres/devres.hpp>

#if defined(EXPECTED_VERSION) && DEVRES_VERSION != EXPECTED_VERSION
#error "the headers are not of the version that the package says"
#endif

static int unused;

int main() {
    const int number = 1;
    {
        const int number = 2;
        (void)number;
    }
    const devres::result<int> outcome = number;
    return outcome == 1 ? 0 : 1;
}
