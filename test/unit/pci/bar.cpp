// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/bar.hpp>

#include <type_traits>

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

template <class Enabled>
constexpr bool can_map_without_number = requires(const Enabled& enabled) { pcim_iomap_region(enabled, "test"); } ||
                                        requires(const Enabled& enabled) { pci_iomap_region(enabled, "test"); };

template <class Enabled>
constexpr bool can_map_at_run_time = requires(const Enabled& enabled) {
    pcim_iomap_region(enabled, bar_number(1), "test");
    pcim_iomap_region(enabled, bar_number(1), "test", 0x100);
};

struct owns_any_bar {
    static constexpr auto ownership = own(enable = managed, any_bar = managed, bar<0> = managed, bar<2> = unmanaged,
                                          irq_vectors = managed, irq_handler.without(any_bar, bar<2>) = managed);
};
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
            fill_own_room(dev, 1);
            DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
            return {};
        },
        clean);
    CHECK(clean);
    // enable, the memory for the record and for its place in the list, the BAR
    CHECK(errors == std::vector{errc::eio, errc::enomem, errc::enomem, errc::ebusy});
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

TEST_CASE("D013: which BAR is said in brackets, or by a bar_number") {
    STATIC_REQUIRE(!can_map_without_number<enabled_by<managed_t>>);
    STATIC_REQUIRE(!can_map_without_number<enabled_by<unmanaged_t>>);
    STATIC_REQUIRE(can_map_at_run_time<enabled_by<managed_t>>);
}

