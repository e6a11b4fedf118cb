// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include <devres/sim.hpp>
#include <devres/testing.hpp>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>  // Catch2 3
#else
#include <catch2/catch.hpp>  // Catch2 2, which Debian 12 has
#endif

#include "driver.hpp"
#include "model.hpp"

using namespace std::chrono_literals;
using devres::errc;
using devres::result;
namespace pci = devres::pci;
namespace sim = devres::sim;
namespace testing = devres::testing;

namespace {

struct bench {
    kestrel::model hardware;
    sim::bus bus;
    sim::function& function = bus.add(kestrel::config(hardware));
    sim::snapshot before = function.state();

    [[nodiscard]] std::uint64_t register_value(std::size_t offset) {
        return hardware.read(function, pci::bar_number(0), offset, 4);
    }

    /// What a driver that is gone has left; nothing, if all is well.
    [[nodiscard]] std::string left_behind() {
        std::ostringstream out;
        if (!bus.ledger().clean())
            out << bus.ledger() << '\n';
        if (function.present())
            out << sim::difference(before, function.state());
        return out.str();
    }
};

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Binds, uses the device, unbinds.
constexpr auto scenario = [](auto& platform, auto& function) -> result<> {
    DEVRES_TRY(auto bound, pci::bind<kestrel::driver>(platform, function));
    DEVRES_TRY(const std::uint32_t sum, bound.state().open().checksum(bytes("123456789")));
    CHECK(sum == 0xcbf4'3926);
    return bound.unbind();
};

}  // namespace

TEST_CASE("a kestrel computes checksums, and its driver leaves nothing behind") {
    bench on;
    CHECK(scenario(on.bus, on.function));
    CHECK(on.left_behind() == "");
}

TEST_CASE("requests that cannot be are refused, and a full ring is busy") {
    bench on;
    {
        auto bound = pci::bind<kestrel::driver>(on.bus, on.function);
        REQUIRE(bound);
        const auto file = bound->state().open();
        CHECK(file.checksum({}) == devres::fail(errc::einval));
        CHECK(file.checksum(bytes(std::string(kestrel::buffer_size + 1, 'x'))) == devres::fail(errc::einval));
        on.hardware.hold();
        for (unsigned i = 0; i != kestrel::ring_entries; ++i)
            CHECK(file.checksum(bytes("x"), 0ms) == devres::fail(errc::etimedout));
        CHECK(file.checksum(bytes("x"), 0ms) == devres::fail(errc::ebusy));
        on.hardware.proceed();
        CHECK(file.checksum(bytes("123456789")) == 0xcbf4'3926);
    }
    CHECK(on.left_behind() == "");
}

TEST_CASE("whatever step fails, nothing is left behind") {
    bench on;
    const auto explored = testing::explore_faults(
        on.bus, [&](auto& platform) { return scenario(platform, on.function); },
        [&](sim::bus&) { return on.left_behind(); }, testing::fault_depth::pairs);
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 12);
    CHECK(explored.tolerated() <= 1);  // of those, set_master off: the disable does it, too
}

TEST_CASE("an interrupt at any moment does no harm") {
    bench on;
    const auto explored = testing::explore_interrupts(
        on.bus, [&](auto& platform) { return scenario(platform, on.function); },
        [&](sim::bus&) { on.function.raise(kestrel::vectors::done); }, [&](sim::bus&) { return on.left_behind(); });
    INFO(explored);
    CHECK(explored.clean());
    for (const auto& run : explored.runs)
        CHECK(run.outcome);
}

TEST_CASE("a user who waits is woken when the driver goes, or the device") {
    bench on;
    const bool pulled_out = GENERATE(false, true);
    on.hardware.hold();
    {
        auto bound = pci::bind<kestrel::driver>(on.bus, on.function);
        REQUIRE(bound);
        const auto file = bound->state().open();
        result<std::uint32_t> answer = 0U;
        {
            const std::jthread user([&] { answer = file.checksum(bytes("x"), 60s); });
            while (on.register_value(kestrel::registers::submitted) == 0)
                std::this_thread::yield();
            if (pulled_out)
                on.function.surprise_remove();
            else
                CHECK(bound->unbind());
        }
        CHECK(answer == devres::fail(pulled_out ? errc::enodev : errc::ecanceled));
        CHECK(bound->unbind());
        CHECK(file.checksum(bytes("x")) == devres::fail(errc::enodev));  // a file may outlive the driver
    }
    CHECK(on.left_behind() == "");
}

TEST_CASE("a kestrel that has slept computes on") {
    bench on;
    {
        auto bound = pci::bind<kestrel::driver>(on.bus, on.function);
        REQUIRE(bound);
        const auto file = bound->state().open();
        CHECK(bound->suspend());
        CHECK(file.checksum(bytes("x")) == devres::fail(errc::eshutdown));
        CHECK(bound->resume());
        CHECK(file.checksum(bytes("123456789")) == 0xcbf4'3926);
    }
    CHECK(on.left_behind() == "");
}

TEST_CASE("after a fault, the driver says so until it is restarted") {
    bench on;
    {
        auto bound = pci::bind<kestrel::driver>(on.bus, on.function);
        REQUIRE(bound);
        const auto file = bound->state().open();
        on.hardware.write(on.function, pci::bar_number(0), kestrel::registers::ring_low, 4, 0);  // a bit has flipped
        CHECK(file.checksum(bytes("x")) == devres::fail(errc::eio));
        CHECK(file.checksum(bytes("x")) == devres::fail(errc::eio));
        CHECK(on.bus.ledger().take_violations().at(0).kind == sim::violation_kind::dma_fault);
        CHECK(bound->state().restart());
        CHECK(file.checksum(bytes("123456789")) == 0xcbf4'3926);
    }
    CHECK(on.left_behind() == "");
}
