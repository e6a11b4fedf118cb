// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/types.hpp>

#include <type_traits>

#include "support/catch.hpp"

using namespace devres::pci;

// What must not be taken for something else.
static_assert(!std::is_convertible_v<vector_index, irq_number> && !std::is_convertible_v<irq_number, vector_index>);
static_assert(!std::is_constructible_v<vector_index, irq_number> || !std::is_convertible_v<irq_number, unsigned>);
static_assert(std::is_convertible_v<unsigned, vector_index>, "an index reads as a number");
static_assert(!std::is_convertible_v<unsigned, irq_number> && !std::is_convertible_v<unsigned, bar_number>);
static_assert(!std::is_convertible_v<vector_index, unsigned> && !std::is_convertible_v<irq_number, unsigned>);
static_assert(!std::is_convertible_v<std::uint64_t, bus_address>);
static_assert(!std::is_convertible_v<irq_type, unsigned> && !std::is_convertible_v<unsigned, irq_types>);

TEST_CASE("indexes and numbers hold a value, are compared and ordered") {
    STATIC_REQUIRE(vector_index().value() == 0);
    STATIC_REQUIRE(vector_index(3).value() == 3);
    STATIC_REQUIRE(static_cast<unsigned>(vector_index(3)) == 3);
    STATIC_REQUIRE(vector_index(3) == vector_index(3));
    STATIC_REQUIRE(vector_index(2) < vector_index(3));
    STATIC_REQUIRE(irq_number(35).value() == 35);
    STATIC_REQUIRE(irq_number(35) != irq_number(36));
    STATIC_REQUIRE(irq_number(35) < irq_number(36));
    STATIC_REQUIRE(bar_number(5).value() == 5);
    STATIC_REQUIRE(bar_number(5) == bar_number(5));
}

TEST_CASE("interrupt types have Linux's bits and combine to sets") {
    STATIC_REQUIRE(static_cast<unsigned>(irq_type::intx) == 1);
    STATIC_REQUIRE(static_cast<unsigned>(irq_type::msi) == 2);
    STATIC_REQUIRE(static_cast<unsigned>(irq_type::msix) == 4);
    STATIC_REQUIRE(static_cast<unsigned>(irq_type::all) == 7);
    STATIC_REQUIRE(static_cast<unsigned>(irq_type::virtual_entries) == 16);
    constexpr irq_types set = irq_type::msix | irq_type::msi;
    STATIC_REQUIRE(set.bits() == 6);
    STATIC_REQUIRE(set.has(irq_type::msix));
    STATIC_REQUIRE(set.has(irq_type::msi));
    STATIC_REQUIRE(!set.has(irq_type::intx));
    STATIC_REQUIRE(!set.has(irq_type::all));
    STATIC_REQUIRE((set | irq_type::intx) == irq_types(irq_type::all));
    STATIC_REQUIRE((irq_type::msix | irq_type::msi | irq_type::virtual_entries).has(irq_type::virtual_entries));
    STATIC_REQUIRE(irq_types().bits() == 0);
    STATIC_REQUIRE(!irq_types().has(irq_type::intx));
}

TEST_CASE("a device id matches what it names, and anything where it names nothing") {
    constexpr device_id function{.vendor = 0x11f8,
                                 .device = 0x8531,
                                 .subsystem_vendor = 0x1000,
                                 .subsystem_device = 0x2000,
                                 .class_code = 0x058000};
    STATIC_REQUIRE(device_id{}.matches(function));
    STATIC_REQUIRE(device_id{.vendor = 0x11f8}.matches(function));
    STATIC_REQUIRE(device_id{.vendor = 0x11f8, .device = 0x8531}.matches(function));
    STATIC_REQUIRE(!device_id{.vendor = 0x11f9, .device = 0x8531}.matches(function));
    STATIC_REQUIRE(!device_id{.vendor = 0x11f8, .device = 0x8532}.matches(function));
    STATIC_REQUIRE(device_id{.subsystem_vendor = 0x1000, .subsystem_device = 0x2000}.matches(function));
    STATIC_REQUIRE(!device_id{.subsystem_vendor = 0x1001}.matches(function));
    STATIC_REQUIRE(!device_id{.subsystem_device = 0x2001}.matches(function));
    STATIC_REQUIRE(device_id{.class_code = 0x050000, .class_mask = 0xff0000}.matches(function));
    STATIC_REQUIRE(device_id{.class_code = 0x058000, .class_mask = 0xffffff}.matches(function));
    STATIC_REQUIRE(!device_id{.class_code = 0x010000, .class_mask = 0xff0000}.matches(function));
    STATIC_REQUIRE(device_id{.class_code = 0x010000}.matches(function));
    STATIC_REQUIRE(device_id{.vendor = 0x11f8, .driver_data = 7}.matches(function));
    STATIC_REQUIRE(function.matches(function));
}
