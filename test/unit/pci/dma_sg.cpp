// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/dma_sg.hpp>

#include <array>
#include <string>
#include <utility>

#include <devres/any_platform.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

struct packet {
    std::string name;
    char header[16] = {};
    char body[64] = {};
};

template <class Enabled, class... Memory>
constexpr bool can_map = requires(const Enabled& enabled, const Memory&... memory) {
    dmam_map_sg(enabled, dma_direction::to_device, memory...);
};
using managed_enable = enabled_device<managed_t, null_platform>;

/// Sends a packet in two pieces, both ways.
struct packet_driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto data, devm_emplace<packet>(dev));
        DEVRES_TRY(const auto sg,
                   dmam_map_sg(enabled, dma_direction::bidirectional, data.part(data->header), data.part(data->body)));
        char more[2][8] = {};
        scatterlist list[] = {{more[0], 8}, {more[1], 4}};
        DEVRES_TRY(auto listed, dma_map_sg(enabled, list, 2, dma_direction::to_device));
        DEVRES_TRY(auto page, dma_map_page(enabled, more, 8, 8, dma_direction::from_device));
        dma_sync_sg_for_cpu(sg);
        dma_sync_sg_for_device(listed);
        return page.size() == 8 ? result<>() : fail(errc::eio);
    }
};

}  // namespace

TEST_CASE_METHOD(device_fixture, "pieces are mapped in their order, and unmapped together") {
    const auto enabled = pcim_enable_device(*dev).value();
    char bytes[3][8] = {};
    scatterlist list[] = {{bytes[2], 8}, {bytes[0], 4}, {bytes[1], 1}};
    {
        auto sg = dma_map_sg(enabled, list, 3, dma_direction::to_device).value();
        CHECK(function.dma_mappings == 3);
        CHECK(sg.size() == 3);
        CHECK(sg[0].cpu == bytes[2]);
        CHECK(sg[1].size == 4);
        CHECK(sg[2].bus == list[2].dma_address);
        CHECK(sg[2].bus != bus_address{});
        CHECK(sg.direction() == dma_direction::to_device);
        const auto moved = std::move(sg);
        CHECK(!sg);  // NOLINT: that is the question
        CHECK(function.dma_mappings == 3);
    }
    CHECK(function.dma_mappings == 0);
    const auto data = devm_emplace<packet>(*dev).value();
    const auto sg = dmam_map_sg(enabled, dma_direction::from_device, data.part(data->body), data.part(data->header));
    CHECK(sg.value().size() == 2);
    CHECK((*sg)[0].cpu == data->body);
    CHECK((*sg)[1].size == sizeof(data->header));
    CHECK(function.dma_mappings == 2);
    CHECK(clean());
    CHECK(function.dma_mappings == 0);
}

TEST_CASE_METHOD(device_fixture, "what is no list, no memory, or has gone is not mapped") {
    const auto enabled = pcim_enable_device(*dev).value();
    char bytes[8] = {};
    scatterlist list[] = {{bytes, 8}, {bytes, 0}, {nullptr, 8}};
    CHECK(dma_map_sg(enabled, nullptr, 1, {}).error() == errc::einval);
    CHECK(dma_map_sg(enabled, list, 0, {}).error() == errc::einval);
    CHECK(dma_map_sg(enabled, list, 2, {}).error() == errc::einval);
    CHECK(dma_map_sg(enabled, list + 2, 1, {}).error() == errc::einval);
    CHECK(dma_map_page(enabled, nullptr, 8, 8, {}).error() == errc::einval);
    CHECK(dma_map_page(enabled, bytes, 4, 0, {}).error() == errc::einval);
    CHECK(dma_map_page(enabled, bytes, 4, 4, {}).value().data() == bytes + 4);
    group g{*dev};
    const auto gone = devm_emplace<int>(*dev).value();
    const auto no_longer = pcim_enable_device(*dev).value();
    CHECK(g.release() == 2);
    const auto there = devm_emplace<int>(*dev).value();
    CHECK(dmam_map_sg(enabled, {}, there, gone).error() == errc::enoent);
    CHECK(dmam_map_sg(no_longer, {}, there).error() == errc::enoent);
    CHECK(dma_map_sg(no_longer, list, 1, {}).error() == errc::enoent);
    CHECK(function.dma_mappings == 0);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "pieces of several objects are unmapped before the first of them goes") {
    struct watching {
        function_type* function;
        bool* still_mapped;
        char memory[32] = {};
        ~watching() { *still_mapped = *still_mapped || function->dma_mappings != 0; }
    };
    const auto enabled = pcim_enable_device(*dev).value();
    bool still_mapped = false;
    const auto bytes = devm_emplace<int>(*dev).value();
    group g{*dev};
    const auto object = devm_emplace<watching>(*dev, &function, &still_mapped).value();
    g.keep();
    const auto other = devm_emplace<watching>(*dev, &function, &still_mapped).value();
    REQUIRE(dmam_map_sg(enabled, {}, bytes, object.part(object->memory), other.part(other->memory)));
    CHECK(function.dma_mappings == 3);
    SECTION("by the group") { CHECK(g.release() == 2); }
    SECTION("at the unbind") { dev.reset(); }
    CHECK(!still_mapped);
    CHECK(function.dma_mappings == 0);
    dev.reset();  // before what its objects write to
}

