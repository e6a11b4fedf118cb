// SPDX-License-Identifier: BSL-1.0
#include <devres/vfio/detail/iova_space.hpp>

#include "support/catch.hpp"

using devres::vfio::iova_space;

TEST_CASE("addresses do not overlap, start above 1 MiB, and are not used again at once") {
    iova_space space;
    space.set_ranges({});
    const auto first = space.take(4096);
    const auto second = space.take(8192);
    REQUIRE((first && second));
    CHECK(*first == 0x10'0000);
    CHECK(*second == *first + 4096);
    CHECK(space.in_use() == 2);
    CHECK(space.give(*first));
    CHECK(!space.give(*first));
    CHECK(*space.take(4096) == *second + 8192);
}

TEST_CASE("addresses that a machine keeps for itself are left out") {
    iova_space space;
    space.set_ranges({{0, 0x10'1fff}, {0x20'0000, 0x20'2fff}});
    CHECK(*space.take(0x1000) == 0x10'0000);
    CHECK(*space.take(0x2000) == 0x20'0000);
    CHECK(*space.take(0x1000) == 0x20'2000);
    CHECK(*space.take(0x1000) == 0x10'1000);  // what was passed over
    CHECK(!space.take(0x1000));
    CHECK(space.give(0x20'0000));
    CHECK(!space.take(0x3000));
    CHECK(*space.take(0x2000) == 0x20'0000);
}

TEST_CASE("the addresses below 4 GiB are used first, then those above, then those that were given back") {
    iova_space space;
    space.set_ranges({{0, 0xfedf'ffff}, {0xfef0'0000, 0xff'ffff'ffff}});
    const std::uint64_t gigabyte = 0x4000'0000;
    CHECK(*space.take(gigabyte) == 0x10'0000);
    CHECK(*space.take(gigabyte) == 0x10'0000 + gigabyte);
    CHECK(*space.take(gigabyte) == 0x10'0000 + 2 * gigabyte);
    CHECK(*space.take(gigabyte) == 0x1'0000'0000);
    CHECK(*space.take(4096) == 0x10'0000 + 3 * gigabyte);
    CHECK(space.give(0x10'0000));
    CHECK(*space.take(gigabyte) == 0x10'0000);
    CHECK(!space.take(std::uint64_t{1} << 41U));
}

TEST_CASE("addresses are taken up to a mask") {
    iova_space space;
    space.set_ranges({{0x20'0000, 0xfedf'ffff}, {0x1'0000'0000, 0xff'ffff'ffff}});
    CHECK(!space.has_any(0));
    CHECK(!space.has_any(0x20'0ffe));
    CHECK(space.has_any(0x20'0fff));
    CHECK(*space.take(0x1000, 0x20'1fff) == 0x20'0000);
    CHECK(*space.take(0x1000, 0x20'1fff) == 0x20'1000);
    CHECK(!space.take(0x1000, 0x20'1fff));
    CHECK(*space.take(0x1'0000'0000) == 0x1'0000'0000);
    CHECK(!space.take(0x1'0000'0000, 0xffff'ffff));
    CHECK(!space.take(0x1'0000'0000, 0x2'ffff'fffe));
    CHECK(*space.take(0x1'0000'0000, 0x2'ffff'ffff) == 0x2'0000'0000);
}
