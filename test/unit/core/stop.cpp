// SPDX-License-Identifier: BSL-1.0
#include <devres/core/detail/stop.hpp>

#include "support/catch.hpp"
#include "support/death.hpp"

TEST_CASE("a program that is stopped says why in one line") {
    CHECK(devres::test::last_words([] { devres::detail::stop("there is no way on"); }) ==
          "devres: there is no way on\n");
}
