// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/faulty.hpp>

#include <functional>
#include <string>
#include <vector>

#include <devres/testing/traced.hpp>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;
using test::null_platform;

TEST_CASE("fallible primitives are counted and named, memory included") {
    null_platform inner;
    null_platform::function_type function;
    faulty platform(inner);
    { REQUIRE(pci::bind<test::managed_driver>(platform, function)); }
    const auto steps = platform.steps();
    REQUIRE(steps.size() == 9);
    CHECK(steps[0].starts_with("step 1: allocate "));
    CHECK(steps[1] == "step 2: attach");
    CHECK(steps[2] == "step 3: enable");
    CHECK(steps[3] == "step 4: set_master on");
    CHECK(steps[4].starts_with("step 5: allocate "));
    CHECK(steps[5] == "step 6: map_bar 0 \"registers\"");
    CHECK(steps[6] == "step 7: allocate_vectors 2 to 2");
    CHECK(steps[8] == "step 9: register_handler vector 1 \"dma\"");
    CHECK(platform.releases() == 9);
    CHECK(platform.injected().empty());
}

TEST_CASE("a step that is to fail does not reach the platform") {
    null_platform inner;
    null_platform::function_type function;
    faulty platform(inner, {2, 4, 5});
    CHECK(platform.attach(function));
    CHECK(platform.enable(function).error() == errc::eio);
    CHECK(function.enabled == 0);
    CHECK(platform.enable(function));
    CHECK(platform.allocate_vectors(function, {}).error() == errc::enospc);
    CHECK(platform.allocate(64, 8) == nullptr);
    CHECK(inner.blocks() == 0);
    CHECK(platform.injected() == fault_steps{2, 4, 5});
    platform.disable(function);
    platform.detach(function);
    CHECK(function.idle());
}

TEST_CASE("what a primitive fails with is natural to it, and can be said") {
    null_platform inner;
    null_platform::function_type function;
    faulty platform(inner, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    platform.fail_with(primitive::enable, errc::enodev);
    CHECK(platform.attach(function).error() == errc::ebusy);
    CHECK(platform.enable(function).error() == errc::enodev);
    CHECK(platform.map_bar(function, pci::bar_number(0), "registers").error() == errc::ebusy);
    CHECK(platform.register_handler(function, 0, {}).error() == errc::ebusy);
    CHECK(platform.allocate_dma(function, 4096).error() == errc::enomem);
    CHECK(platform.map_dma(function, &inner, 1).error() == errc::enomem);
    CHECK(platform.read_config(function, 0, 4).error() == errc::eio);
    CHECK(platform.suspend(function).error() == errc::eio);
    CHECK(platform.resume(function).error() == errc::eio);
    CHECK(platform.write_config(function, 0, 4, 0).has_value());
}

TEST_CASE("counting starts again with other faults") {
    null_platform inner;
    null_platform::function_type function;
    faulty platform(inner, {1});
    CHECK(!platform.attach(function));
    platform.restart({2});
    CHECK(platform.attach(function));
    CHECK(!platform.enable(function));
    CHECK(platform.steps() == std::vector<std::string>{"step 1: attach", "step 2: enable"});
    CHECK(platform.injected() == fault_steps{2});
    platform.detach(function);
}

TEST_CASE("release primitives never fail") {
    null_platform inner;
    null_platform::function_type function;
    faulty platform(inner, {3, 4, 5, 6, 7, 8});
    REQUIRE(platform.attach(function));
    REQUIRE(platform.allocate_vectors(function, {.min = 1, .max = 1, .types = pci::irq_type::msix}));
    CHECK(platform.unregister_handler(function, pci::handler_id::none));
    CHECK(platform.free_vectors(function));
    platform.detach(function);
    CHECK(platform.releases() == 3);
    CHECK(platform.steps().size() == 2);
    CHECK(function.idle());
}

TEST_CASE("a faulty platform over a traced one leaves the fault out of the trace, and the notes in") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder trace;
    traced below(inner, std::ref(trace));
    faulty platform(below, {7});
    CHECK(pci::bind<test::managed_driver>(platform, function).error() == errc::enospc);
    CHECK(trace.lines() ==
          std::vector<std::string>{"attached", "acquired driver_data managed \"devres::test::managed_driver::state\"",
                                   "acquired enable managed", "called set_master on",
                                   "acquired bar 0 managed \"registers\"", "called set_master off",
                                   "released bar 0 managed \"registers\"", "released enable managed",
                                   "released driver_data managed \"devres::test::managed_driver::state\"", "detached"});
}
