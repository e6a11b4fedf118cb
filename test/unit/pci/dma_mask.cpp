// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/dma_mask.hpp>

#include <devres/any_platform.hpp>
#include <devres/linux_model.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using pci::dma_bit_mask, pci::bus_address, pci::dma_use;

namespace {

constexpr bus_address four_gib{0x1'0000'0000};

/// Has memory at addresses of as many bits as it says, or of 32.
template <unsigned Bits>
struct masked_driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        if constexpr (Bits != 0) {
            DEVRES_TRY(pci::dma_set_mask_and_coherent(dev, dma_bit_mask(Bits)));
        }
        DEVRES_TRY(const auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(const auto ring, pci::dmam_alloc_coherent(enabled, 4096));
        DEVRES_TRY(const auto bytes, devm_emplace<std::uint64_t>(dev));
        DEVRES_TRY(const auto buffer, pci::dmam_map_single(enabled, bytes));
        (void)ring, (void)buffer;
        return {};
    }
};

template <class Platform, class Function>
errc outcome_of(auto with, Platform& platform, Function& function) {
    auto bound = pci::bind<decltype(with)>(platform, function);
    return bound ? errc{} : bound.error();
}

template <class P>
constexpr bool can_set = requires(pci::device<P>& dev) { pci::dma_set_mask_and_coherent(dev, 0); };

}  // namespace

TEST_CASE("a mask of n bits") {
    STATIC_REQUIRE(dma_bit_mask(0) == 0);
    STATIC_REQUIRE(dma_bit_mask(32) == 0xffff'ffff);
    STATIC_REQUIRE(dma_bit_mask(64) == ~std::uint64_t{0});
    STATIC_REQUIRE(dma_bit_mask(65) == ~std::uint64_t{0});
}

TEST_CASE("D007: a platform without masks is a platform, but none can be set on it") {
    STATIC_REQUIRE(pci::platform<test::null_platform>);
    STATIC_REQUIRE(!can_set<test::null_platform>);
    STATIC_REQUIRE(!can_set<testing::traced<test::null_platform>>);
    STATIC_REQUIRE(can_set<sim::bus>);
    STATIC_REQUIRE(can_set<testing::traced<testing::faulty<linux_model::kernel>>>);
    STATIC_REQUIRE(can_set<pci::any_platform>);
    test::null_platform platform;
    test::null_platform::function_type function;
    pci::erased erased(platform);
    pci::erased_function one(erased, function);
    CHECK(one.platform().set_dma_mask(one, dma_use::both, dma_bit_mask(64)).error() == errc::enotsupp);
    CHECK(one.platform().required_dma_mask(one) == dma_bit_mask(64));
}

TEST_CASE("where addresses begin above 4 GiB, a driver needs to say that its device can use them") {
    sim::bus bus;
    auto& before = bus.add({});
    bus.set_dma_base(four_gib);
    auto& after = bus.add({});
    for (auto* f : {&before, &after}) {
        CHECK(outcome_of(masked_driver<0>{}, bus, *f) == errc::enomem);
        CHECK(outcome_of(masked_driver<32>{}, bus, *f) == errc::eio);
        CHECK(outcome_of(masked_driver<64>{}, bus, *f) == errc{});
        CHECK(outcome_of(masked_driver<33>{}, bus, *f) == errc{});
        CHECK(outcome_of(masked_driver<0>{}, bus, *f) == errc::enomem);  // each driver begins with 32 bits
    }
    CHECK(bus.ledger().clean());
    CHECK(bus.required_dma_mask(after) == dma_bit_mask(33));
    pci::erased erased(bus);
    pci::erased_function one(erased, after);
    CHECK(outcome_of(masked_driver<0>{}, one.platform(), one) == errc::enomem);
    CHECK(outcome_of(masked_driver<40>{}, one.platform(), one) == errc{});
    CHECK(one.platform().required_dma_mask(one) == dma_bit_mask(33));
}

TEST_CASE("the masks of mappings and of allocated memory are apart, and a refused one changes nothing") {
    sim::bus bus;
    auto& f = bus.add({});
    bus.set_dma_base(four_gib);
    pci::device<sim::bus> dev(bus, f);
    std::uint64_t word = 0;
    CHECK(dma_set_mask(dev, dma_bit_mask(64)));
    CHECK(bus.allocate_dma(f, 8).error() == errc::enomem);
    bus.unmap_dma(f, bus.map_dma(f, &word, 8).value());
    CHECK(dma_set_mask(dev, dma_bit_mask(24)).error() == errc::eio);
    bus.unmap_dma(f, bus.map_dma(f, &word, 8).value());
    CHECK(dma_set_coherent_mask(dev, dma_bit_mask(36)));
    CHECK(dma_get_required_mask(dev) == dma_bit_mask(33));
    bus.free_dma(f, bus.allocate_dma(f, 8).value());
    CHECK(dma_set_mask_and_coherent(dev, 0).error() == errc::eio);
    bus.set_dma_base(bus_address{0x1000'0000});
    CHECK(dma_get_required_mask(dev) == dma_bit_mask(32));
}

TEST_CASE("decorators pass masks on, tell of one that is refused, and can refuse one") {
    sim::bus bus;
    auto& f = bus.add({});
    testing::trace_recorder trace;
    testing::traced traced(bus, std::ref(trace));
    CHECK(traced.set_dma_mask(f, dma_use::streaming, dma_bit_mask(64)));
    CHECK(traced.required_dma_mask(f) == dma_bit_mask(32));
    CHECK(trace.lines().empty());
    CHECK(traced.set_dma_mask(f, dma_use::coherent, 1).error() == errc::eio);
    CHECK(trace.lines().size() == 1);
    CHECK(trace.lines().back() == "failed set_dma_mask coherent, 1 bits input/output error");
    testing::faulty faulty(bus, {3});
    CHECK(outcome_of(masked_driver<64>{}, faulty, f) == errc::eio);
    CHECK(faulty.steps().at(2) == "step 3: set_dma_mask 64 bits");
    const auto explored = testing::explore_faults(
        bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<masked_driver<64>>(platform, f));
            return bound.unbind();
        },
        [](sim::bus& of) { return of.ledger().clean() ? std::string() : std::string("not clean"); });
    CHECK(explored.clean());
}

TEST_CASE("on the model of Linux a mask is refused with EIO, and stays for the next C driver") {
    for (const auto& which : {linux_model::linux_6_1, linux_model::linux_6_12}) {
        linux_model::kernel linux(which);
        auto& dev = linux.add({});
        linux.hardware().set_dma_base(four_gib);
        CHECK(linux.dma_set_mask(dev, dma_bit_mask(32)) == -5);
        CHECK(linux.dma_set_coherent_mask(dev, dma_bit_mask(32)) == -5);
        CHECK(linux.dma_set_mask_and_coherent(dev, dma_bit_mask(32)) == -5);
        CHECK(linux.dma_set_mask_and_coherent(dev, dma_bit_mask(64)) == 0);
        CHECK(linux.dma_get_required_mask(dev) == dma_bit_mask(33));
        CHECK(linux.bind(dev, {.name = "c", .probe = [&](auto& of) {
                                   linux.free_dma(of, linux.allocate_dma(of, 8).value());
                                   return 0;
                               }}) == 0);
        linux.unbind(dev);
        CHECK(outcome_of(masked_driver<0>{}, linux, dev) == errc::enomem);
        CHECK(outcome_of(masked_driver<32>{}, linux, dev) == errc::eio);
        CHECK(outcome_of(masked_driver<64>{}, linux, dev) == errc{});
    }
}
