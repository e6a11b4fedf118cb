// SPDX-License-Identifier: BSL-1.0
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <devres/pci/platform_archetype.hpp>
#include <devres/testing.hpp>

#include "support/catch.hpp"

#include "switchtec_bench.hpp"

using namespace devres;
using namespace devres::test;
using switchtec::event;
using switchtec::mrpc_echo;

static_assert(pci::driver_on<switchtec::driver, pci::platform_archetype>);

namespace {

/// Binds, uses and unbinds a Switchtec: what all the explorations do.
constexpr auto use = [](auto& platform, sim::function& function, switchtec::model& hardware) -> result<> {
    DEVRES_TRY(auto binding, pci::bind<switchtec::driver>(platform, function));
    DEVRES_TRY(auto file, binding.state().open());
    std::array<std::byte, 16> output{};
    DEVRES_TRY(file.command(mrpc_echo, bytes_from<16>(1), output));
    if (output != inverted(bytes_from<16>(1)))
        return fail(errc::ebadmsg);
    DEVRES_TRY(file.control(event::ppu_error, 0, {.clear = true, .interrupt = true}));
    // On a thread of its own, as its handlers are not what is to be disturbed by yet more interrupts.
    std::thread([&] {
        hardware.fire(event::ppu_error);
        hardware.fire(event::link_state, 8);
    }).join();
    DEVRES_TRY(const auto happened, file.wait_for_event(long_enough));
    return happened == switchtec::occurrences{.events = 1, .link_changes = 1} ? binding.unbind() : fail(errc::eproto);
};

}  // namespace

