// SPDX-License-Identifier: BSL-1.0
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <devres/sim.hpp>
#include <devres/testing.hpp>
#include <devres/testing/catch2.hpp>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;
using devres::testing::catch2::IsClean;

namespace {

const sim::function_config config{.vendor = 0x11f8, .device = 0x8531, .msix_vectors = 4, .bar_sizes = {4096, 0, 8192}};

std::string books(sim::bus& bus) {
    std::ostringstream text;
    text << bus.ledger();
    return text.str() == "clean" ? "" : text.str();
}

/// Whether the books are clean and the function is as it was when this was made.
auto as_before(sim::function& function) {
    return [&function, before = function.state()](sim::bus& bus) {
        const std::string wrong = books(bus);
        return wrong.empty() ? difference(before, function.state()) : wrong;
    };
}

auto bind_and_unbind(sim::function& function, unsigned* interrupts = nullptr) {
    return [&function, interrupts](auto& platform) -> result<> {
        DEVRES_TRY(auto binding, pci::bind<test::managed_driver>(platform, function));
        if (interrupts != nullptr)
            *interrupts += binding.state().interrupts;
        return binding.unbind();
    };
}

}  // namespace

TEST_CASE("the simulated bus is as before after every fault and pair of faults of a probe") {
    sim::bus bus;
    sim::function& function = bus.add(config);
    const auto with_managed = explore_faults(bus, bind_and_unbind(function), as_before(function), fault_depth::pairs);
    CHECK_THAT(with_managed, IsClean());
    CHECK(with_managed.tolerated() == 0);
    const auto with_unmanaged = explore_faults(
        bus, [&](auto& platform) { return test::unmanaged_driver::run(platform, function, [] {}); },
        as_before(function), fault_depth::pairs);
    CHECK_THAT(with_unmanaged, IsClean());
}

TEST_CASE("the simulated bus is as before whenever an interrupt arrives in probe or unbind") {
    sim::bus bus;
    sim::function& function = bus.add(config);
    unsigned interrupts = 0;
    const auto explored = explore_interrupts(
        bus, bind_and_unbind(function, &interrupts),
        [&](sim::bus&) {
            function.raise(0);
            function.raise(1);
        },
        as_before(function));
    CHECK_THAT(explored, IsClean());
    CHECK(interrupts > 4);
}

TEST_CASE("a trace on the simulated bus shows a function by its address, and its surprise removal") {
    sim::bus bus;
    sim::function& function = bus.add(config);
    std::ostringstream out;
    traced platform(bus, trace_text(out), [](sim::function& f) { return std::string(f.address().text()); });
    {
        auto binding = pci::bind<test::managed_driver>(platform, function);
        REQUIRE(binding);
        function.raise(1);
        function.surprise_remove();
        platform.remark(function, "surprise removal");
    }
    CHECK(books(bus).empty());
    CHECK(out.str() == "0000:00:01.0  attached\n"
                       "0000:00:01.0  acquired    driver_data     managed    \"devres::test::managed_driver::state\"\n"
                       "0000:00:01.0  acquired    enable          managed\n"
                       "0000:00:01.0  called      set_master on\n"
                       "0000:00:01.0  acquired    bar 0           managed    \"registers\"\n"
                       "0000:00:01.0  acquired    irq_vectors     managed    2 vectors\n"
                       "0000:00:01.0  acquired    irq_handler 0   managed    \"event\"\n"
                       "0000:00:01.0  acquired    irq_handler 1   managed    \"dma\"\n"
                       "0000:00:01.0  interrupt   irq_handler 1              \"dma\" handled\n"
                       "0000:00:01.0  remark                                 surprise removal\n"
                       "0000:00:01.0  released    irq_handler 1   managed    \"dma\"\n"
                       "0000:00:01.0  released    irq_handler 0   managed    \"event\"\n"
                       "0000:00:01.0  released    irq_vectors     managed    2 vectors\n"
                       "0000:00:01.0  released    bar 0           managed    \"registers\"\n"
                       "0000:00:01.0  released    enable          managed\n"
                       "0000:00:01.0  released    driver_data     managed    \"devres::test::managed_driver::state\"\n"
                       "0000:00:01.0  detached\n");
}

TEST_CASE("decorators compose on the simulated bus in any order") {
    sim::bus bus;
    sim::function& function = bus.add(config);
    trace_recorder trace;
    traced below(bus, std::ref(trace));
    faulty middle(below, {6});
    traced<faulty<traced<sim::bus>>> above(middle, std::ref(trace));
    CHECK(pci::bind<test::managed_driver>(above, function).error() == errc::ebusy);
    CHECK(above.inner().inner().inner().ledger().clean());
    CHECK(trace.lines().back() == "detached");
}

TEST_CASE("a handler that uses a BAR it keeps off is told of by a trace in the ledger's words") {
    sim::bus bus;
    sim::function& function = bus.add({.msix_vectors = 2, .bar_sizes = {4096, 4096}});
    sim::function& other = bus.add({.bar_sizes = {4096, 4096}});
    trace_recorder trace;
    traced inner(bus, std::ref(trace));
    faulty middle(inner);
    trace_recorder outer_trace;
    traced platform(middle, std::ref(outer_trace));
    using platform_type = decltype(platform);
    struct user {
        platform_type& platform;
        std::vector<platform_type::region_type> regions{};
        static pci::irq_return on_irq(void* context, pci::vector_index) noexcept {
            auto& self = *static_cast<user*>(context);
            for (const auto& region : self.regions) {
                self.platform.write<std::uint32_t>(region, 0, 1);
                (void)self.platform.read<std::uint32_t>(region, 0);
            }
            return pci::irq_return::handled;
        }
    } use{platform};
    REQUIRE(platform.enable(function));
    REQUIRE(platform.enable(other));
    REQUIRE(platform.set_master(function, true));
    for (sim::function* f : {&function, &other}) {
        for (unsigned bar = 0; bar != 2; ++bar)
            use.regions.push_back(platform.map_bar(*f, pci::bar_number(bar), "regs").value());
    }
    REQUIRE(platform.allocate_vectors(function, {.min = 2, .max = 2, .types = pci::irq_type::msix}));
    REQUIRE(platform.register_handler(
        function, 0, {.entry = &user::on_irq, .context = &use, .name = "event", .keeps_off_bars = 0b10}));
    REQUIRE(platform.register_handler(function, 1, {.entry = &user::on_irq, .context = &use, .name = "other"}));
    trace.clear();
    outer_trace.clear();
    function.raise(1);
    function.raise(0);
    function.raise(0);
    use.platform.write<std::uint32_t>(use.regions[1], 0, 1);  // not in the handler
    const auto violations = bus.ledger().take_violations();
    REQUIRE(violations.size() == 1);
    CHECK(violations[0].kind == sim::violation_kind::bar_kept_off);
    for (const auto* each : {&trace, &outer_trace}) {
        std::vector<std::string> told;
        for (const trace_entry& entry : each->entries()) {
            if (entry.step == trace_step::violation)
                told.push_back(entry.detail);
        }
        REQUIRE(told.size() == 1);
        CHECK(violations[0].text == "0000:00:01.0 " + told[0]);
    }
    REQUIRE(platform.free_vectors(function));
}
