// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/config_space.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

TEST_CASE_METHOD(device_fixture, "configuration space is read and written in bytes, words and double words") {
    REQUIRE(pci_write_config_dword(*dev, 0x40, 0x44332211));
    CHECK(pci_read_config_dword(*dev, 0x40) == 0x44332211U);
    CHECK(pci_read_config_word(*dev, 0x40) == 0x2211U);
    CHECK(pci_read_config_word(*dev, 0x42) == 0x4433U);
    CHECK(pci_read_config_byte(*dev, 0x43) == 0x44U);
    REQUIRE(pci_write_config_byte(*dev, 0x41, 0xaa));
    REQUIRE(pci_write_config_word(*dev, 0x42, 0xbbcc));
    CHECK(pci_read_config_dword(*dev, 0x40) == 0xbbccaa11U);
    CHECK(pci_read_config_dword(*dev, 0xffc) == 0U);
    CHECK(pci_read_config_byte(*dev, 0xfff) == 0U);
}

TEST_CASE_METHOD(device_fixture, "an offset that is not a multiple of the size below 4096 is refused") {
    CHECK(pci_read_config_word(*dev, 1).error() == errc::einval);
    CHECK(pci_read_config_dword(*dev, 2).error() == errc::einval);
    CHECK(pci_read_config_byte(*dev, 4096).error() == errc::einval);
    CHECK(pci_write_config_word(*dev, 3, 0).error() == errc::einval);
    CHECK(pci_write_config_dword(*dev, 4096, 0).error() == errc::einval);
    CHECK(pci_write_config_byte(*dev, ~0U, 0).error() == errc::einval);
}

TEST_CASE("the platform's error is passed on") {
    null_platform inner;
    function_type function;
    testing::faulty<null_platform> platform(inner, {1, 2});
    const device<testing::faulty<null_platform>> dev(platform, function);
    CHECK(pci_read_config_dword(dev, 0).error() == errc::eio);
    CHECK(pci_write_config_dword(dev, 0, 1).error() == errc::eio);
    CHECK(pci_read_config_dword(dev, 0) == 0U);
}
