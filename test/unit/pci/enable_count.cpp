// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/enable_count.hpp>

#include "support/catch.hpp"

using devres::pci::enable_count;

TEST_CASE("the first enable reaches the hardware, and the last disable does") {
    enable_count enables;
    CHECK(enables.enable());
    CHECK(!enables.enable());
    CHECK(enables.count() == 2);
    CHECK(!enables.disable(false));
    CHECK(enables.disable(false));
    CHECK(enables.count() == 0);
    CHECK(!enables.disable_is_due());
    CHECK(!enables.settle(false));
    CHECK(enables.enable());
}

TEST_CASE("the last disable waits until nothing needs the function, and reaches the hardware once") {
    enable_count enables;
    CHECK(enables.enable());
    CHECK(!enables.settle(true));
    CHECK(!enables.settle(false));  // not while it is enabled
    CHECK(!enables.disable(true));
    CHECK(enables.count() == 0);
    CHECK(enables.disable_is_due());
    CHECK(!enables.settle(true));
    CHECK(enables.settle(false));
    CHECK(!enables.disable_is_due());
    CHECK(!enables.settle(false));
}

TEST_CASE("a disable that is not the last waits for nothing") {
    enable_count enables;
    CHECK(enables.enable());
    CHECK(!enables.enable());
    CHECK(!enables.disable(true));
    CHECK(!enables.disable_is_due());
    CHECK(!enables.settle(false));
}

TEST_CASE("an enable takes the place of a disable that waits") {
    enable_count enables;
    CHECK(enables.enable());
    CHECK(!enables.disable(true));
    CHECK(!enables.enable());  // it is enabled already
    CHECK(enables.count() == 1);
    CHECK(!enables.disable_is_due());
    CHECK(!enables.settle(false));
    CHECK(enables.disable(false));
}
