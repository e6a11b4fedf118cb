// SPDX-License-Identifier: BSL-1.0
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <devres/linux_model.hpp>
#include <devres/pci/platform_archetype.hpp>
#include <devres/testing.hpp>

#include "support/catch.hpp"

#include "rocker/demo.hpp"
#include "rocker/driver.hpp"
#include "rocker/exercise.hpp"
#include "rocker/model.hpp"

using namespace devres;
using rocker::dma_operation;
namespace registers = rocker::registers;

static_assert(pci::driver_on<rocker::driver, pci::platform_archetype>);

namespace {

struct rocker_bench {
    rocker::model hardware;
    sim::bus bus;
    sim::function& function;
    sim::snapshot before = function.state();

    explicit rocker_bench(unsigned ports = 0) : function(bus.add(rocker::config(hardware, ports))) {}

    [[nodiscard]] std::string left_behind() {
        std::ostringstream out;
        if (!bus.ledger().clean())
            out << bus.ledger() << "; ";
        if (function.present())
            out << sim::difference(before, function.state());
        return out.str();
    }

    void write(std::size_t offset, std::uint64_t value, unsigned width = 4) {
        hardware.write(function, pci::bar_number(0), offset, width, value);
    }
    [[nodiscard]] std::uint64_t read(std::size_t offset, unsigned width = 4) {
        return hardware.read(function, pci::bar_number(0), offset, width);
    }
};

constexpr auto nothing_said = [](std::string_view) {};

}  // namespace

TEST_CASE("a simulated rocker has four vectors, and two more for each port") {
    CHECK(rocker_bench().function.msix_vectors() == 4);
    CHECK(rocker_bench(2).function.msix_vectors() == 8);
    CHECK(rocker_bench(62).function.msix_vectors() == 128);
}

TEST_CASE("a simulated rocker doubles what its test registers are given, whole or in halves") {
    rocker_bench bench;
    bench.write(registers::test, 21);
    CHECK(bench.read(registers::test) == 42);
    bench.write(registers::test64, 0x0123'4567'89ab'cdef, 8);
    CHECK(bench.read(registers::test64, 8) == 0x0246'8acf'1357'9bde);
    bench.write(registers::test64, 0x8000'0001);
    CHECK(bench.read(registers::test64, 8) == 0x0246'8acf'1357'9bde);  // only half of it is there
    bench.write(registers::test64 + 4, 2);
    CHECK(bench.read(registers::test64) == 2);
    CHECK(bench.read(registers::test64 + 4) == 5);
    bench.write(registers::control, registers::reset);
    CHECK(bench.read(registers::test) == 0);
    CHECK(bench.read(registers::test64, 8) == 0);
    CHECK(bench.read(registers::test, 2) == 0);  // it has no narrower registers
}

TEST_CASE("a simulated rocker ignores DMA operations it does not know, and memory it cannot reach is found out") {
    rocker_bench bench;
    auto bound = pci::bind<rocker::driver>(bench.bus, bench.function);
    REQUIRE(bound);
    auto& state = bound->state();
    CHECK(state.transfer(dma_operation::fill, 4) == result<>());
    const std::uint64_t before = state.vector(2).received();
    bench.write(registers::dma_control, 3);
    CHECK(state.vector(2).received() == before);
    CHECK(bench.bus.ledger().violations().empty());
    bench.write(registers::dma_address, 0x10, 8);
    bench.write(registers::dma_control, 1);
    CHECK(state.vector(2).received() == before + 1);
    CHECK(bench.bus.ledger().violations().size() == 1);
}

TEST_CASE("the rocker driver passes its exercise on the simulated bus") {
    rocker_bench bench(GENERATE(0U, 1U, 2U, 62U));
    std::vector<std::string> said;
    for (int round = 0; round != 2; ++round) {
        CHECK(rocker::exercise(bench.bus, bench.function, [&](std::string_view line) { said.emplace_back(line); }) ==
              "");
        CHECK(bench.left_behind() == "");
    }
    CHECK(said.front() == "bound, with " + std::to_string(bench.function.msix_vectors()) + " MSI-X vectors");
    CHECK(said.size() == 10);
}

TEST_CASE("the rocker driver passes its exercise on every version of Linux, and leaves nothing behind") {
    linux_model::kernel kernel(*GENERATE(&linux_model::linux_5_16, &linux_model::linux_6_1, &linux_model::linux_6_12,
                                         &linux_model::linux_6_18));
    rocker::model hardware;
    linux_model::pci_dev& dev = kernel.add(rocker::config(hardware, 2));
    for (int round = 0; round != 2; ++round) {
        CHECK(rocker::exercise(kernel, dev, nothing_said) == "");
        CHECK(kernel.hardware().ledger().clean());
        CHECK(dev.enable_cnt == 0);
        CHECK_FALSE(dev.msix_enabled);
        CHECK_FALSE(dev.has_resources());
    }
    for (const auto& each : kernel.log().events())
        CHECK((each.kind != linux_model::event_kind::warning && each.kind != linux_model::event_kind::oops));
}

TEST_CASE("the rocker exercise says what is wrong, and unbinds") {
    struct wrong_model : rocker::model {
        std::size_t ignored = 0;
        void write(sim::function& self, pci::bar_number bar, std::uint64_t offset, unsigned width,
                   std::uint64_t value) override {
            if (offset == registers::test_irq && ignored == registers::test_irq && value == 3)
                self.raise(1);
            else if (offset != ignored || offset == registers::test_irq)
                rocker::model::write(self, bar, offset, width, value);
        }
    } hardware;
    sim::bus bus;
    sim::function& function = bus.add(rocker::config(hardware));
    const auto exercise = [&](std::size_t ignored) {
        hardware.ignored = ignored;
        return rocker::exercise(bus, function, nothing_said);
    };
    CHECK(exercise(registers::test) == "TEST_REG does not double 1");
    CHECK(exercise(registers::test64 + 4) == "TEST_REG64 does not double 1");
    CHECK(exercise(registers::test_irq) == "vector 3: timed out");
    CHECK(exercise(registers::dma_control) == "TEST_DMA invert: timed out");
    CHECK(bus.ledger().clean());
    hardware.ignored = 0;
    CHECK(exercise(0) == "");
}

TEST_CASE("a fault at any step of the rocker driver's probe, or at any two, leaves nothing behind") {
    rocker_bench bench;
    const auto explored = testing::explore_faults(
        bench.bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<rocker::driver>(platform, bench.function));
            DEVRES_TRY(bound.state().raise(3));
            DEVRES_TRY(bound.state().transfer(dma_operation::fill, 100));
            return bound.unbind();
        },
        [&](sim::bus&) { return bench.left_behind(); }, testing::fault_depth::pairs);
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 12);
    for (const auto& run : explored.runs) {
        INFO(run.what);
        const bool only_at_the_end = run.what.ends_with("set_master off") && run.what.find(',') == std::string::npos;
        CHECK(run.outcome.has_value() == only_at_the_end);  // the disable does it, too
    }
}

TEST_CASE("an interrupt at any point of the rocker driver's life does no harm") {
    rocker_bench bench;
    const auto explored = testing::explore_interrupts(
        bench.bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<rocker::driver>(platform, bench.function));
            DEVRES_TRY(bound.state().raise(3));
            return bound.unbind();
        },
        [&](sim::bus&) {
            for (unsigned i = 0; i != 4; ++i)
                bench.function.raise(i);
        },
        [&](sim::bus&) { return bench.left_behind(); });
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 30);
}

