// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/bar.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

template <unsigned Number, class Enabled>
constexpr bool can_map_managed = requires(const Enabled& enabled) { pcim_iomap_region<Number>(enabled, "test"); };
template <unsigned Number, class Enabled>
constexpr bool can_map_unmanaged = requires(const Enabled& enabled) { pci_iomap_region<Number>(enabled, "test"); };

struct owns_bars {
    static constexpr auto ownership = own(enable = managed, bar<0> = managed, bar<2> = unmanaged);
};
template <class Owner, class Driver = void>
using enabled_by = enabled_device<Owner, null_platform, Driver>;

}  // namespace

TEST_CASE("D004: each BAR is mapped as the ownership table says") {
    STATIC_REQUIRE(can_map_managed<0, enabled_by<managed_t, owns_bars>>);
    STATIC_REQUIRE(!can_map_unmanaged<0, enabled_by<managed_t, owns_bars>>);
    STATIC_REQUIRE(can_map_unmanaged<2, enabled_by<managed_t, owns_bars>>);
    STATIC_REQUIRE(!can_map_managed<2, enabled_by<managed_t, owns_bars>>);
    STATIC_REQUIRE(!can_map_managed<1, enabled_by<managed_t, owns_bars>>);
    STATIC_REQUIRE(!can_map_unmanaged<1, enabled_by<managed_t, owns_bars>>);
}

TEST_CASE("D005: a managed BAR needs a managed enable, and there are six of them") {
    STATIC_REQUIRE(can_map_managed<5, enabled_by<managed_t>>);
    STATIC_REQUIRE(!can_map_managed<5, enabled_by<unmanaged_t>>);
    STATIC_REQUIRE(can_map_unmanaged<5, enabled_by<unmanaged_t>>);
    STATIC_REQUIRE(!can_map_managed<6, enabled_by<managed_t>>);
    STATIC_REQUIRE(!can_map_unmanaged<6, enabled_by<managed_t>>);
}

TEST_CASE_METHOD(device_fixture, "registers are read and written in their widths, by either owner") {
    const auto enabled = pcim_enable_device(*dev).value();
    const auto works = [](const auto& registers) {
        registers.write64(8, 0x8877665544332211);
        CHECK(registers.read64(8) == 0x8877665544332211);
        CHECK(registers.read32(12) == 0x88776655);
        CHECK(registers.read16(10) == 0x4433);
        CHECK(registers.read8(15) == 0x88);
        registers.write32(8, 1);
        registers.write16(12, 2);
        registers.write8(14, 3);
        CHECK(registers.read64(8) == 0x8803000200000001);
        CHECK(registers.size() == 4096);
    };
    works(pcim_iomap_region<0>(enabled, "managed").value());
    works(pci_iomap_region<1>(enabled, "unmanaged").value());
    CHECK(function.mapped[0]);
    CHECK(!function.mapped[1]);
}

TEST_CASE_METHOD(device_fixture, "a BAR is mapped once at a time, whoever owns it") {
    const auto enabled = pcim_enable_device(*dev).value();
    {
        const auto registers = pci_iomap_region<3>(enabled, "first").value();
        CHECK(pci_iomap_region<3>(enabled, "second").error() == errc::ebusy);
        CHECK(pcim_iomap_region<3>(enabled, "second").error() == errc::ebusy);
        CHECK(pcim_iomap_region<4>(enabled, "another"));
    }
    REQUIRE(pcim_iomap_region<3>(enabled, "third"));
    CHECK(pcim_iomap_region<3>(enabled, "fourth").error() == errc::ebusy);
    CHECK(function.mapped[3]);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "a BAR that a group releases can be mapped again") {
    const auto enabled = pcim_enable_device(*dev).value();
    for (int round = 0; round != 3; ++round) {
        group g{*dev};
        CHECK(pcim_iomap_region<0>(enabled, "registers"));
        CHECK(pcim_iomap_region<1>(enabled, "memory"));
        g.keep();
        CHECK(g.release() == 2);
        CHECK(!function.mapped[0]);
        CHECK(!function.mapped[1]);
    }
}

TEST_CASE("a BAR that cannot be mapped or recorded leaves nothing") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            fill_inline_records(dev, 1);
            DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
            return {};
        },
        clean);
    CHECK(clean);
    CHECK(errors == std::vector{errc::eio, errc::ebusy, errc::enomem});
}

TEST_CASE("an unmanaged BAR that cannot be mapped leaves nothing") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            DEVRES_TRY(const auto enabled, pci_enable_device(dev));
            DEVRES_TRY(const auto registers, pci_iomap_region<0>(enabled, "registers"));
            return {};
        },
        clean);
    CHECK(clean);
    CHECK(errors == std::vector{errc::eio, errc::ebusy});
}
