// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/explore_faults.hpp>

#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;
using Catch::Matchers::ContainsSubstring;
using test::null_platform;

TEST_CASE("every fault of a managed probe comes out as an error and leaves nothing behind") {
    null_platform inner;
    null_platform::function_type function;
    const auto explored = explore_faults(
        inner,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto binding, pci::bind<test::managed_driver>(platform, function));
            return binding.unbind();
        },
        test::idle(function));
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() == 9);
    CHECK(explored.tolerated() == 0);
    CHECK(explored.undisturbed.what == "no fault, 9 steps");
    CHECK(explored.runs[6].what == "step 7: allocate_vectors 2 to 2");
    CHECK(explored.runs[6].outcome.error() == errc::enospc);
}

TEST_CASE("a leak is found at the step where it happens, and a fault that a driver does without is told") {
    null_platform::function_type* function = nullptr;
    struct fresh {
        null_platform platform;
        null_platform::function_type function;
    };
    std::unique_ptr<fresh> current;
    const auto explored = explore_faults(
        [&]() -> null_platform& {
            current = std::make_unique<fresh>();
            function = &current->function;
            return current->platform;
        },
        [&](auto& platform) { return test::leaky_driver::run(platform, *function); },
        [&](null_platform& platform) { return test::idle(*function)(platform); });
    CHECK(!explored.clean());
    CHECK(explored.tolerated() == 1);
    std::ostringstream text;
    text << explored;
    CHECK(text.str() == "  no fault, 4 steps -> no error\n"
                        "  step 1: attach -> device or resource busy\n"
                        "  step 2: enable -> input/output error\n"
                        "! step 3: map_bar 0 \"registers\" -> device or resource busy; function not idle\n"
                        "  step 4: allocate_dma 4096 bytes -> no error\n");
}

TEST_CASE("a function may make a new platform for each run") {
    unsigned made = 0;
    const auto explored = explore_faults(
        [&] {
            ++made;
            return null_platform();
        },
        [](auto& platform) -> result<> {
            null_platform::function_type function;
            DEVRES_TRY(platform.attach(function));
            return platform.enable(function);
        },
        [](null_platform&) { return std::string(); });
    CHECK(explored.clean());
    CHECK(made == 3);
}

TEST_CASE("pairs are each step with each later one, those of a fallback included") {
    null_platform inner;
    null_platform::function_type function;
    const auto scenario = [&](auto& platform) -> result<> {
        if (platform.suspend(function))
            return {};
        DEVRES_TRY(platform.resume(function));
        return platform.suspend(function);
    };
    const auto explored = explore_faults(inner, scenario, [](auto&) { return std::string(); }, fault_depth::pairs);
    CHECK(explored.clean());
    REQUIRE(explored.runs.size() == 3);
    CHECK(explored.runs[0].what == "step 1: suspend");
    CHECK(explored.runs[1].what == "step 1: suspend, step 2: resume");
    CHECK(explored.runs[2].what == "step 1: suspend, step 3: suspend");
    CHECK(explored.tolerated() == 1);
}

TEST_CASE("every pair of faults of an unmanaged driver leaves nothing behind") {
    null_platform inner;
    null_platform::function_type function;
    const auto explored = explore_faults(
        inner, [&](auto& platform) { return test::unmanaged_driver::run(platform, function, [] {}); },
        test::idle(function), fault_depth::pairs);
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.tolerated() == 0);
}

TEST_CASE("a scenario that fails, or is complained of, without a fault is not explored") {
    null_platform inner;
    null_platform::function_type function;
    const auto failing = explore_faults(
        inner, [](auto&) -> result<> { return fail(errc::enodev); }, test::idle(function));
    CHECK(!failing.clean());
    CHECK(failing.runs.empty());

    const auto leaking = explore_faults(
        inner, [&](auto& platform) -> result<> { return platform.enable(function); }, test::idle(function));
    CHECK(!leaking.clean());
    CHECK(leaking.runs.empty());
    std::ostringstream text;
    text << leaking;
    CHECK_THAT(text.str(), ContainsSubstring("! no fault, 1 steps -> no error; function not idle"));
}

TEST_CASE("a step that a scenario does not reach again is not good") {
    null_platform inner;
    null_platform::function_type function;
    unsigned run = 0;
    const auto explored = explore_faults(
        inner,
        [&](auto& platform) -> result<> {
            if (run++ == 0) {
                DEVRES_TRY(platform.resume(function));
            }
            return {};
        },
        test::idle(function));
    REQUIRE(explored.runs.size() == 1);
    CHECK(!explored.runs[0].reached);
    CHECK(!explored.clean());
}