TEST_CASE("the rocker driver refuses what is no rocker, or too small for one") {
    rocker::model hardware;
    sim::bus bus;
    auto config = rocker::config(hardware);
    config.bar_sizes[0] = 0x100;
    CHECK(pci::bind<rocker::driver>(bus, bus.add(config)).error() == errc::enodev);
    config = rocker::config(hardware);
    config.msix_vectors = 3;
    CHECK(pci::bind<rocker::driver>(bus, bus.add(config)).error() == errc::enospc);
    config = rocker::config(hardware);
    config.device = 7;
    CHECK(pci::bind<rocker::driver>(bus, bus.add(config)).error() == errc::enodev);
    CHECK(bus.ledger().clean());
}

TEST_CASE("a rocker that has slept starts over, with its handlers where they were") {
    rocker_bench bench;
    {
        auto bound = pci::bind<rocker::driver>(bench.bus, bench.function);
        REQUIRE(bound);
        auto& state = bound->state();
        for (unsigned round = 0; round != 2; ++round) {
            REQUIRE(state.transfer(dma_operation::fill, 8));
            CHECK(bench.read(registers::dma_size) == 8);
            REQUIRE(bound->suspend());
            REQUIRE(bound->resume());
            CHECK(bench.read(registers::dma_size) == 0);
            CHECK(state.raise(3));
        }
        REQUIRE(state.transfer(dma_operation::fill, 8));
    }
    CHECK(bench.read(registers::dma_size) == 0);  // the buffer has gone, and the device knows nothing of it
    CHECK(bench.left_behind() == "");
}

TEST_CASE("who waits for a rocker that is pulled out hears that it is gone") {
    rocker_bench bench;
    {
        auto bound = pci::bind<rocker::driver>(bench.bus, bench.function);
        REQUIRE(bound);
        CHECK(bound->state().raise(4).error() == errc::einval);
        CHECK(bound->state().transfer(dma_operation::clear, bound->state().buffer().size() + 1).error() ==
              errc::einval);
        bench.function.surprise_remove();
        CHECK(bound->state().raise(3).error() == errc::enodev);
        CHECK(bound->state().transfer(dma_operation::clear, 8).error() == errc::enodev);
    }
    CHECK(bench.left_behind() == "");
    bench.function.insert();
    CHECK(rocker::exercise(bench.bus, bench.function, nothing_said) == "");
}

TEST_CASE("the rocker demonstration is clean") {
    std::ostringstream out;
    CHECK(rocker::run_rocker(out) == 0);
    CHECK(out.str().find("WRONG") == std::string::npos);
}
