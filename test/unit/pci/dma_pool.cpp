// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/dma_pool.hpp>

#include <cstring>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include <devres/any_platform.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

std::uint64_t value(bus_address address) { return static_cast<std::uint64_t>(address); }

template <class Enabled>
constexpr bool can_make_managed = requires(const Enabled& enabled) { dmam_pool_create(enabled, "pool", 8); };
template <class Enabled>
constexpr bool can_make_unmanaged = requires(const Enabled& enabled) { dma_pool_create(enabled, "pool", 8); };
struct owns_managed {
    static constexpr auto ownership = own(enable = managed, dma_coherent = managed);
};

/// Has descriptors in its state, of a pool that devres ends.
struct pooling_driver {
    template <class Device>
    struct state {
        pool_of<Device> pool;
        dma_pool_element<typename Device::platform_type, typename Device::driver_type> first, second;
    };
    template <class Device>
    static result<managed_ref<state<Device>>> probe(Device& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto pool, dmam_pool_create(enabled, "descriptors", 64, 64));
        DEVRES_TRY(auto first, dma_pool_zalloc(pool));
        DEVRES_TRY(auto second, dma_pool_alloc(pool));
        return devm_emplace<state<Device>>(dev, pool, std::move(first), std::move(second));
    }
};

}  // namespace

TEST_CASE_METHOD(device_fixture, "elements are apart, aligned, and in few blocks of memory") {
    const auto enabled = pcim_enable_device(*dev).value();
    auto pool = dma_pool_create(enabled, "pool", 24, 16).value();
    CHECK(function.dma_blocks == 0);
    std::vector<dma_pool_element<null_platform>> elements;
    std::set<std::uint64_t> begins;
    for (unsigned i = 0; i != 128; ++i) {
        elements.push_back(dma_pool_alloc(pool).value());
        CHECK(elements.back().size() == 24);
        CHECK(value(elements.back().address()) % 16 == 0);
        CHECK(value(elements.back().address()) ==
              reinterpret_cast<std::uintptr_t>(elements.back().data()));  // on this platform
        begins.insert(value(elements.back().address()));
        std::memset(elements.back().data(), 0xff, 24);
    }
    CHECK(function.dma_blocks == 1);
    std::uint64_t last = 0;
    for (const std::uint64_t each : begins) {
        CHECK(each - last >= 32);
        last = each;
    }
    auto more = dma_pool_zalloc(pool).value();
    CHECK(function.dma_blocks == 2);
    const auto kept = more.address();
    more = {};
    auto again = dma_pool_zalloc(pool).value();
    CHECK(again.address() == kept);
    CHECK(static_cast<const unsigned char*>(again.data())[23] == 0);
    elements[3] = {};
    elements[100] = {};
    CHECK(dma_pool_alloc(pool));
    CHECK(function.dma_blocks == 2);
}

