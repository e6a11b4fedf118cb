// SPDX-License-Identifier: BSL-1.0
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;

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
    INFO(with_managed);
    CHECK(with_managed.clean());
    CHECK(with_managed.tolerated() == 0);
    const auto with_unmanaged = explore_faults(
        bus, [&](auto& platform) { return test::unmanaged_driver::run(platform, function, [] {}); },
        as_before(function), fault_depth::pairs);
    INFO(with_unmanaged);
    CHECK(with_unmanaged.clean());
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
    INFO(explored);
    CHECK(explored.clean());
    CHECK(interrupts > 4);
}

TEST_CASE("a trace on the simulated bus shows a function by its address, and its surprise removal") {
    sim::bus bus;
    sim::function& function = bus.add(config);
    std::ostringstream out;
    traced platform(bus, trace_text(out), [](sim::function& f) { return std::string(f.address().text().c_str()); });
    {
        auto binding = pci::bind<test::managed_driver>(platform, function);
        REQUIRE(binding);
        function.raise(1);
        function.surprise_remove();
        platform.remark(function, "surprise removal");
    }
    CHECK(books(bus).empty());
    CHECK(out.str() == "0000:00:01.0  attached\n"
                       "0000:00:01.0  acquired    driver_data     managed\n"
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
                       "0000:00:01.0  released    bar 0           managed\n"
                       "0000:00:01.0  released    enable          managed\n"
                       "0000:00:01.0  released    driver_data     managed\n"
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
