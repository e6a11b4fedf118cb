// SPDX-License-Identifier: BSL-1.0
#include <devres/core/detail/record_memory.hpp>

#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using devres::hooks_of;
using devres::memory_hooks;
using devres::detail::record_memory;
using devres::test::counting_memory;

namespace {

constexpr std::size_t alignment = alignof(void*);

struct fixture {
    counting_memory platform;
    std::optional<record_memory> memory{hooks_of(platform)};

    std::vector<void*> fill(unsigned count = record_memory::first_block) {
        std::vector<void*> places;
        for (unsigned i = 0; i != count; ++i)
            places.push_back(memory->get(record_memory::small, alignment));
        return places;
    }
};

}  // namespace

TEST_CASE_METHOD(fixture,
                 "the first small records have places of its own: apart, aligned, and no matter for the platform") {
    const auto places = fill();
    for (void* const place : places) {
        REQUIRE(place != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(place) % alignment == 0);
        std::memset(place, 0xab, record_memory::small);
    }
    CHECK(std::set(places.begin(), places.end()).size() == places.size());
    CHECK(platform.allocations == 0);
}

TEST_CASE_METHOD(fixture, "when they are used up many share a block of the platform's, which has it back in the end") {
    const auto places = fill(record_memory::first_block + 2 * record_memory::later_block + 1);
    CHECK(std::set(places.begin(), places.end()).size() == places.size());
    for (void* const place : places) {
        REQUIRE(place != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(place) % alignment == 0);
        std::memset(place, 0xab, record_memory::small);
    }
    CHECK(platform.blocks == 3);
    for (void* const place : places)
        memory->put(place, record_memory::small, alignment);
    fill(static_cast<unsigned>(places.size()));
    CHECK(platform.allocations == 3);
    memory.reset();
    CHECK(platform.blocks == 0);
}

TEST_CASE_METHOD(fixture, "a place that was given back is used again, the last one first") {
    const auto places = fill();
    memory->put(places[3], 8, 8);
    memory->put(places[4], 32, alignment);
    CHECK(memory->get(1, 1) == places[4]);
    CHECK(memory->get(32, alignment) == places[3]);
    CHECK(platform.allocations == 0);
}

TEST_CASE_METHOD(fixture, "what is large, or aligned to more, is the platform's from the first to the last") {
    void* const large = memory->get(record_memory::small + 1, 8);
    void* const aligned = memory->get(32, 64);
    CHECK(platform.blocks == 2);
    CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 64 == 0);
    memory->put(aligned, 32, 64);
    memory->put(large, record_memory::small + 1, 8);
    CHECK(platform.blocks == 0);
}

TEST_CASE_METHOD(fixture, "the platform may refuse, which leaves all as it was, and there may be none") {
    const auto places = fill();
    platform.allowance = 0;
    CHECK(memory->get(8, 8) == nullptr);
    memory->put(places[0], 8, 8);
    CHECK(memory->get(8, 8) == places[0]);
    platform.allowance = 1;
    CHECK(memory->get(8, 8) != nullptr);
    CHECK(memory->hooks().context == &platform);
    record_memory without{memory_hooks{}};
    void* const small = without.get(8, 8);
    CHECK(small != nullptr);
    CHECK(without.get(1000, 8) == nullptr);
    without.put(small, 8, 8);
}
