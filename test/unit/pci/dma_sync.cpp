// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/dma_sync.hpp>

#include <utility>

#include <devres/any_platform.hpp>
#include <devres/linux_model.hpp>
#include <devres/pci/dma_sg.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using pci::dma_direction;

namespace {

struct buffers {
    std::uint32_t command = 0;
    std::uint32_t answer = 0;
};

/// A device that adds one: it reads a word where it is told, and writes it elsewhere.
bool act(sim::function& f, pci::bus_address from, pci::bus_address to) {
    std::uint32_t word = 0;
    if (!f.dma_read(from, &word, 4))
        return false;
    ++word;
    return f.dma_write(to, &word, 4);
}

enum class forgets { nothing, for_device, for_cpu };

/// Asks such a device something, twice, through buffers that stay mapped.
template <forgets What>
struct asking_driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(const auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(const auto data, devm_emplace<buffers>(dev));
        DEVRES_TRY(const auto command,
                   pci::dmam_map_single(enabled, data.part(data->command), 4, dma_direction::to_device));
        DEVRES_TRY(const auto answer,
                   pci::dmam_map_single(enabled, data.part(data->answer), 4, dma_direction::from_device));
        for (const std::uint32_t asked : {10U, 20U}) {
            data->command = asked;
            if constexpr (What != forgets::for_device)
                pci::dma_sync_single_for_device(command);
            if (!act(hardware_of(dev.function()), command.address(), answer.address()))
                return fail(errc::eproto);
            if constexpr (What != forgets::for_cpu)
                pci::dma_sync_single_for_cpu(answer);
            if (data->answer != asked + 1)
                return fail(errc::eio);
        }
        return {};
    }
    static sim::function& hardware_of(sim::function& f) { return f; }
    static sim::function& hardware_of(linux_model::pci_dev& dev) { return dev.hardware; }
    static sim::function& hardware_of(pci::any_function& f) {
        return static_cast<pci::erased_function<sim::bus>&>(f).inner();
    }
};

template <class Driver>
errc outcome_of(auto& platform, auto& function) {
    auto bound = pci::bind<Driver>(platform, function);
    return bound ? errc{} : bound.error();
}

auto kinds(sim::ledger& books) {
    std::vector<sim::violation_kind> found;
    for (const auto& each : books.take_violations())
        found.push_back(each.kind);
    return found;
}

template <class P>
constexpr bool can_sync = requires(const pci::dma_mapping<unmanaged_t, P>& mapping) {
    pci::dma_sync_single_for_cpu(mapping);
    pci::dma_sync_single_for_device(mapping);
};

}  // namespace

TEST_CASE("a driver that syncs works where caches are coherent and where they are not") {
    for (const bool coherent : {true, false}) {
        sim::bus bus;
        auto& f = bus.add({});
        bus.set_coherent(coherent);
        CHECK(outcome_of<asking_driver<forgets::nothing>>(bus, f) == errc{});
        pci::erased erased(bus);
        pci::erased_function one(erased, f);
        CHECK(outcome_of<asking_driver<forgets::nothing>>(one.platform(), one) == errc{});
        CHECK(bus.ledger().clean());
        linux_model::kernel linux(linux_model::linux_6_12);
        linux.hardware().set_coherent(coherent);
        CHECK(outcome_of<asking_driver<forgets::nothing>>(linux, linux.add({})) == errc{});
        CHECK(linux.hardware().ledger().clean());
    }
}

TEST_CASE("a sync that is missing makes no difference where caches are coherent, and is found where they are not") {
    sim::bus bus;
    auto& f = bus.add({});
    CHECK(outcome_of<asking_driver<forgets::for_device>>(bus, f) == errc{});
    CHECK(outcome_of<asking_driver<forgets::for_cpu>>(bus, f) == errc{});
    CHECK(bus.ledger().clean());
    bus.set_coherent(false);
    CHECK(outcome_of<asking_driver<forgets::for_device>>(bus, f) == errc::eio);
    CHECK(kinds(bus.ledger()) == std::vector{sim::violation_kind::dma_not_synced});
    CHECK(outcome_of<asking_driver<forgets::for_cpu>>(bus, f) == errc::eio);  // nobody sees what the driver reads
    CHECK(bus.ledger().clean());
}

TEST_CASE("what a device does against the direction of a mapping is a fault") {
    sim::bus bus;
    auto& f = bus.add({});
    pci::device<sim::bus> dev(bus, f);
    REQUIRE(bus.attach(f));
    {
        const auto enabled = pci::pci_enable_device(dev).value();
        REQUIRE(pci::pci_set_master(enabled));
        buffers memory;
        const auto both = pci::dma_map_single(enabled, &memory, sizeof(memory)).value();
        const auto command = pci::dma_map_single(enabled, &memory.command, 4, dma_direction::to_device).value();
        const auto answer = pci::dma_map_single(enabled, &memory.answer, 4, dma_direction::from_device).value();
        CHECK(both.direction() == dma_direction::bidirectional);
        CHECK(answer.direction() == dma_direction::from_device);
        CHECK(act(f, both.address(), both.address()));
        CHECK(act(f, command.address(), answer.address()));
        CHECK(bus.ledger().violations().empty());
        CHECK_FALSE(act(f, answer.address(), answer.address()));
        CHECK_FALSE(act(f, command.address(), command.address()));
        CHECK(kinds(bus.ledger()) == std::vector(2, sim::violation_kind::dma_fault));
    }
    bus.detach(f);
    CHECK(bus.ledger().clean());
}