TEST_CASE("switchtec finds out what it drives") {
    const auto [device, gen] = GENERATE(table<std::uint16_t, switchtec::generation>({
        {0x8536, switchtec::generation::gen3},
        {0x4036, switchtec::generation::gen4},
        {0x5036, switchtec::generation::gen5},
    }));
    switchtec_bench bench({.device_id = device, .partitions = 3, .partition = 2, .downstream_ports = {1, 2, 254}});
    auto binding = bench.bind();
    REQUIRE(binding);
    const auto info = binding->state().open()->partition();
    REQUIRE(info);
    CHECK(info->gen == gen);
    CHECK(info->device_id == device);
    CHECK(info->firmware_version == 0x0401'0203);
    CHECK(info->partition == 2);
    CHECK(info->partitions == 3);
    const auto ports = info->port_functions();
    CHECK(std::vector<unsigned>(ports.begin(), ports.end()) == std::vector<unsigned>{0, 48, 1, 2, 254});
    CHECK(info->vectors == 32);  // more than the 8 of the table: virtual ones
    CHECK(info->event_vector == 0);
    CHECK(info->dma_vector == 1U);
}

TEST_CASE("switchtec takes the vectors it may, and has handlers on one or two of them") {
    const auto lines = [](switchtec_bench& bench) {
        std::string all;
        for (const std::string& line : bench.bus.ledger().live())
            all += line + '\n';
        return all;
    };
    SECTION("MSI-X: 32 of them at most, the spare ones without a handler") {
        switchtec_bench bench({.event_vector = 31, .dma_vector = 17}, 64);
        auto binding = bench.bind();
        REQUIRE(binding);
        CHECK(binding->state().info().vectors == 32);
        const auto held = lines(bench);
        CHECK(held.find("switchtec-dma") != std::string::npos);
        bench.hardware.fire(event::link_state, 8);
        CHECK(binding->state().open()->command(mrpc_echo, {}, {}));
    }
    SECTION("fewer, if the module parameter says so; four if it says fewer than that") {
        switchtec_bench bench({}, 64);
        CHECK(bench.bind<switchtec::configured_driver<{.nirqs = 6}>>()->state().info().vectors == 6);
        CHECK(bench.bind<switchtec::configured_driver<{.nirqs = 1}>>()->state().info().vectors == 4);
    }
    SECTION("MSI, where there is no MSI-X") {
        switchtec_bench bench({}, 0, 4);
        auto binding = bench.bind();
        REQUIRE(binding);
        CHECK(binding->state().info().vectors == 4);
        CHECK(binding->state().open()->command(mrpc_echo, {}, {}));
    }
    SECTION("one, without DMA-MRPC: by firmware or by module parameter") {
        switchtec_bench old({.dma_version = 0}, 1);
        CHECK_FALSE(old.bind()->state().info().dma_vector);
        switchtec_bench bench({}, 1);
        auto binding = bench.bind<switchtec::configured_driver<{.use_dma_mrpc = false}>>();
        REQUIRE(binding);
        CHECK(binding->state().open()->command(mrpc_echo, {}, {}));
    }
}

TEST_CASE("switchtec refuses a device that makes no sense, and leaves it as it was") {
    const auto refused = [](auto&& bench) {
        auto binding = bench.bind();
        REQUIRE_FALSE(binding);
        CHECK(bench.left_behind() == "");
        return binding.error();
    };
    CHECK(refused(switchtec_bench({.event_vector = 32})) == errc::efault);
    CHECK(refused(switchtec_bench({.event_vector = 0xffff})) == errc::efault);
    CHECK(refused(switchtec_bench({.dma_vector = 32})) == errc::efault);
    CHECK(refused(switchtec_bench({.dma_vector = 0xffff'ffff})) == errc::efault);
    CHECK(refused(switchtec_bench({.event_vector = 4}, 0, 4)) == errc::efault);
    CHECK(refused(switchtec_bench({.dma_vector = 0})) == errc::ebusy);  // both on one vector
    CHECK(refused(switchtec_bench({}, 0, 0)) == errc::einval);          // no MSI at all, and INTx is not asked for
    CHECK(refused(switchtec_bench({.partitions = 1, .partition = 1})) == errc::enodev);

    switchtec_bench unknown;
    unknown.hardware.poke(switchtec::gas::sys_info::device_id, 0x9000);
    CHECK(unknown.bind().error() == errc::eopnotsupp);
    CHECK(unknown.left_behind() == "");
}

TEST_CASE("switchtec gives each device a number of its own, as long as there are any") {
    using switchtec::device_number;
    std::vector<device_number> taken;
    for (unsigned i = 0; i != device_number::max_devices; ++i) {
        taken.push_back(device_number::take().value());
        CHECK(taken.back().number() == i);
    }
    switchtec_bench bench;
    CHECK(bench.bind().error() == errc::enospc);
    taken[5] = {};
    CHECK_FALSE(taken[5]);
    {
        auto binding = bench.bind();
        REQUIRE(binding);
        CHECK(binding->state().minor_number() == 5);
        CHECK_FALSE(device_number::take());
    }
    taken.clear();
    CHECK(bench.left_behind() == "");
}

TEST_CASE("switchtec's resources go from the outside in") {
    switchtec_bench bench;
    testing::trace_recorder trace;
    testing::traced platform{bench.bus, std::ref(trace)};
    REQUIRE(pci::bind<switchtec::driver>(platform, bench.function));
    CHECK(trace.lines() == std::vector<std::string>{
                               "attached",
                               "acquired enable managed",
                               "called set_master on",
                               "acquired bar 0 managed \"switchtec\"",
                               "acquired dma_coherent managed",
                               "acquired irq_vectors managed 32 vectors",
                               "acquired driver_data managed \"switchtec::endpoint\"",
                               "acquired irq_handler 0 managed \"switchtec\"",
                               "acquired irq_handler 1 managed \"switchtec-dma\"",
                               "acquired start managed \"switchtec::endpoint\"",
                               "acquired driver_data managed \"switchtec::device_state\"",
                               "released start managed \"switchtec::endpoint\"",
                               "released irq_handler 1 managed \"switchtec-dma\"",
                               "released irq_handler 0 managed \"switchtec\"",
                               "called set_master off",
                               "released driver_data managed \"switchtec::device_state\"",
                               "released driver_data managed \"switchtec::endpoint\"",
                               "released irq_vectors managed 32 vectors",
                               "released dma_coherent managed",
                               "released bar 0 managed \"switchtec\"",
                               "released enable managed",
                               "detached",
                           });
}

TEST_CASE("a fault at any step of switchtec's probe, or at any two, leaves nothing behind") {
    const unsigned dma = GENERATE(0U, 1U);
    switchtec_bench bench({.dma_version = dma});
    const auto explored = testing::explore_faults(
        bench.bus, [&](auto& platform) { return use(platform, bench.function, bench.hardware); },
        [&](sim::bus&) { return bench.left_behind(); }, testing::fault_depth::pairs);
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 8);
    for (const auto& run : explored.runs) {
        INFO(run.what);
        CHECK(run.outcome.has_value() == (run.what.find("set_master off") < 10));  // the disable does it, too
    }
}

TEST_CASE("an interrupt at any point of switchtec's life does no harm") {
    const unsigned dma = GENERATE(0U, 1U);
    switchtec_bench bench({.dma_version = dma});
    const auto explored = testing::explore_interrupts(
        bench.bus, [&](auto& platform) { return use(platform, bench.function, bench.hardware); },
        [&](sim::bus&) {
            bench.function.raise(0);
            bench.function.raise(1);
        },
        [&](sim::bus&) { return bench.left_behind(); });
    CHECK(explored.runs.size() > 100);
    for (const auto& run : explored.runs) {
        INFO(run.what << ": " << run.complaint);
        CHECK((run.reached && run.outcome && run.complaint.empty()));
    }
}

TEST_CASE("a fault or an interrupt at any point of switchtec's sleep leaves nothing behind") {
    const unsigned dma = GENERATE(0U, 1U);
    switchtec_bench bench({.dma_version = dma});
    const auto sleep = [&](auto& platform) -> result<> {
        DEVRES_TRY(auto binding, pci::bind<switchtec::driver>(platform, bench.function));
        DEVRES_TRY(auto file, binding.state().open());
        DEVRES_TRY(binding.suspend());
        DEVRES_TRY(binding.resume());
        DEVRES_TRY(file.command(mrpc_echo, {}, {}));
        return binding.unbind();
    };
    const auto nothing_left = [&](sim::bus&) { return bench.left_behind(); };
    const auto faults = testing::explore_faults(bench.bus, sleep, nothing_left);
    INFO(faults);
    CHECK(faults.clean());
    const auto interrupts = testing::explore_interrupts(
        bench.bus, sleep,
        [&](sim::bus&) {
            bench.function.raise(0);
            bench.function.raise(1);
        },
        nothing_left);
    INFO(interrupts);
    CHECK(interrupts.clean());
    for (const auto& run : interrupts.runs) {
        INFO(run.what << ": " << run.complaint);
        CHECK((run.reached && run.outcome && run.complaint.empty()));
    }
}

TEST_CASE("switchtec binds again after success, failure and surprise removal, and finds the same") {
    switchtec_bench bench;
    for (int round = 0; round != 3; ++round) {
        REQUIRE(use(bench.bus, bench.function, bench.hardware));
        CHECK(bench.left_behind() == "");

        testing::faulty failing(bench.bus, {9});
        REQUIRE_FALSE(pci::bind<switchtec::driver>(failing, bench.function));
        CHECK(bench.left_behind() == "");

        auto binding = bench.bind();
        REQUIRE(binding);
        bench.function.surprise_remove();
        CHECK(binding->unbind());
        CHECK(bench.left_behind() == "");
        CHECK(bench.bind().error() == errc::enodev);
        bench.function.insert();
        CHECK(bench.left_behind() == "");
    }
}

TEST_CASE("a file that outlives its device answers enodev") {
    switchtec_bench bench;
    const bool surprise = GENERATE(false, true);
    {
        auto binding = bench.bind();
        auto idle = binding->state().open().value();
        auto busy = binding->state().open().value();
        const auto node = binding->state().device_node();
        bench.hardware.hold();
        REQUIRE(busy.write(mrpc_echo, {}));
        if (surprise)
            bench.function.surprise_remove();
        CHECK(binding->unbind());

        std::array<std::byte, 4> output{};
        for (auto* file : {&idle, &busy}) {
            CHECK(file->write(mrpc_echo, {}).error() == errc::enodev);
            CHECK(file->read(output, long_enough).error() == errc::enodev);
            CHECK(file->poll().error() == errc::enodev);
            CHECK(file->wait_for_event(long_enough).error() == errc::enodev);
            CHECK(file->partition().error() == errc::enodev);
            CHECK(file->summary().error() == errc::enodev);
            CHECK(file->control(event::ppu_error, 0).error() == errc::enodev);
        }
        CHECK(switchtec::open(node).error() == errc::enodev);
        switchtec::file moved(std::move(idle));
        CHECK(moved.poll().error() == errc::enodev);
        CHECK(idle.poll().error() == errc::enodev);  // NOLINT: moved from
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("a switchtec that sleeps turns its users away, and serves them again when it wakes") {
    const unsigned dma = GENERATE(0U, 1U);
    switchtec_bench bench({.dma_version = dma});
    {
        auto binding = bench.bind();
        REQUIRE(binding);
        auto file = binding->state().open().value();
        REQUIRE(file.control(event::ppu_error, 0, {.clear = true, .interrupt = true}));
        bench.hardware.hold();
        REQUIRE(file.write(mrpc_echo, {}));  // it will not be answered

        REQUIRE(binding->suspend());
        CHECK(bench.hardware.left_enabled().empty());
        CHECK(file.read({}, long_enough).error() == errc::enodev);
        CHECK(file.summary().error() == errc::enodev);
        CHECK(binding->state().open().error() == errc::enodev);
        bench.hardware.proceed();
        REQUIRE(binding->resume());

        std::array<std::byte, 16> output{};
        if (bench.hardware.in_progress())
            CHECK(bench.hardware.complete());
        CHECK(file.command(mrpc_echo, bytes_from<16>(1), output)->size == 16);
        CHECK(output == inverted(bytes_from<16>(1)));
        bench.hardware.fire(event::link_state, 8);
        CHECK(file.wait_for_event(long_enough)->link_changes == 1);
        CHECK(binding->state().open());
        REQUIRE(binding->suspend());
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("a device that is pulled out is noticed before it is unbound") {
    switchtec_bench bench({.dma_version = GENERATE(0U, 1U)});
    {
        auto binding = bench.bind();
        auto file = binding->state().open().value();
        bench.hardware.hold();
        REQUIRE(file.write(mrpc_echo, {}));
        bench.function.surprise_remove();
        CHECK(file.read({}, briefly).error() == errc::enodev);
        CHECK(file.summary().error() == errc::enodev);
        CHECK(file.control(event::ppu_error, 0, {.clear = true}).error() == errc::enodev);
        CHECK(file.command(mrpc_echo, {}, {}).error() != errc::ebusy);
    }
    CHECK(bench.left_behind() == "");
}
