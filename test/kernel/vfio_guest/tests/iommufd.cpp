// SPDX-License-Identifier: BSL-1.0
#include "devices.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::lab;

TEST_CASE("functions are opened by their own files and an iommufd, and work as by their groups") {
    if (!std::filesystem::exists("/dev/vfio/devices"))
        WARN("this kernel has none: groups take their place");
    const auto files = open_files();
    {
        vfio::bus bus({.prefer_iommufd = true});
        for (const device& d : devices) {
            CAPTURE(d.name);
            const auto f = bus.open(d.address);
            if (!f)
                FAIL(f.error());
            {
                auto bound = pci::bind<test::everything_driver>(bus, **f);
                REQUIRE(bound);
                for (unsigned v = 0; v != bound->state().vectors; ++v) {
                    CHECK(bus.trigger(**f, v));
                    CHECK(soon([&] { return bound->state().interrupts[v] == 1; }));
                }
                CHECK(!bus.held(**f).empty());
            }
            CHECK(bus.held(**f).empty());
            CHECK(bus.open(d.address).error().code == errc::ebusy);
        }
        vfio::bus other({.prefer_iommufd = true});
        CHECK(!other.open(edu));
    }
    CHECK(open_files() == files);
    vfio::bus groups;
    CHECK(groups.open(edu));
}

TEST_CASE("through an iommufd, a device reaches the memory that is mapped for it") {
    opened one(edu, {.prefer_iommufd = true});
    REQUIRE(one.bus.enable(one.f));
    REQUIRE(one.bus.set_master(one.f, true));
    auto bar = one.bus.map_bar(one.f, pci::bar_number(0), "edu").value();
    std::array<char, 64> source{"there and back"};
    std::array<char, 64> target{};
    const auto from = one.bus.map_dma(one.f, source.data(), source.size()).value();
    const auto to = one.bus.map_dma(one.f, target.data(), target.size()).value();
    const auto copy = [&](std::uint64_t from_address, std::uint64_t to_address, std::uint64_t command) {
        one.bus.write<std::uint64_t>(bar, 0x80, from_address);
        one.bus.write<std::uint64_t>(bar, 0x88, to_address);
        one.bus.write<std::uint64_t>(bar, 0x90, 64);
        one.bus.write<std::uint64_t>(bar, 0x98, command);
        return soon([&] { return (one.bus.read<std::uint64_t>(bar, 0x98) & 1U) == 0; });
    };
    REQUIRE(copy(static_cast<std::uint64_t>(from.bus), 0x40000, 1));
    REQUIRE(copy(0x40000, static_cast<std::uint64_t>(to.bus), 3));
    CHECK(target == source);
    one.bus.unmap_dma(one.f, from);
    one.bus.unmap_dma(one.f, to);
    one.bus.unmap_bar(one.f, bar);
    one.bus.disable(one.f);
    CHECK(one.bus.held(one.f).empty());
}
