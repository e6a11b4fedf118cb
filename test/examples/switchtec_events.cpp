// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <string>

#include <devres/testing.hpp>

#include "support/catch.hpp"

#include "switchtec_bench.hpp"

using namespace devres;
using namespace devres::test;
using switchtec::event;
using switchtec::occurrences;

TEST_CASE("an event is counted, masked until its user says otherwise, and wakes who waits") {
    switchtec_bench bench;
    auto binding = bench.bind();
    REQUIRE(binding);
    auto file = binding->state().open().value();
    const auto [what, instance, of_device] = GENERATE(table<event, unsigned, unsigned>({
        {event::ppu_error, 0, 0},           // the switch's
        {event::dyn_part_bind_comp, 0, 1},  // our partition's: it is number 1
        {event::hotplug, 16, 16},           // a port function's
    }));
    auto& hardware = bench.hardware;

    hardware.fire(what, of_device, {1, 2, 3, 4, 5});
    CHECK_FALSE(file.poll()->event);  // interrupts are off to begin with
    CHECK(file.control(what, instance)->occurred);
    CHECK(file.control(what, instance)->count == 1);
    CHECK(file.control(what, instance)->data == std::array<std::uint32_t, 5>{1, 2, 3, 4, 5});

    REQUIRE(file.control(what, instance, {.clear = true, .interrupt = true}));
    CHECK_FALSE(file.control(what, instance)->occurred);
    CHECK(file.control(what, instance)->interrupt);
    CHECK(file.wait_for_event(briefly).error() == errc::etimedout);

    hardware.fire(what, of_device);
    CHECK(file.poll()->event);
    CHECK(file.wait_for_event(long_enough) == occurrences{.events = 1});
    const auto masked = file.control(what, instance);
    CHECK(masked->occurred);
    CHECK_FALSE(masked->interrupt);
    CHECK(masked->count == 2);

    hardware.fire(what, of_device);  // masked: it is counted by the device, and that is all
    CHECK_FALSE(file.poll()->event);
    CHECK(file.control(what, instance)->count == 3);

    // Unmasked with the event still there: it interrupts at once, and is masked again.
    REQUIRE(file.control(what, instance, {.interrupt = true}));
    CHECK(file.wait_for_event(long_enough) == occurrences{.events = 1});
    CHECK_FALSE(file.control(what, instance)->interrupt);

    const auto summary = file.summary();
    REQUIRE(summary);
    const auto bit = 1U << switchtec::summary_bit(what);
    switch (scope_of(what)) {
    case switchtec::event_scope::global: CHECK(summary->global == bit); break;
    case switchtec::event_scope::partition: CHECK(summary->partition == bit); break;
    default: CHECK(summary->port_functions[instance] == bit);
    }
}

TEST_CASE("an event's other settings stay as their user made them") {
    switchtec_bench bench;
    auto binding = bench.bind();
    auto file = binding->state().open().value();
    REQUIRE(file.control(event::fw_nmi, 0, {.log = true, .fatal = true}));
    REQUIRE(file.control(event::fw_nmi, 0, {.interrupt = true, .cli = true, .fatal = false}));
    bench.hardware.fire(event::fw_nmi);
    const auto now = file.control(event::fw_nmi, 0);
    CHECK((now->log && now->cli && !now->fatal && !now->interrupt && now->occurred));
}

TEST_CASE("events interrupt once each, however many there are, and each file sees them") {
    switchtec_bench bench;
    auto binding = bench.bind();
    auto file = binding->state().open().value();
    for (const event what : {event::stack_error, event::gfms, event::part_reset})
        REQUIRE(file.control(what, 0, {.interrupt = true}));
    auto late = binding->state().open().value();
    bench.hardware.fire(event::stack_error);
    bench.hardware.fire(event::gfms);
    bench.hardware.fire(event::part_reset, 1);
    bench.hardware.fire(event::part_reset, 0);  // another partition's
    CHECK(file.wait_for_event(long_enough) == occurrences{.events = 3});
    CHECK(late.wait_for_event(long_enough) == occurrences{.events = 3});
    CHECK(file.wait_for_event(0ms).error() == errc::etimedout);
}

TEST_CASE("every link change is told, and never masked") {
    switchtec_bench bench;
    auto binding = bench.bind();
    auto file = binding->state().open().value();
    for (const unsigned port : {0U, 48U, 8U, 16U, 16U})
        bench.hardware.fire(event::link_state, port);
    CHECK(file.wait_for_event(long_enough) == occurrences{.link_changes = 5});
    CHECK(file.control(event::link_state, 16)->interrupt);
    CHECK_FALSE(file.control(event::link_state, 16)->occurred);
    CHECK(file.control(event::link_state, 16)->count == 2);
}

TEST_CASE("the driver's own events and other partitions' ports are out of reach") {
    switchtec_bench bench;
    auto binding = bench.bind();
    auto file = binding->state().open().value();
    CHECK(file.control(event::mrpc_comp, 0, {.clear = true}).error() == errc::eperm);
    CHECK(file.control(event::link_state, 8, {.interrupt = false}).error() == errc::eperm);
    CHECK(file.control(event::mrpc_comp, 0)->interrupt);
    CHECK(file.control(event::hotplug, 9).error() == errc::einval);
    CHECK(file.control(event::ppu_error, 1).error() == errc::einval);
    CHECK(file.control(static_cast<event>(99), 0).error() == errc::einval);
}

TEST_CASE("an interrupt without a reason is not handled") {
    switchtec_bench bench;
    testing::trace_recorder trace;
    testing::traced platform{bench.bus, std::ref(trace)};
    auto binding = pci::bind<switchtec::driver>(platform, bench.function);
    REQUIRE(binding);
    trace.clear();
    bench.function.raise(0);
    bench.function.raise(1);
    CHECK(trace.lines() == std::vector<std::string>{"interrupt irq_handler 0 \"switchtec\" none",
                                                    "interrupt irq_handler 1 \"switchtec-dma\" none"});
    bench.hardware.fire(event::link_state, 8);
    CHECK(trace.lines().back() == "interrupt irq_handler 0 \"switchtec\" handled");
}

TEST_CASE("interrupts that are enabled when the driver goes do not stay so") {
    switchtec_bench bench;
    {
        auto binding = bench.bind();
        auto file = binding->state().open().value();
        REQUIRE(file.control(event::ppu_error, 0, {.interrupt = true}));
        REQUIRE(file.control(event::dpc, 48, {.interrupt = true}));
        CHECK(bench.hardware.left_enabled().size() > 2);
    }
    CHECK(bench.left_behind() == "");
}
