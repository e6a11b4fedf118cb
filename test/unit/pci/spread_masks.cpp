// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/spread_masks.hpp>

#include "support/catch.hpp"

using namespace devres;
using pci::spread_masks;

TEST_CASE("without a wish for spreading, a vector may interrupt any CPU") {
    spread_masks masks;
    CHECK(masks.of(3) == 0xff);
    masks.set_cpus(64);
    CHECK(masks.of(3) == ~std::uint64_t{0});
}

TEST_CASE("spread vectors share the CPUs out, reserved ones may interrupt any") {
    pci::irq_affinity affinity;
    affinity.pre_vectors = 1;
    affinity.post_vectors = 1;
    const spread_masks masks(affinity, 5, 8);  // three are spread over eight
    CHECK(masks.of(0) == 0xff);
    CHECK(masks.of(1) == 0b0000'0111);
    CHECK(masks.of(2) == 0b0011'1000);
    CHECK(masks.of(3) == 0b1100'0000);
    CHECK(masks.of(4) == 0xff);
}

TEST_CASE("with as many vectors as CPUs, or more, each has one") {
    const spread_masks masks({}, 10, 4);
    for (unsigned i = 0; i != 10; ++i)
        CHECK(masks.of(i) == 1U << i % 4);
}

TEST_CASE("each set is spread over all CPUs by itself") {
    pci::irq_affinity affinity;
    affinity.set_count = 2;
    affinity.set_size[0] = 2;
    affinity.set_size[1] = 4;
    const spread_masks masks(affinity, 6, 4);
    CHECK(masks.of(0) == 0b0011);
    CHECK(masks.of(1) == 0b1100);
    CHECK(masks.of(2) == 0b0001);
    CHECK(masks.of(5) == 0b1000);
}

TEST_CASE("more sets than there may be are not spread, but the vectors are there") {
    pci::irq_affinity affinity;
    affinity.set_count = 5;
    CHECK(spread_masks(affinity, 6, 4).of(0) == 0xf);
}