TEST_CASE("no element crosses the boundary") {
    using layout = pci::detail::pool_layout;
    layout of;
    REQUIRE(of.set(24, 8, 64));
    CHECK(of.count == 128);
    for (unsigned i = 0; i != of.count; ++i) {
        const auto begin = of.offset(i);
        CHECK(begin / 64 == (begin + 23) / 64);
        CHECK(begin % 8 == 0);
        CHECK(begin + 24 <= 4096);
    }
    REQUIRE(of.set(1, 0, 0));
    CHECK(of.count == 4096);
    CHECK(of.offset(4095) == 4095);
    REQUIRE(of.set(64, 64, 0x1'0000));
    CHECK(of.count == 64);
    REQUIRE(of.set(10'000, 16, 0));
    CHECK(of.count == 1);
    CHECK(of.block == 10'000);
    CHECK_FALSE(of.set(0, 1, 0));
    CHECK_FALSE(of.set(8, 3, 0));
    CHECK_FALSE(of.set(8, 8192, 0));
    CHECK_FALSE(of.set(24, 8, 16));
    CHECK_FALSE(of.set(24, 8, 48));
    CHECK_FALSE(of.set(8192, 8, 8192));
    CHECK_FALSE(of.set(~std::size_t{0}, 8, 0));
}

TEST_CASE_METHOD(device_fixture, "a pool goes with its guard, or with the last of its elements") {
    const auto enabled = pcim_enable_device(*dev).value();
    dma_pool_element<null_platform> element;
    {
        auto pool = dma_pool_create(enabled, "pool", 64).value();
        element = dma_pool_alloc(pool).value();
        auto other = dma_pool_alloc(pool).value();
        const auto moved = std::move(pool);
        CHECK(dma_pool_alloc(pool).error() == errc::enoent);  // NOLINT: that is the question
        CHECK(dma_pool_alloc(moved));
    }
    CHECK(function.dma_blocks == 1);
    std::memset(element.data(), 1, 64);
    element = {};
    CHECK(function.dma_blocks == 0);
    { const auto unused = dma_pool_create(enabled, "pool", 64).value(); }
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "a managed pool goes with its group; an element that is out keeps its memory") {
    const auto enabled = pcim_enable_device(*dev).value();
    group g{*dev};
    const auto pool = dmam_pool_create(enabled, "pool", 64).value();
    {
        const auto copy = pool;
        auto element = dma_pool_alloc(copy).value();
        CHECK(g.release() == 1);
        CHECK(function.dma_blocks == 1);
        std::memset(element.data(), 1, 64);
        CHECK(dma_pool_alloc(pool).error() == errc::enoent);
    }
    CHECK(function.dma_blocks == 0);
    CHECK(dmam_pool_create(enabled, "pool", 0).error() == errc::einval);
    CHECK(dma_pool_create(enabled, "pool", 8, 3).error() == errc::einval);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "a handler takes elements that the pool has memory for, and makes no pool") {
    struct taker {
        const enabled_device<managed_t, null_platform>* enabled;
        const dma_pool<managed_t, null_platform>* pool;
        std::vector<errc> outcomes;
        irq_return on_irq() {
            std::vector<dma_pool_element<null_platform>> taken;
            for (unsigned i = 0; i != 4; ++i) {
                auto element = dma_pool_alloc(*pool);
                outcomes.push_back(element ? errc{} : element.error());
                if (element)
                    taken.push_back(std::move(*element));
            }
            outcomes.push_back(dmam_pool_create(*enabled, "no", 8).error());
            return irq_return::handled;
        }
    };
    const auto enabled = pcim_enable_device(*dev).value();
    const auto pool = dmam_pool_create(enabled, "pool", 1024).value();
    const auto vectors = pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix).value();
    taker context{&enabled, &pool, {}};
    const auto first = dma_pool_alloc(pool).value();
    auto handler = request_irq<&taker::on_irq>(vectors[0], "taker", context).value();
    CHECK(function.fire(0));
    CHECK(context.outcomes == std::vector{errc{}, errc{}, errc{}, errc::edeadlk, errc::edeadlk});
}

TEST_CASE("D004, D005: pools are shared memory, owned as the table says") {
    using managed_enable = enabled_device<managed_t, null_platform>;
    STATIC_REQUIRE(can_make_managed<managed_enable> && can_make_unmanaged<managed_enable>);
    STATIC_REQUIRE(!can_make_managed<enabled_device<unmanaged_t, null_platform>>);
    STATIC_REQUIRE(can_make_unmanaged<enabled_device<unmanaged_t, null_platform>>);
    STATIC_REQUIRE(can_make_managed<enabled_device<managed_t, null_platform, owns_managed>>);
    STATIC_REQUIRE(!can_make_unmanaged<enabled_device<managed_t, null_platform, owns_managed>>);
}

TEST_CASE("a driver with elements in its state leaves nothing, whatever fails") {
    sim::bus bus;
    auto& f = bus.add({});
    const auto clean = [](sim::bus& of) { return of.ledger().clean() ? std::string() : std::string("not clean"); };
    const auto explored = testing::explore_faults(
        bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, bind<pooling_driver>(platform, f));
            return bound.unbind();
        },
        clean);
    INFO(explored);
    CHECK(explored.clean());
    erased any(bus);
    erased_function one(any, f);
    CHECK(bind<pooling_driver>(one.platform(), one));
    CHECK(bus.ledger().clean());
    testing::trace_recorder trace;
    testing::traced traced(bus, std::ref(trace));
    CHECK(bind<pooling_driver>(traced, f));
    const auto lines = trace.lines();
    CHECK(std::count(lines.begin(), lines.end(), "acquired dma_pool managed \"descriptors\"") == 1);
    CHECK(std::count(lines.begin(), lines.end(), "released dma_pool_element unmanaged") == 2);
}
