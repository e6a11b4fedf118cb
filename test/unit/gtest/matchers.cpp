// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/gtest.hpp>

#include <functional>
#include <string>
#include <vector>

#include <devres/devres.hpp>
#include <devres/sim.hpp>
#include <devres/testing/traced.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

using namespace devres;
using namespace devres::testing;
using namespace devres::testing::gtest;

namespace {

/// What GoogleTest says of an expectation that fails; "" of one that does not.
template <class Expectation>
std::string said(Expectation expectation) {
    ::testing::TestPartResultArray results;
    {
        const ::testing::ScopedFakeTestPartResultReporter reporter(
            ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
        expectation();
    }
    return results.size() == 0 ? "" : results.GetTestPartResult(0).message();
}

struct driver {
    struct state {
        pci::irq_return on_irq() noexcept { return pci::irq_return::handled; }
    };
    static result<managed_ref<state>> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 2, 2, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "event", data));
        return data;
    }
};

}  // namespace

TEST(printing, values_in_failures_are_text) {
    const pci::address where = "3a:00.0";
    EXPECT_EQ(::testing::PrintToString(where), "0000:3a:00.0");
    EXPECT_EQ(::testing::PrintToString(errc::eio), "EIO (input/output error)");
    EXPECT_EQ(::testing::PrintToString(result<int>(fail(errc::eio))), "EIO (input/output error)");
    EXPECT_EQ(::testing::PrintToString(result<>()), "success");
    EXPECT_EQ(::testing::PrintToString(fail(errc::eio)), "EIO (input/output error)");
    EXPECT_EQ(::testing::PrintToString(pci::irq_type::msi | pci::irq_type::msix), "msi|msix");
    EXPECT_EQ(::testing::PrintToString(std::vector{trace_entry{.step = trace_step::detached}}), "{ detached }");
    const result<int> outcome = 3;
    const result<int> wanted = fail(errc::eio);
    EXPECT_EQ(said([&] { EXPECT_EQ(outcome, wanted); }), "Expected equality of these values:\n"
                                                         "  outcome\n"
                                                         "    Which is: 3\n"
                                                         "  wanted\n"
                                                         "    Which is: EIO (input/output error)");
}

TEST(matchers, of_a_bus_its_vectors_and_a_trace) {
    sim::bus bus;
    auto& function = bus.add({.vendor = 0x1b36, .device = 0x0006, .msix_vectors = 4, .bar_sizes = {4096}});
    trace_recorder trace;
    traced platform(bus, std::ref(trace));
    EXPECT_THAT(bus.ledger(), IsClean());
    {
        auto binding = pci::bind<driver>(platform, function);
        ASSERT_TRUE(binding);
        EXPECT_THAT(bus.ledger(), HoldsVectors(2));
        EXPECT_THAT(bus.ledger(), ::testing::Not(IsClean()));
        EXPECT_THAT(said([&] { EXPECT_THAT(bus.ledger(), IsClean()); }),
                    ::testing::AllOf(::testing::StartsWith(
                                         "Value of: bus.ledger()\nExpected: is clean\n  Actual: held: 0000:00:01.0 "),
                                     ::testing::EndsWith("something is held, or went wrong")));
        EXPECT_THAT(
            said([&] { EXPECT_THAT(bus.ledger(), HoldsVectors(1)); }),
            ::testing::AllOf(::testing::HasSubstr("Expected: holds 1 vector\n"), ::testing::EndsWith("it holds 2")));
    }
    EXPECT_THAT(trace, ReleasedInOrder());
    EXPECT_THAT(trace, ReleasedInOrder({"irq_handler 0", "irq_vectors", "enable"}));
    EXPECT_THAT(said([&] { EXPECT_THAT(trace, ReleasedInOrder({"enable", "irq_vectors"})); }),
                ::testing::AllOf(::testing::HasSubstr("Expected: releases enable, then irq_vectors\n"),
                                 ::testing::EndsWith("releases irq_vectors after the beginning")));
}

TEST(matchers, of_results) {
    const result<int> outcome = fail(errc::eio);
    EXPECT_THAT(outcome, FailsWith(errc::eio));
    EXPECT_EQ(said([&] { EXPECT_THAT(outcome, FailsWith(errc::ebusy)); }),
              "Value of: outcome\n"
              "Expected: fails with EBUSY (device or resource busy)\n"
              "  Actual: EIO (input/output error), it fails otherwise");
    EXPECT_EQ(said([&] { EXPECT_THAT(result<int>(7), FailsWith(errc::ebusy)); }),
              "Value of: result<int>(7)\n"
              "Expected: fails with EBUSY (device or resource busy)\n"
              "  Actual: 7, it does not fail");
}
