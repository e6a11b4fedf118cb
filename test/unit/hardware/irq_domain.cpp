// SPDX-License-Identifier: BSL-1.0
#include <devres/hardware/irq_domain.hpp>

#include "support/catch.hpp"

using devres::hardware::irq_domain;

TEST_CASE("numbers are given out in rows, next after those before, and not reused at once") {
    const auto irqs = std::make_unique<irq_domain>();
    CHECK(irqs->allocate(4, 1) == 24U);
    CHECK(irqs->allocate(2, 1) == 28U);
    irqs->free(24, 4);
    CHECK(irqs->allocate(1, 1) == 30U);
}

TEST_CASE("a block begins at a multiple of its alignment") {
    const auto irqs = std::make_unique<irq_domain>();
    CHECK(irqs->allocate(1, 1) == 24U);
    CHECK(irqs->allocate(3, 4) == 28U);
    CHECK(irqs->allocate(32, 32) == 32U);
    CHECK(irqs->allocate(1, 1) == 64U);
}

TEST_CASE("freed numbers are found again when the end is reached") {
    const auto irqs = std::make_unique<irq_domain>();
    std::vector<unsigned> bases;
    for (unsigned i = 0; i != 10; ++i)
        bases.push_back(*irqs->allocate(100, 1));
    irqs->free(bases[3], 100);
    CHECK(irqs->allocate(100, 1) == bases[3]);
    CHECK(irqs->allocate(100, 1) == bases[9] + 100);  // there are more than the first thousand
}

TEST_CASE("a machine that is short of vectors gives no more than it has") {
    const auto irqs = std::make_unique<irq_domain>();
    irqs->limit(5);
    CHECK(irqs->available() == 5);
    CHECK_FALSE(irqs->allocate(6, 1));
    const auto base = irqs->allocate(5, 1);
    REQUIRE(base);
    CHECK(irqs->available() == 0);
    CHECK_FALSE(irqs->allocate(1, 1));
    irqs->free(*base, 5);
    CHECK(irqs->available() == 5);
}

TEST_CASE("a message is routed by its address and data alone") {
    const auto irqs = std::make_unique<irq_domain>();
    devres::hardware::irq_slot slot;
    const unsigned base = *irqs->allocate(70'000, 1);
    irqs->route(base + 69'999, &slot);
    const auto message = irq_domain::message(base + 69'999);
    CHECK(message.data <= 0xffff);
    CHECK(irqs->routed(message) == &slot);
    CHECK(irqs->routed({message.address, message.data - 1}) == nullptr);
    CHECK(irqs->routed({message.address - 0x1000, message.data}) == nullptr);
    CHECK(irqs->routed({message.address + 4, message.data}) == nullptr);
    CHECK(irqs->routed({message.address, message.data + 0x1'0000}) == nullptr);
    CHECK(irqs->routed({0, message.data}) == nullptr);
    irqs->free(base, 70'000);
    CHECK(irqs->routed(message) == nullptr);
}
