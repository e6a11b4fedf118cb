// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/capabilities.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;
namespace reg = devres::pci::registers;
namespace id = devres::pci::registers::capability_id;

namespace {

struct listing : device_fixture {
    void byte(unsigned at, unsigned value) {
        REQUIRE(pci_write_config_byte(*dev, at, static_cast<std::uint8_t>(value)));
    }
    void capability(unsigned at, unsigned what, unsigned next) {
        byte(at, what);
        byte(at + 1, next);
    }
    void has_list(unsigned first, unsigned link = reg::capabilities) {
        byte(reg::status, reg::status_bits::capabilities);
        byte(link, first);
    }
    void extended(unsigned at, std::uint32_t header) { REQUIRE(pci_write_config_dword(*dev, at, header)); }
};

}  // namespace

TEST_CASE_METHOD(listing, "a capability is found where the list has it, the first of its kind") {
    has_list(0x42);  // the low bits are reserved
    capability(0x40, id::power_management, 0x50);
    capability(0x50, id::msi, 0x60);
    capability(0x60, id::msix, 0x70);
    capability(0x70, id::msi, 0);
    CHECK(pci_find_capability(*dev, id::power_management) == 0x40U);
    CHECK(pci_find_capability(*dev, id::msi) == 0x50U);
    CHECK(pci_find_capability(*dev, id::msix) == 0x60U);
    CHECK(pci_find_capability(*dev, id::pcie) == 0U);
    byte(reg::status, 0);
    CHECK(pci_find_capability(*dev, id::msi) == 0U);
}

TEST_CASE_METHOD(listing, "a CardBus bridge's list begins at 0x14") {
    byte(reg::header_type, reg::header::cardbus | 0x80U);
    has_list(0x80, reg::cardbus_capabilities);
    capability(0x80, id::msi, 0);
    CHECK(pci_find_capability(*dev, id::msi) == 0x80U);
}

TEST_CASE_METHOD(listing, "a list that breaks has what comes before the break") {
    has_list(0x40);
    const unsigned next = GENERATE(0x40U, 0x48U, 0x10U, 0x80U);
    capability(0x40, id::power_management, 0x48);
    capability(0x48, id::msi, next);
    byte(0x80, 0xff);
    CHECK(pci_find_capability(*dev, id::msi) == 0x48U);
    CHECK(pci_find_capability(*dev, id::msix) == 0U);
}

TEST_CASE_METHOD(listing, "where and why a list breaks is said") {
    using reason = capability_list_end::reason;
    has_list(0x40);
    capability(0x40, id::power_management, 0x48);
    capability(0x48, id::msi, 0x40);
    byte(0x80, 0xff);
    const auto walk = [&] {
        pci::detail::capability_search<std::remove_reference_t<decltype(*dev)>, unsigned> nothing{*dev, 0};
        return walk_capabilities(nothing).value();
    };
    CHECK(walk().why == reason::loop);
    CHECK(walk().link == 0x49);
    byte(0x49, 0x3c);
    CHECK(walk().why == reason::into_header);
    byte(0x49, 0x80);
    CHECK(walk().why == reason::all_ones);
    byte(0x49, 0);
    CHECK(walk().why == reason::end);
}

TEST_CASE_METHOD(listing, "an extended capability is found from 0x100 on") {
    CHECK(pci_find_ext_capability(*dev, 1) == 0U);
    extended(0x100, 0x1400'0001 | 1U << 16U);
    extended(0x140, 0x2002'000e);
    extended(0x200, 0x0001'0003);
    CHECK(pci_find_ext_capability(*dev, 1) == 0x100U);
    CHECK(pci_find_ext_capability(*dev, 0xe) == 0x140U);
    CHECK(pci_find_ext_capability(*dev, 3) == 0x200U);
    CHECK(pci_find_ext_capability(*dev, 4) == 0U);
    extended(0x200, 0x1400'0003);  // a loop
    CHECK(pci_find_ext_capability(*dev, 4) == 0U);
    extended(0x200, ~0U);
    CHECK(pci_find_ext_capability(*dev, 3) == 0U);
}

TEST_CASE_METHOD(listing, "how many vectors a function offers") {
    CHECK(pci_msix_vec_count(*dev).error() == errc::einval);
    has_list(0x40);
    capability(0x40, id::msix, 0x50);
    REQUIRE(pci_write_config_word(*dev, 0x42, 0xc000 | 31));
    capability(0x50, id::msi, 0);
    REQUIRE(pci_write_config_word(*dev, 0x52, 3U << 1U));
    CHECK(pci_msix_vec_count(*dev) == 32U);
}

TEST_CASE("configuration space that cannot be read is an error, not a function without capabilities") {
    null_platform inner;
    function_type function;
    testing::faulty<null_platform> platform(inner, {1, 3});  // the walk reads two registers before it looks at either
    const device<testing::faulty<null_platform>> dev(platform, function);
    CHECK(pci_find_capability(dev, id::msi).error() == errc::eio);
    CHECK(pci_find_ext_capability(dev, 1).error() == errc::eio);
}