TEST_CASE("a part of a mapping is synced, and what it does not have is refused") {
    sim::bus bus;
    bus.set_coherent(false);
    auto& f = bus.add({});
    pci::device<sim::bus> dev(bus, f);
    const auto enabled = pci::pci_enable_device(dev).value();
    REQUIRE(pci::pci_set_master(enabled));
    buffers memory;
    const auto both = pci::dma_map_single(enabled, &memory, sizeof(memory)).value();
    std::uint32_t word = 7;
    CHECK(f.dma_write(both.address(), &word, 4));
    CHECK(f.dma_write(pci::bus_address{static_cast<std::uint64_t>(both.address()) + 4}, &word, 4));
    CHECK(pci::dma_sync_single_range_for_cpu(both, 4, 4));
    CHECK(memory.command == 0);
    CHECK(memory.answer == 7);
    memory.answer = 8;
    CHECK(pci::dma_sync_single_range_for_device(both, 4, 4));
    CHECK(f.dma_read(pci::bus_address{static_cast<std::uint64_t>(both.address()) + 4}, &word, 4));
    CHECK(word == 8);
    CHECK(pci::dma_sync_single_range_for_cpu(both, 8, 0));
    CHECK(pci::dma_sync_single_range_for_cpu(both, 4, 5).error() == errc::einval);
    CHECK(pci::dma_sync_single_range_for_cpu(both, 9, 0).error() == errc::einval);
    CHECK(pci::dma_sync_single_range_for_device(both, ~std::size_t{0}, 2).error() == errc::einval);
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("a mapping that has been moved from is not synced") {
    sim::bus bus;
    auto& f = bus.add({});
    pci::device<sim::bus> dev(bus, f);
    const auto enabled = pci::pci_enable_device(dev).value();
    char bytes[8] = {};
    auto mapping = pci::dma_map_single(enabled, bytes, 8).value();
    pci::scatterlist list[] = {{bytes, 8}};
    auto sg = pci::dma_map_sg(enabled, list, 1, dma_direction::bidirectional).value();
    const auto moved = std::move(mapping);
    const auto moved_sg = std::move(sg);
    // NOLINTBEGIN: that is the question
    CHECK(pci::dma_sync_single_range_for_cpu(mapping, 0, 0).error() == errc::enoent);
    CHECK(pci::dma_sync_single_range_for_device(mapping, 0, 0).error() == errc::enoent);
    pci::dma_sync_single_for_cpu(mapping);
    pci::dma_sync_single_for_device(mapping);
    pci::dma_sync_sg_for_cpu(sg);
    pci::dma_sync_sg_for_device(sg);
    // NOLINTEND
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("both sides writing the same bytes, and a sync of what is not mapped, are in the ledger") {
    sim::bus bus;
    bus.set_coherent(false);
    auto& f = bus.add({});
    std::uint32_t memory = 1;
    const auto mapping = bus.map_dma(f, &memory, 4).value();
    REQUIRE(bus.set_master(f, true));
    const std::uint32_t word = 7;
    CHECK(f.dma_write(mapping.bus, &word, 4));
    memory = 2;
    SECTION("for the device") { bus.sync_dma_for_device(f, mapping, {}); }
    SECTION("for the driver") { bus.sync_dma_for_cpu(f, mapping, {}); }
    SECTION("at the unmap") {
        bus.unmap_dma(f, mapping);
        CHECK(memory == 7);
    }
    CHECK(kinds(bus.ledger()) == std::vector{sim::violation_kind::dma_not_synced});
    if (bus.ledger().live().size() == 1)
        bus.unmap_dma(f, mapping);
    bus.sync_dma_for_cpu(f, mapping, {});
    CHECK(kinds(bus.ledger()) == std::vector{sim::violation_kind::dma_synced_unmapped});
}

TEST_CASE("D007: a platform without directions maps in both, and syncs nothing") {
    STATIC_REQUIRE(!can_sync<test::null_platform>);
    STATIC_REQUIRE(!can_sync<testing::traced<test::null_platform>>);
    STATIC_REQUIRE(can_sync<testing::traced<testing::interrupting<linux_model::kernel>>>);
    STATIC_REQUIRE(can_sync<pci::any_platform>);
    test::null_platform platform;
    test::null_platform::function_type function;
    pci::erased erased(platform);
    pci::erased_function one(erased, function);
    auto& any = one.platform();
    std::uint32_t memory = 1;
    const auto mapping = any.map_dma(one, &memory, 4, dma_direction::to_device).value();
    any.sync_dma_for_cpu(one, mapping, dma_direction::bidirectional);
    any.sync_dma_for_device(one, mapping, dma_direction::bidirectional);
    any.unmap_dma(one, mapping, dma_direction::to_device);
    CHECK(function.dma_mappings == 0);
}

TEST_CASE("decorators pass directions and syncs on: a sync is a point for an interrupt, and cannot be refused") {
    sim::bus bus;
    bus.set_coherent(false);
    auto& f = bus.add({});
    unsigned syncs = 0;
    testing::interrupting interrupting(bus, [&](const testing::interrupt_point& point) {
        syncs += point.call.what == testing::primitive::sync_dma_for_cpu ||
                 point.call.what == testing::primitive::sync_dma_for_device;
    });
    testing::faulty faulty(interrupting);
    CHECK(outcome_of<asking_driver<forgets::nothing>>(faulty, f) == errc{});
    CHECK(syncs == 8);
    const auto explored = testing::explore_faults(
        bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<asking_driver<forgets::nothing>>(platform, f));
            return bound.unbind();
        },
        [](sim::bus& of) { return of.ledger().clean() ? std::string() : std::string("not clean"); });
    CHECK(explored.clean());
    testing::trace_recorder trace;
    testing::traced traced(bus, std::ref(trace));
    CHECK(outcome_of<asking_driver<forgets::nothing>>(traced, f) == errc{});
    CHECK(trace.lines().back() == "detached");
}
