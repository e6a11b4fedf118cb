// SPDX-License-Identifier: BSL-1.0
#include <devres/core/detail/record_memory.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
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
    record_memory memory{hooks_of(platform)};

    std::vector<void*> fill() {
        std::vector<void*> blocks;
        for (std::size_t i = 0; i != record_memory::blocks; ++i)
            blocks.push_back(memory.get(record_memory::small, alignment));
        return blocks;
    }
};

}  // namespace

TEST_CASE_METHOD(fixture, "the first small blocks are its own: apart, aligned, and no matter for the platform") {
    const auto blocks = fill();
    for (void* const block : blocks) {
        REQUIRE(block != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
        std::memset(block, 0xab, record_memory::small);
    }
    CHECK(std::set(blocks.begin(), blocks.end()).size() == record_memory::blocks);
    CHECK(platform.allocations == 0);
}

TEST_CASE_METHOD(fixture, "when they are used up the platform is asked, and is given back what is its own") {
    const auto blocks = fill();
    void* const other = memory.get(24, 8);
    CHECK(platform.blocks == 1);
    memory.put(other, 24, 8);
    CHECK(platform.blocks == 0);
    for (void* const block : blocks)
        memory.put(block, record_memory::small, alignment);
    CHECK(platform.allocations == 1);
}

TEST_CASE_METHOD(fixture, "a block that was given back is used again") {
    const auto blocks = fill();
    memory.put(blocks[3], 8, 8);
    memory.put(blocks[4], 32, alignment);
    CHECK(memory.get(1, 1) == blocks[4]);
    CHECK(memory.get(32, alignment) == blocks[3]);
    CHECK(platform.allocations == 0);
    void* const more = memory.get(1, 1);
    CHECK(platform.blocks == 1);
    memory.put(more, 1, 1);
}

TEST_CASE_METHOD(fixture, "what is large, or aligned to more, is the platform's") {
    void* const large = memory.get(record_memory::small + 1, 8);
    void* const aligned = memory.get(32, 64);
    CHECK(platform.blocks == 2);
    CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 64 == 0);
    memory.put(aligned, 32, 64);
    memory.put(large, record_memory::small + 1, 8);
    CHECK(platform.blocks == 0);
}

TEST_CASE_METHOD(fixture, "the platform may refuse, and there may be none") {
    fill();
    platform.allowance = 0;
    CHECK(memory.get(8, 8) == nullptr);
    record_memory without{memory_hooks{}};
    void* const small = without.get(8, 8);
    CHECK(small != nullptr);
    CHECK(without.get(1000, 8) == nullptr);
    without.put(small, 8, 8);
    CHECK(memory.hooks().context == &platform);
}
