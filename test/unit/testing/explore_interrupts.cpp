// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/explore_interrupts.hpp>

#include <string>
#include <utility>

#include <devres/testing/traced.hpp>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;
using test::null_platform;

TEST_CASE("an interrupt at each point of probe and unbind, and at all of them, does a managed driver no harm") {
    null_platform inner;
    null_platform::function_type function;
    unsigned seen = 0;
    const auto explored = explore_interrupts(
        inner,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto binding, pci::bind<test::managed_driver>(platform, function));
            seen += binding.state().interrupts;
            return binding.unbind();
        },
        [&](null_platform&) {
            function.fire(0);
            function.fire(1);
        },
        test::idle(function));
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() == 2 * (9 + 1 + 9) + 1);  // a BAR write, too
    CHECK(explored.runs.back().what == "every point");
    CHECK(explored.runs[3].what == "point 4: after attach");
    CHECK(seen > 4);
}

TEST_CASE("a driver that an interrupt breaks is shown where") {
    null_platform inner;
    null_platform::function_type function;
    unsigned handled = 0;
    const auto explored = explore_interrupts(
        inner,
        [&](auto& platform) -> result<> {  // the interrupt before the last reset of the count is lost
            DEVRES_TRY(platform.allocate_vectors(function, {.min = 1, .max = 1, .types = pci::irq_type::msix}));
            const auto id = platform.register_handler(function, 0,
                                                      {.entry =
                                                           [](void* count, pci::vector_index) noexcept {
                                                               ++*static_cast<unsigned*>(count);
                                                               return pci::irq_return::handled;
                                                           },
                                                       .context = &handled,
                                                       .name = "handler"});
            handled = 0;
            DEVRES_TRY(platform.unregister_handler(function, *id));
            return platform.free_vectors(function);
        },
        [&](null_platform&) { (void)(function.fire(0)); },
        [&](null_platform&) { return handled != 0 ? std::string("came late") : std::string(); });
    CHECK(!explored.clean());
    unsigned complaints = 0;
    for (const auto& run : explored.runs)
        complaints += run.complaint.empty() ? 0U : 1U;
    CHECK(complaints == 2);
    CHECK(explored.runs[4].what == "point 5: before unregister_handler");
    CHECK(explored.runs[4].complaint == "came late");
}

TEST_CASE("interrupts reach a driver through a trace that is above the points") {
    null_platform inner;
    null_platform::function_type function;
    const auto explored = explore_interrupts(
        inner,
        [&](interrupting<null_platform>& below) -> result<> {
            trace_recorder trace;
            traced platform(below, std::ref(trace));
            return test::unmanaged_driver::run(platform, function, [] {});
        },
        [&](null_platform&) { function.fire(0); }, test::idle(function));
    INFO(explored);
    CHECK(explored.clean());
}
