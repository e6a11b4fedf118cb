// SPDX-License-Identifier: BSL-1.0
#include <devres/hardware/capabilities.hpp>

#include <array>
#include <vector>

#include "support/catch.hpp"

using namespace devres;
using namespace devres::hardware;

namespace {

std::array<std::uint8_t, 256> with_list() {
    std::array<std::uint8_t, 256> config{};
    config[pci::registers::status] = pci::registers::status_bits::capabilities;
    config[pci::registers::capabilities] = 0x40;
    return config;
}

}  // namespace

TEST_CASE("the capability list is walked in its own order") {
    auto config = with_list();
    config[0x40] = 1, config[0x41] = 0x80;
    config[0x80] = 0x11, config[0x81] = 0x52;  // the low two bits of a pointer mean nothing
    config[0x50] = 5, config[0x51] = 0;
    std::vector<unsigned> offsets;
    CHECK_FALSE(walk_capabilities(config, [&](unsigned, unsigned offset) { offsets.push_back(offset); }));
    CHECK(offsets == std::vector<unsigned>{0x40, 0x80, 0x50});

    const auto layout = capability_layout::of(config);
    CHECK(layout.power_management == 0x40);
    CHECK(layout.msix == 0x80);
    CHECK(layout.msi == 0x50);
    CHECK(layout.pcie == 0);
}

TEST_CASE("a function whose status has no capability list has none") {
    auto config = with_list();
    config[pci::registers::status] = 0;
    config[0x40] = 5;
    CHECK(capability_layout::of(config).msi == 0);
}

TEST_CASE("a capability list that is a loop is found out") {
    auto config = with_list();
    config[0x40] = 1, config[0x41] = 0x50;
    config[0x50] = 5, config[0x51] = 0x40;
    const auto fault = walk_capabilities(config, [](unsigned, unsigned) {});
    REQUIRE(fault);
    CHECK(fault->offset == 0x51);
    CHECK(fault->reason.find("loop") != std::string::npos);
}

TEST_CASE("a capability list that leads into the header or nowhere is found out") {
    auto config = with_list();
    config[pci::registers::capabilities] = 0x10;
    CHECK(walk_capabilities(config, [](unsigned, unsigned) {}));
    config[pci::registers::capabilities] = 0x40;
    config[0x40] = 0xff;
    CHECK(walk_capabilities(config, [](unsigned, unsigned) {}));
}

TEST_CASE("a list that goes on beyond the bytes at hand ends there") {
    const auto config = with_list();
    CHECK_FALSE(walk_capabilities(std::span(config).first(64), [](unsigned, unsigned) { FAIL("there is none"); }));
}

TEST_CASE("where MSI has its data and mask depends on what it can do") {
    auto config = with_list();
    config[0x40] = 5;
    CHECK(capability_layout::of(config).msi_data == 0x48);
    CHECK(capability_layout::of(config).msi_mask == 0);
    config[0x42] = pci::registers::msi::wide;
    CHECK(capability_layout::of(config).msi_data == 0x4c);
    config[0x43] = pci::registers::msi::maskable >> 8U;
    CHECK(capability_layout::of(config).msi_mask == 0x50);
}
