// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/catch2.hpp>

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <devres/sim.hpp>
#include <devres/testing/explore_faults.hpp>
#include <devres/testing/traced.hpp>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;
using namespace devres::testing::catch2;

namespace {

/// What Catch2 shows under "with expansion" where the matcher fails; "" where it does not.
template <class T, class Matcher>
std::string shown(const T& value, const Matcher& matcher) {
#ifdef DEVRES_CATCH2_3
    auto expression = Catch::makeMatchExpr(value, matcher);
#else
    auto expression = Catch::makeMatchExpr(value, matcher, Catch::StringRef("", 0));
#endif
    std::ostringstream out;
    if (!expression.getResult())
        expression.streamReconstructedExpression(out);
    return out.str();
}

trace_entry told(trace_step step, std::string resource) {
    return {.step = step, .resource = std::move(resource), .owner = trace_owner::managed};
}
/// A trace that acquires and releases: `traced("+enable +bar 0 -enable", ...)` an entry each.
std::vector<trace_entry> trace_of(std::initializer_list<std::string> words) {
    std::vector<trace_entry> all;
    for (const std::string& word : words)
        all.push_back(told(word[0] == '+' ? trace_step::acquired : trace_step::released, word.substr(1)));
    return all;
}
std::string order(std::initializer_list<std::string> words) {
    const std::string all = shown(trace_of(words), ReleasedInOrder());
    const std::size_t verdict = all.find("is released in order");
    return all.empty() ? "" : all.substr(verdict);
}

}  // namespace

TEST_CASE("matchers of a bus, a driver's vectors and its trace") {
    sim::bus bus;
    auto& function = bus.add({.vendor = 0x1b36, .device = 0x0006, .msix_vectors = 4, .bar_sizes = {4096}});
    trace_recorder trace;
    traced platform(bus, std::ref(trace));
    CHECK_THAT(bus.ledger(), IsClean());
    CHECK_THAT(bus.ledger(), HoldsVectors(0));
    {
        auto binding = pci::bind<test::managed_driver>(platform, function);
        REQUIRE(binding);
        CHECK_THAT(bus.ledger(), HoldsVectors(2));
        CHECK_THAT(pci::bind<test::managed_driver>(platform, function), FailsWith(errc::ebusy));
        const std::string wrong = shown(bus.ledger(), IsClean());
        CHECK_THAT(wrong, Catch::Matchers::StartsWith("held: 0000:00:01.0 driver attached\nheld: ") &&
                              Catch::Matchers::EndsWith("\nis clean (something is held, or went wrong)"));
        CHECK_THAT(shown(bus.ledger(), HoldsVectors(1)), Catch::Matchers::EndsWith("\nholds 1 vector (it holds 2)"));
        CHECK_THAT(shown(trace, ReleasedInOrder()),
                   Catch::Matchers::StartsWith("attached\nacquired driver_data managed ") &&
                       Catch::Matchers::EndsWith("\nis released in order (irq_handler 1 \"dma\" is never released)"));
    }
    CHECK_THAT(bus.ledger(), IsClean());
    CHECK_THAT(trace, ReleasedInOrder());
    CHECK_THAT(trace,
               ReleasedInOrder({"irq_handler 1", "irq_handler 0", "irq_vectors", "bar 0", "enable", "driver_data"}));
}

TEST_CASE("matchers of results") {
    CHECK_THAT(result<>(fail(errc::eio)), FailsWith(errc::eio));
    CHECK(shown(result<>(fail(errc::eio)), FailsWith(errc::ebusy)) ==
          "EIO (input/output error) fails with EBUSY (device or resource busy) (it fails otherwise)");
    CHECK(shown(result<int>(7), FailsWith(errc::ebusy)) ==
          "7 fails with EBUSY (device or resource busy) (it does not fail)");
}

TEST_CASE("matchers of vectors that a driver has") {
    test::null_platform platform;
    test::null_platform::function_type function;
    pci::device<test::null_platform, test::unmanaged_driver> dev(platform, function);
    REQUIRE(platform.attach(function));
    {
        auto device = pci::pci_enable_device(dev);
        REQUIRE(device);
        const auto vectors = pci::pci_alloc_irq_vectors(*device, 2, 2, pci::irq_type::msix);
        CHECK_THAT(vectors, HoldsVectors(2));
        CHECK_THAT(*vectors, HoldsVectors(2));
        CHECK(shown(*vectors, HoldsVectors(3)).ends_with("holds 3 vectors (it holds 2)"));
        const auto second = pci::pci_alloc_irq_vectors(*device, 2, 2, pci::irq_type::msix);
        CHECK(shown(second, HoldsVectors(2)) == "EBUSY (device or resource busy) holds 2 vectors (it holds 0)");
    }
    platform.detach(function);
}

TEST_CASE("an exploration is clean or shows its runs") {
    test::null_platform platform;
    test::null_platform::function_type function;
    const auto run = [&](auto& on) -> result<> {
        DEVRES_TRY(auto bound, pci::bind<test::managed_driver>(on, function));
        return bound.unbind();
    };
    CHECK_THAT(explore_faults(platform, run, test::idle(function)), IsClean());
    const auto leaking = explore_faults(
        platform, [&](auto& on) { return test::leaky_driver::run(on, function); }, test::idle(function));
    CHECK_THAT(shown(leaking, IsClean()),
               Catch::Matchers::ContainsSubstring("! step 3: map_bar 0 \"registers\"") &&
                   Catch::Matchers::EndsWith("\nis clean (something is held, or went wrong)"));
}

TEST_CASE("released in order is from the outside in") {
    CHECK(order({"+driver_data", "+enable", "+irq_vectors", "+irq_handler 0", "+start", "+access", "-access", "-start",
                 "-irq_handler 0", "-irq_vectors", "-enable", "-driver_data"}) == "");
    CHECK(order({"+enable", "+irq_vectors", "+irq_handler 0", "-irq_vectors", "-irq_handler 0", "-enable"}) ==
          "is released in order (irq_vectors is released before irq_handler 0)");
    CHECK(order({"+irq_handler 0", "+start", "-irq_handler 0", "-start"}) ==
          "is released in order (irq_handler 0 is released before start)");
    CHECK(order({"+enable", "+bar 0", "-enable", "-bar 0"}) ==
          "is released in order (enable is released before bar 0)");
    CHECK(order({"+irq_handler 0", "+action", "-action", "+bar 0", "-irq_handler 0", "-bar 0"}) == "");
    CHECK(order({"+bar 0", "-bar 0", "-bar 0"}) == "is released in order (bar 0 is released, and was not acquired)");
    CHECK(shown(std::vector{told(trace_step::ended, "irq_handler 0")}, ReleasedInOrder())
              .ends_with("(irq_handler 0 was still registered when its vectors were freed)"));
}

TEST_CASE("released in the order that is said") {
    const auto trace = trace_of({"+a", "+b", "+c", "-c", "-a", "-b"});
    CHECK_THAT(trace, ReleasedInOrder({"c", "b"}));
    CHECK(shown(trace, ReleasedInOrder({"b", "a"})).ends_with("releases b, then a (releases a after the beginning)"));
    CHECK(shown(trace, ReleasedInOrder({"c", "a", "b", "d"}))
              .ends_with("releases c, then a, then b, then d (never releases d after b)"));
}
