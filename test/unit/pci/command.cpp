// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstdint>
#include <string>

#include <devres/devres.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "support/catch.hpp"

using namespace devres;
namespace reg = pci::registers;
namespace bits = pci::registers::command_bits;

namespace {

std::uint32_t command(const sim::function& f) { return f.config().read(reg::command, 2); }
std::uint32_t cache_line(const sim::function& f) { return f.config().read(reg::cache_line_size, 1); }

/// A function of the bus that the test is about.
struct bench {
    sim::bus bus;
    sim::function& function;
    sim::snapshot before = function.state();

    explicit bench(const sim::function_config& config) : function(bus.add(config)) {}

    bool as_before() { return bus.ledger().clean() && function.state() == before; }
};

const sim::function_config conventional{.intx = true, .pcie = false};

}  // namespace

TEST_CASE("memory write and invalidate is on, with a cache line of 64 bytes, until the unbind") {
    bench on(conventional);
    {
        testing::faulty platform{on.bus};
        pci::device dev(platform, on.function);
        auto enabled = pci::pcim_enable_device(dev).value();
        REQUIRE(pci::pci_set_mwi(enabled));
        CHECK((command(on.function) & bits::invalidate) != 0);
        CHECK(cache_line(on.function) == 16);
        REQUIRE(pci::pci_clear_mwi(enabled));
        CHECK((command(on.function) & bits::invalidate) == 0);
        for (int i = 0; i != 100; ++i) {
            REQUIRE(pci::pci_set_mwi(enabled));
            REQUIRE(pci::pci_clear_mwi(enabled));
        }
        const auto takes_memory = [](const std::string& step) { return step.ends_with(": allocate"); };
        CHECK(std::ranges::none_of(platform.steps(), takes_memory));  // what it was is recorded once
    }
    CHECK(on.as_before());
}

TEST_CASE("a cache line that will do is kept, and a device that takes none refuses") {
    bench on(conventional);
    REQUIRE(on.function.write_config(reg::cache_line_size, 1, 32));
    on.before = on.function.state();
    {
        pci::device dev(on.bus, on.function);
        auto enabled = pci::pcim_enable_device(dev).value();
        REQUIRE(pci::pci_set_mwi(enabled));
        CHECK(cache_line(on.function) == 32);
    }
    CHECK(on.as_before());
}

TEST_CASE("PCI Express has no memory write and invalidate: the bit stays off") {
    bench on({});
    {
        pci::device dev(on.bus, on.function);
        auto enabled = pci::pcim_enable_device(dev).value();
        REQUIRE(pci::pci_set_mwi(enabled));
        CHECK((command(on.function) & bits::invalidate) == 0);
    }
    CHECK(on.as_before());
}

TEST_CASE("the INTx pin is switched by the driver, and as before after the unbind or the group") {
    bench on(conventional);
    pci::device dev(on.bus, on.function);
    auto enabled = pci::pcim_enable_device(dev).value();
    {
        const group undone{dev};
        REQUIRE(pci::pci_intx(enabled, false));
        CHECK((command(on.function) & bits::intx_disable) != 0);
    }
    CHECK((command(on.function) & bits::intx_disable) == 0);
    REQUIRE(pci::pci_intx(enabled, false));  // recorded again
    CHECK((command(on.function) & bits::intx_disable) != 0);
    dev.resources().release_all();
    CHECK((command(on.function) & bits::intx_disable) == 0);
    CHECK(pci::pci_intx(enabled, true).error() == errc::enoent);
}

TEST_CASE("what a driver switched is switched back also where the driver enabled the function itself") {
    bench on(conventional);
    {
        pci::device dev(on.bus, on.function);
        auto enabled = pci::pci_enable_device(dev).value();
        REQUIRE(pci::pci_set_mwi(enabled));
        REQUIRE(pci::pci_intx(enabled, false));
        const auto moved = std::move(enabled);
        CHECK(pci::pci_intx(enabled, true).error() == errc::enoent);  // NOLINT: what it is about
    }
    CHECK(on.as_before());
}

TEST_CASE("a switch that fails leaves the function as it was") {
    bench on(conventional);
    bool as_it_was = true;
    const auto attempt = [&](result<> done, std::uint32_t command_before) -> result<> {
        as_it_was = as_it_was && (done || (command(on.function) == command_before && cache_line(on.function) == 0));
        return done;
    };
    const auto explored = testing::explore_faults(
        on.bus,
        [&](auto& platform) -> result<> {
            REQUIRE(on.function.write_config(reg::command, 2, 0));  // what a release may have failed to write back
            REQUIRE(on.function.write_config(reg::cache_line_size, 1, 0));
            pci::device dev(platform, on.function);
            DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
            const auto before = command(on.function);
            DEVRES_TRY(attempt(pci::pci_intx(enabled, false), before));
            DEVRES_TRY(pci::pci_intx(enabled, true));
            DEVRES_TRY(attempt(pci::pci_set_mwi(enabled), before));
            return {};
        },
        [&](sim::bus&) { return std::string(as_it_was ? "" : "the function is not as before"); });
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 10);
}

TEST_CASE("the first to switch it is no handler: what it was cannot be recorded there") {
    struct switching {
        pci::enabled_device<managed_t, sim::bus> enabled;
        result<> intx = {};
        result<> mwi = {};
        pci::irq_return on_irq() noexcept {
            intx = pci::pci_intx(enabled, true);
            mwi = pci::pci_set_mwi(enabled);
            return pci::irq_return::handled;
        }
    };
    bench on({.msix_vectors = 1, .pcie = false});
    {
        pci::device dev(on.bus, on.function);
        const auto enabled = pci::pcim_enable_device(dev).value();
        REQUIRE(pci::pci_set_master(enabled));
        const auto vectors = pci::pcim_alloc_irq_vectors(enabled, 1, 1, pci::irq_type::msix).value();
        const auto data = devm_emplace<switching>(dev, enabled).value();
        REQUIRE(pci::devm_request_irq(vectors[0], "switching", data));
        on.function.raise(0);
        CHECK(data->intx == fail(errc::edeadlk));
        CHECK(data->mwi == fail(errc::edeadlk));
        CHECK((command(on.function) & bits::invalidate) == 0);
        CHECK(cache_line(on.function) == 0);
        REQUIRE(pci::pci_set_mwi(enabled));
        on.function.raise(0);
        CHECK(data->intx == fail(errc::edeadlk));
        CHECK(data->mwi);
    }
    CHECK(on.as_before());
}

TEST_CASE("a device says whether it is there") {
    bench on({});
    pci::device dev(on.bus, on.function);
    CHECK(pci::pci_device_is_present(dev));
    on.function.surprise_remove();
    CHECK(!pci::pci_device_is_present(dev));
}
