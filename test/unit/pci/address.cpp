// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/address.hpp>

#include <string>
#include <string_view>

#include "support/catch.hpp"

using namespace devres;
using pci::address;

namespace {

result<address> parse(std::string_view text) { return address::parse(text.data(), text.size()); }
std::string formatted(const address& where) { return std::string(where.text()); }

}  // namespace

TEST_CASE("an address is its domain, bus, device and function") {
    constexpr address where = "0002:3a:1f.7";
    STATIC_REQUIRE(where.domain() == 2);
    STATIC_REQUIRE(where.bus() == 0x3a);
    STATIC_REQUIRE(where.device() == 0x1f);
    STATIC_REQUIRE(where.function() == 7);
    STATIC_REQUIRE(where == address(2, 0x3a, 0x1f, 7));
    STATIC_REQUIRE(address() == address("0000:00:00.0"));
    STATIC_REQUIRE(address("3a:00.0") == address("0000:3A:00.0"));
    STATIC_REQUIRE(address(0, 0, 0x3f, 0xf) == address(0, 0, 0x1f, 7));
}

TEST_CASE("an address is written as it is read") {
    for (const char* written : {"0000:00:00.0", "0000:3a:1f.7", "ffff:ff:1f.7", "10000:e1:00.0", "deadbeef:00:01.1"})
        CHECK(formatted(parse(written).value()) == written);
    CHECK(formatted(address("3a:00.0")) == "0000:3a:00.0");
    CHECK(address("10000:e1:00.0").text().size() == 13);
    CHECK(formatted(parse("00010000:E1:00.0").value()) == "10000:e1:00.0");
}

TEST_CASE("what is not an address is refused") {
    for (const char* written : {"", "0", "00:00", "00:00.", "00:00.8", "00:20.0", "000:00:00.0", "0000:00:00.0 ",
                                " 0000:00:00.0", "0000:00.00.0", "0000-00:00.0", "0000:00:00:0", "g0:00.0",
                                "0000:0:00.0", "123456789:00:00.0", ":00:00.0", "0000:00:00.00"}) {
        INFO('"' << written << '"');
        CHECK(parse(written).error() == errc::einval);
    }
    CHECK(address::parse(nullptr, 7).error() == errc::einval);
    CHECK(address::parse("00:00.0x", 7));
}

TEST_CASE("addresses are ordered as functions are enumerated") {
    STATIC_REQUIRE(address("0000:ff:1f.7") < address("0001:00:00.0"));
    STATIC_REQUIRE(address("0000:00:1f.7") < address("0000:01:00.0"));
    STATIC_REQUIRE(address("0000:00:00.7") < address("0000:00:01.0"));
    STATIC_REQUIRE(!(address("0000:00:00.0") < address("0000:00:00.0")));
}
