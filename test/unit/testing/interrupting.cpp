// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/interrupting.hpp>

#include <string>
#include <thread>
#include <vector>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;
using test::null_platform;
using lines = std::vector<std::string>;

TEST_CASE("there is a point before and after every primitive of the driver") {
    null_platform inner;
    null_platform::function_type function;
    lines points;
    interrupting platform(inner, [&](const interrupt_point& point) { points.push_back(to_string(point)); });
    REQUIRE(platform.attach(function));
    auto bar = platform.map_bar(function, pci::bar_number(0), "registers");
    platform.write<std::uint32_t>(*bar, 4, 1);
    platform.unmap_bar(function, *bar);
    CHECK(platform.points() == 8);
    CHECK(points == lines{"point 1: before attach", "point 2: after attach", "point 3: before map_bar 0 \"registers\"",
                          "point 4: after map_bar 0 \"registers\"", "point 5: before write bar 0 + 0x4, 4 bytes",
                          "point 6: after write bar 0 + 0x4, 4 bytes", "point 7: before unmap_bar 0",
                          "point 8: after unmap_bar 0"});
}

TEST_CASE("what a handler does at a point, and what other threads do, makes no points") {
    null_platform inner;
    null_platform::function_type function;
    interrupting<null_platform>* self = nullptr;
    unsigned calls = 0;
    interrupting platform(inner, [&](const interrupt_point& point) {
        ++calls;
        if (!point.before()) {
            void* const block = self->allocate(8, 8);
            self->deallocate(block, 8, 8);
        }
    });
    self = &platform;
    REQUIRE(platform.attach(function));
    CHECK(calls == 2);
    std::thread([&] { platform.detach(function); }).join();
    CHECK(calls == 2);
    CHECK(platform.points() == 2);
}
