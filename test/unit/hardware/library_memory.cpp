// SPDX-License-Identifier: BSL-1.0
#include "sim/driver.hpp"
#include "support/catch.hpp"

using namespace test;

TEST_CASE("memory is aligned as asked for") {
    sim::bus bus;
    for (const std::size_t alignment : {1U, 8U, 64U, 4096U}) {
        void* const block = bus.allocate(24, alignment);
        REQUIRE(block != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
        bus.deallocate(block, 24, alignment);
    }
    CHECK(bus.ledger().clean());
}

TEST_CASE("memory that there is not is refused") {
    sim::bus bus;
    CHECK(bus.allocate(SIZE_MAX / 2, 8) == nullptr);
    CHECK(bus.ledger().clean());
}

TEST_CASE("memory given back wrongly is a violation, and stays") {
    sim::bus bus;
    void* const block = bus.allocate(64, 8);
    bus.deallocate(block, 65, 8);
    CHECK(kinds(bus) == only(violation_kind::memory_wrong_size));
    bus.deallocate(block, 64, 16);
    CHECK(kinds(bus) == only(violation_kind::memory_wrong_size));
    int not_mine = 0;
    bus.deallocate(&not_mine, sizeof(not_mine), alignof(int));
    CHECK(kinds(bus) == only(violation_kind::memory_unknown));
    CHECK(bus.ledger().live() == std::vector<std::string>{"memory: 1 block, 64 bytes"});
    bus.deallocate(block, 64, 8);
    bus.deallocate(nullptr, 64, 8);
    CHECK(bus.ledger().clean());
    bus.deallocate(block, 64, 8);
    CHECK(kinds(bus) == only(violation_kind::memory_unknown));
}