TEST_CASE("D004: a BAR that is known at run time needs the line of any, which also stands for those without a line") {
    STATIC_REQUIRE(!can_map_at_run_time<enabled_by<managed_t, owns_bars>>);
    STATIC_REQUIRE(can_map_at_run_time<enabled_by<managed_t, owns_any_bar>>);
    STATIC_REQUIRE(can_map_managed<0, enabled_by<managed_t, owns_any_bar>>);
    STATIC_REQUIRE(can_map_managed<3, enabled_by<managed_t, owns_any_bar>>);
    STATIC_REQUIRE(!can_map_managed<2, enabled_by<managed_t, owns_any_bar>>);
    STATIC_REQUIRE(can_map_unmanaged<2, enabled_by<managed_t, owns_any_bar>>);
    STATIC_REQUIRE(pci::detail::kept_off_bars<owns_any_bar> == 0b11'1110);
}

TEST_CASE_METHOD(device_fixture, "a BAR whose number and size the driver reads from a table") {
    function.bar_bytes = 256;
    const auto enabled = pcim_enable_device(*dev).value();
    CHECK(pcim_iomap_region(enabled, bar_number(4), "registers").value().size() == 256);
    CHECK(function.mapped[4]);
    CHECK(pci_iomap_region(enabled, bar_number(4), "registers").error() == errc::ebusy);
    CHECK(pci_iomap_region(enabled, bar_number(5), "registers", 257).error() == errc::enodev);
    CHECK(pci_iomap_region(enabled, bar_number(5), "registers", 256));
    CHECK(pci_iomap_region(enabled, bar_number(6), "registers").error() == errc::einval);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "registers in the other order of bytes, and without an order with memory") {
    const auto enabled = pcim_enable_device(*dev).value();
    const auto registers = pcim_iomap_region<0>(enabled, "registers").value();
    registers.write64be(8, 0x1122334455667788);
    CHECK(registers.read64(8) == 0x8877665544332211);
    CHECK(registers.read32be(8) == 0x11223344);
    CHECK(registers.read16be(14) == 0x7788);
    registers.write32be(8, 1);
    registers.write16be(12, 2);
    CHECK(registers.read64_relaxed(8) == 0x8877020001000000);
    registers.write64_relaxed(16, 0x1234);
    registers.write32_relaxed(24, 5);
    registers.write16_relaxed(28, 6);
    registers.write8_relaxed(30, 7);
    CHECK(registers.read64(16) == 0x1234);
    CHECK(registers.read32_relaxed(24) == 5);
    CHECK(registers.read16_relaxed(28) == 6);
    CHECK(registers.read8_relaxed(30) == 7);
}

TEST_CASE_METHOD(device_fixture, "a part of a BAR has offsets of its own, and its bounds are checked once") {
    const auto enabled = pcim_enable_device(*dev).value();
    const auto registers = pcim_iomap_region<0>(enabled, "registers").value();
    const auto ring = registers.subregion(0x100, 0x40).value();
    CHECK(ring.size() == 0x40);
    ring.write32(4, 0x12345678);
    CHECK(registers.read32(0x104) == 0x12345678);
    const auto tail = ring.subregion(4, 0x3c).value();
    CHECK(tail.read32(0) == 0x12345678);
    CHECK(ring.subregion(4, 0x3d).error() == errc::erange);
    CHECK(ring.subregion(0, 0).error() == errc::einval);
    CHECK(registers.subregion(4096, 1).error() == errc::erange);
    CHECK(registers.subregion(~std::size_t{0}, 2).error() == errc::erange);
    CHECK(registers.subregion(4092, 4));

    const auto guard = pci_iomap_region<1>(enabled, "guard").value();
    const auto part = guard.subregion(0x10, 0x10).value();
    part.write16(2, 3);
    CHECK(guard.read16(0x12) == 3);
}

TEST_CASE_METHOD(device_fixture, "an object that is made from a part of a BAR is a user of the BAR") {
    struct block {
        bar_part_of<null_device> registers;
    };
    const auto enabled = pcim_enable_device(*dev).value();
    group g{*dev};
    const auto registers = pcim_iomap_region<0>(enabled, "registers").value();
    g.keep();
    const auto part = registers.subregion(0x20, 0x20).value();
    REQUIRE(devm_emplace<block>(*dev, part));
    CHECK(g.release().error() == errc::ebusy);
    CHECK(function.mapped[0]);
}

TEST_CASE("a view of a BAR is made full and stays what it is") {
    using view = bar_of<null_device>;
    STATIC_REQUIRE(std::is_same_v<view, bar_mapping<managed_t, null_platform>>);
    STATIC_REQUIRE(!std::is_default_constructible_v<view>);
    STATIC_REQUIRE(std::is_copy_constructible_v<view>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<view>);
    STATIC_REQUIRE(std::is_default_constructible_v<bar_mapping<unmanaged_t, null_platform>>);
}

TEST_CASE_METHOD(device_fixture, "a BAR that is smaller than the driver's registers is refused, and not left mapped") {
    function.bar_bytes = 256;
    const auto enabled = pcim_enable_device(*dev).value();
    CHECK(pcim_iomap_region<0, 257>(enabled, "registers").error() == errc::enodev);
    CHECK(pci_iomap_region<0, 0x1000>(enabled, "registers").error() == errc::enodev);
    CHECK(!function.mapped[0]);
    CHECK(pcim_iomap_region<0, 256>(enabled, "registers"));
    CHECK(pci_iomap_region<1, 1>(enabled, "registers"));
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture,
                 "an enable that has been released maps no BAR, also when there is a new one in its place") {
    group g{*dev};
    const auto gone = pcim_enable_device(*dev).value();
    CHECK(g.release() == 1);
    CHECK(pcim_iomap_region<0>(gone, "registers").error() == errc::enoent);
    CHECK(pci_iomap_region<0>(gone, "registers").error() == errc::enoent);
    REQUIRE(pcim_enable_device(*dev));
    CHECK(pcim_iomap_region<0>(gone, "registers").error() == errc::enoent);
    CHECK(!function.mapped[0]);
}

TEST_CASE_METHOD(device_fixture, "access to a BAR outlives the device, and answers nothing then") {
    revocable<bar_of<null_device>> file;
    CHECK(!file.try_access());
    {
        const auto enabled = pcim_enable_device(*dev).value();
        const auto registers = pcim_iomap_region<0>(enabled, "registers").value();
        file = devm_revocable(*dev, registers).value();
    }
    {
        const auto access = file.try_access();
        REQUIRE(access);
        access->write32(8, 0x12345678);
        CHECK((*access).read32(8) == 0x12345678);
    }
    dev.reset();
    CHECK(!file.try_access());
    CHECK(function.idle());
}

TEST_CASE_METHOD(device_fixture, "access to a BAR is closed when a group takes the BAR, or what it is built on") {
    group g{*dev};
    const auto enabled = pcim_enable_device(*dev).value();
    g.keep();
    const auto registers = pcim_iomap_region<0>(enabled, "registers").value();
    const auto file = devm_revocable(*dev, registers).value();
    CHECK(g.release() == 3);
    CHECK(!file.try_access());
    CHECK(!function.mapped[0]);
    CHECK(function.enabled == 0);
}
