// SPDX-License-Identifier: BSL-1.0
#include <devres/core/memory.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

TEST_CASE("memory hooks go to the platform they were made of") {
    test::counting_memory platform;
    const memory_hooks memory = hooks_of(platform);
    void* const block = memory.get(48, 16);
    REQUIRE(block != nullptr);
    CHECK(platform.blocks == 1);
    CHECK(platform.bytes == 48);
    memory.wait();
    memory.put(block, 48, 16);
    CHECK(platform.blocks == 0);
    CHECK(platform.bytes == 0);
}

TEST_CASE("memory hooks answer null where the platform has no memory, or there is none") {
    test::counting_memory platform{.allowance = 0};
    CHECK(hooks_of(platform).get(8, 8) == nullptr);
    CHECK(memory_hooks{}.get(8, 8) == nullptr);
    memory_hooks{}.wait();
}

TEST_CASE("handler hooks say whether a handler is running here, and wait for all") {
    struct handlers {
        bool inside = true;
        int waits = 0;
    } of_device;
    const handler_hooks hooks{
        .running_here = [](void* context) noexcept { return static_cast<handlers*>(context)->inside; },
        .wait_for_all = [](void* context) noexcept { ++static_cast<handlers*>(context)->waits; },
        .context = &of_device};
    CHECK(hooks.here());
    of_device.inside = false;
    CHECK(!hooks.here());
    hooks.wait();
    CHECK(of_device.waits == 1);
}

TEST_CASE("without handler hooks there are no handlers") {
    CHECK(!handler_hooks{}.here());
    handler_hooks{}.wait();
}
