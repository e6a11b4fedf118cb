// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/bar_region.hpp>

#include <type_traits>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

template <class Region>
constexpr bool can_map = requires(const Region& region) { pci_iomap(region); };
template <class Region>
constexpr bool can_map_second = requires(const Region& region) { pci_iomap<1>(region); };

struct owns_one {
    static constexpr auto ownership = own(enable = managed, bar<0> = managed);
};
template <class Driver>
constexpr bool can_request_all = requires(const enabled_device<managed_t, null_platform, Driver>& enabled) {
    pcim_request_all_regions(enabled, "all");
};

}  // namespace

TEST_CASE("D013: of several BARs a mapping says which, of one it does not") {
    STATIC_REQUIRE(can_map<bar_region<managed_t, null_platform>>);
    STATIC_REQUIRE(!can_map_second<bar_region<managed_t, null_platform>>);
    STATIC_REQUIRE(!can_map<bar_regions<unmanaged_t, null_platform>>);
    STATIC_REQUIRE(can_map_second<bar_regions<unmanaged_t, null_platform>>);
    STATIC_REQUIRE(!can_map<bar_mapping<managed_t, null_platform>>);
    STATIC_REQUIRE(!can_map<result<bar_region<managed_t, null_platform>>>);
}

TEST_CASE("D004: all BARs are requested where the table has the line of any") {
    STATIC_REQUIRE(can_request_all<void>);
    STATIC_REQUIRE(!can_request_all<owns_one>);
}

TEST_CASE_METHOD(device_fixture, "a BAR that is requested is nobody else's, and mapped in parts") {
    const auto enabled = pcim_enable_device(*dev).value();
    const auto region = pcim_request_region<0>(enabled, "test").value();
    CHECK(region.size() == 4096);
    CHECK(pci_iomap_region<0>(enabled, "other").error() == errc::ebusy);
    const auto all = pci_iomap(region).value();
    const auto ring = pci_iomap_range(region, 0x100, 0x10).value();
    ring.write32(0, 42);
    CHECK(all.read32(0x100) == 42);
    CHECK(all.size() == 4096);
    CHECK(pci_iomap_range(region, 0xfff, 2).error() == errc::erange);
    CHECK(pci_iomap_range(region, 0, 0).error() == errc::einval);
    CHECK(pcim_request_region<1, 4097>(enabled, "test").error() == errc::enodev);
    CHECK(!function.mapped[1]);
}

TEST_CASE_METHOD(device_fixture, "a request of the driver's own ends with its guard") {
    const auto enabled = pci_enable_device(*dev).value();
    auto region = pci_request_region(enabled, bar_number(3), "test").value();
    CHECK(function.mapped[3]);
    CHECK(pci_iomap(region).value().size() == 4096);
    const auto moved = std::move(region);
    CHECK(pci_iomap(region).error() == errc::enoent);  // NOLINT: what is asked
    CHECK(pci_iomap(moved));
}

TEST_CASE_METHOD(device_fixture, "all BARs that there are, and each of them") {
    const auto enabled = pcim_enable_device(*dev).value();
    function.bars = 0b10'0101;
    {
        const auto regions = pci_request_regions(enabled, "test").value();
        CHECK(regions.mask() == 0b10'0101);
        CHECK(pci_iomap<2>(regions).value().size() == 4096);
        CHECK(pci_iomap(regions, bar_number(5)));
        CHECK(pci_iomap<1>(regions).error() == errc::einval);
        CHECK(pci_iomap(regions, bar_number(7)).error() == errc::einval);
        CHECK(pci_iomap_range<0>(regions, 8, 8));
        CHECK(pcim_request_all_regions(enabled, "again").error() == errc::ebusy);
    }
    CHECK(!function.mapped[0]);
    CHECK(!function.mapped[5]);
    CHECK(pci_request_selected_regions(enabled, 0b100, "test").value().mask() == 0b100);
    CHECK(pcim_request_all_regions(enabled, "again"));
    CHECK(function.mapped[5]);
}

TEST_CASE_METHOD(device_fixture, "of BARs one of which is taken none is requested") {
    const auto enabled = pcim_enable_device(*dev).value();
    const auto taken = pci_iomap_region<4>(enabled, "other").value();
    CHECK(pci_request_regions(enabled, "test").error() == errc::ebusy);
    for (unsigned bar = 0; bar != bar_count; ++bar)
        CHECK(function.mapped[bar] == (bar == 4));
}

TEST_CASE_METHOD(device_fixture, "a request that a group has released maps nothing, and so does one of several") {
    const auto enabled = pcim_enable_device(*dev).value();
    group g{*dev};
    const auto region = pcim_request_region<0>(enabled, "test").value();
    CHECK(g.release() == 1);
    CHECK(pci_iomap(region).error() == errc::enoent);
    group h{*dev};
    const auto regions = pcim_request_all_regions(enabled, "test").value();
    CHECK(h.release() == 1);
    CHECK(pci_iomap<0>(regions).error() == errc::enoent);
    CHECK(!function.mapped[0]);
}

TEST_CASE("a request that cannot be made or recorded leaves nothing") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            fill_own_room(dev, 1);
            DEVRES_TRY(pcim_request_all_regions(enabled, "registers"));
            return {};
        },
        clean);
    CHECK(clean);
    // enable, the memory for the record and for its place in the list, the BARs
    CHECK(errors == std::vector{errc::eio, errc::enomem, errc::enomem, errc::ebusy, errc::ebusy, errc::ebusy,
                                errc::ebusy, errc::ebusy, errc::ebusy});
}