TEST_CASE("D002, D011: pieces are plain bytes that devres owns, and there are some") {
    STATIC_REQUIRE(can_map<managed_enable, managed_ref<int>>);
    STATIC_REQUIRE(can_map<managed_enable, managed_ref<int>, managed_ref<char[8]>>);
    STATIC_REQUIRE(!can_map<managed_enable, managed_ref<int>, int>);
    STATIC_REQUIRE(!can_map<managed_enable, managed_ref<int>, managed_ref<std::string>>);
    STATIC_REQUIRE(!can_map<managed_enable>);
    STATIC_REQUIRE(!can_map<enabled_device<unmanaged_t, null_platform>, managed_ref<int>>);
    STATIC_REQUIRE(std::is_same_v<sg_mapping_of<null_device, 2>,
                                  dma_sg_mapping<managed_t, null_platform, void, pci::detail::managed_pieces<2>>>);
}

TEST_CASE("pieces that cannot all be had or recorded leave nothing, on every platform") {
    for (const bool coherent : {true, false}) {
        sim::bus bus;
        bus.set_coherent(coherent);
        auto& f = bus.add({});
        const auto clean = [](sim::bus& of) { return of.ledger().clean() ? std::string() : std::string("not clean"); };
        const auto explored = testing::explore_faults(
            bus,
            [&](auto& platform) -> result<> {
                DEVRES_TRY(auto bound, bind<packet_driver>(platform, f));
                return bound.unbind();
            },
            clean);
        INFO(explored);
        CHECK(explored.clean());
        erased any(bus);
        erased_function one(any, f);
        CHECK(bind<packet_driver>(one.platform(), one));
        CHECK(bus.ledger().clean());
    }
}

TEST_CASE("the device sees pieces where they are, when they are synced") {
    sim::bus bus;
    bus.set_coherent(false);
    auto& f = bus.add({});
    device<sim::bus> dev(bus, f);
    const auto enabled = pci_enable_device(dev).value();
    REQUIRE(pci_set_master(enabled));
    char bytes[2][4] = {"one", "two"};
    scatterlist list[] = {{bytes[1], 4}, {bytes[0], 4}};
    auto sg = dma_map_sg(enabled, list, 2, dma_direction::bidirectional).value();
    std::array<char, 4> seen{};
    REQUIRE(f.dma_read(sg[0].bus, seen.data(), 4));
    CHECK(std::string(seen.data()) == "two");
    bytes[0][0] = 'O';
    dma_sync_sg_for_device(sg);
    REQUIRE(f.dma_read(sg[1].bus, seen.data(), 4));
    CHECK(std::string(seen.data()) == "One");
    REQUIRE(f.dma_write(sg[1].bus, "six", 4));
    CHECK(std::string(bytes[0]) == "One");
    dma_sync_sg_for_cpu(sg);
    CHECK(std::string(bytes[0]) == "six");
    REQUIRE(f.dma_write(sg[0].bus, "ten", 4));
    sg = {};
    CHECK(std::string(bytes[1]) == "ten");
    CHECK(bus.ledger().violations().empty());
}
