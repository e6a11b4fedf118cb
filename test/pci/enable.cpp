// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/enable.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

template <class Driver>
constexpr bool can_enable_managed = requires(device<null_platform, Driver>& dev) { pcim_enable_device(dev); };
template <class Driver>
constexpr bool can_enable_unmanaged = requires(device<null_platform, Driver>& dev) { pci_enable_device(dev); };

struct owns_managed_enable {
    static constexpr auto ownership = own(enable = managed);
};
struct owns_unmanaged_enable {
    static constexpr auto ownership = own(enable = unmanaged);
};
struct owns_no_enable {
    static constexpr auto ownership = own(driver_data = managed);
};

}  // namespace

TEST_CASE("D004: a device is enabled as the ownership table says") {
    STATIC_REQUIRE(can_enable_managed<owns_managed_enable>);
    STATIC_REQUIRE(!can_enable_unmanaged<owns_managed_enable>);
    STATIC_REQUIRE(can_enable_unmanaged<owns_unmanaged_enable>);
    STATIC_REQUIRE(!can_enable_managed<owns_unmanaged_enable>);
    STATIC_REQUIRE(!can_enable_managed<owns_no_enable>);
    STATIC_REQUIRE(!can_enable_unmanaged<owns_no_enable>);
    STATIC_REQUIRE(can_enable_managed<void>);
    STATIC_REQUIRE(can_enable_unmanaged<void>);
}

TEST_CASE_METHOD(device_fixture, "a managed enable lasts until the device is unbound") {
    const auto enabled = pcim_enable_device(*dev).value();
    CHECK(function.enabled == 1);
    CHECK(&enabled.dev() == &*dev);
    const auto copy = enabled;
    CHECK(&copy.dev() == &*dev);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "an unmanaged enable lasts until its guard dies, and leaves no record") {
    {
        const auto enabled = pci_enable_device(*dev).value();
        CHECK(function.enabled == 1);
        CHECK(dev->resources().empty());
    }
    CHECK(function.enabled == 0);
}

TEST_CASE_METHOD(device_fixture, "enables are counted") {
    REQUIRE(pcim_enable_device(*dev));
    REQUIRE(pcim_enable_device(*dev));
    {
        const auto enabled = pci_enable_device(*dev).value();
        CHECK(function.enabled == 3);
    }
    CHECK(function.enabled == 2);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "bus mastering is switched by either owner, and off after the last disable") {
    {
        const auto enabled = pci_enable_device(*dev).value();
        CHECK(pci_set_master(enabled));
        CHECK(function.master);
        CHECK(pci_clear_master(enabled));
        CHECK(!function.master);
        CHECK(pci_set_master(pcim_enable_device(*dev).value()));
    }
    CHECK(function.master);
    CHECK(clean());
}

TEST_CASE("an enable that fails or cannot be recorded leaves the function as it was") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            fill_inline_records(dev);
            DEVRES_TRY(pcim_enable_device(dev));
            return {};
        },
        clean);
    CHECK(clean);
    CHECK(errors == std::vector{errc::eio, errc::enomem});
    CHECK(failures_of([](auto& dev) { return pci_enable_device(dev); }, clean) == std::vector{errc::eio});
    CHECK(clean);
}

TEST_CASE_METHOD(device_fixture, "everything acquired from an enable that a group releases goes before the disable") {
    group g{*dev};
    const auto enabled = pcim_enable_device(*dev).value();
    g.keep();
    REQUIRE(pcim_iomap_region<0>(enabled, "zero"));
    REQUIRE(pcim_iomap_region<5>(enabled, "five"));
    REQUIRE(dmam_alloc_coherent(enabled, 64));
    REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
    g.release();
    CHECK(function.enabled == 0);
    CHECK(!function.mapped[0]);
    CHECK(!function.mapped[5]);
    CHECK(function.vectors.count == 0);
    CHECK(clean());
}
