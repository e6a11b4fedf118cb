// SPDX-License-Identifier: BSL-1.0
#include <devres/vfio/detail/bus_functions.hpp>

#include <cerrno>

#include <devres/any_platform.hpp>

#include "fake_kernel.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::test;

namespace {

struct counting_bus : fake_bus {
    using fake_bus::fake_bus;
    unsigned calls = 0;  // for registers
    template <class T>
    T read(const region_type& mapped, std::size_t offset) noexcept {
        ++calls;
        return fake_bus::read<T>(mapped, offset);
    }
};

}  // namespace

TEST_CASE_METHOD(fake_fixture, "configuration space is read and written by width, and only where there is any") {
    CHECK(*bus.read_config(f, 0, 4) == 0x00101b36);
    CHECK(*bus.read_config(f, 2, 2) == 0x0010);
    CHECK(*bus.read_config(f, 1, 1) == 0x1b);
    CHECK(bus.write_config(f, 0x3c, 1, 0x0b));
    CHECK(kernel.config(hardware, 0x3c, 4) == 0x0b);
    CHECK(bus.read_config(f, 2, 4).error() == errc::einval);
    CHECK(bus.read_config(f, 0, 3).error() == errc::einval);
    CHECK(bus.read_config(f, 4096, 1).error() == errc::einval);
    CHECK(bus.write_config(f, 1, 2, 0).error() == errc::einval);
}

TEST_CASE_METHOD(fake_fixture, "a device that is gone reads as all ones and ignores writes") {
    hardware.gone = true;
    CHECK(*bus.read_config(f, 0, 4) == 0xffff'ffff);
    CHECK(*bus.read_config(f, 0, 2) == 0xffff);
    CHECK(*bus.read_config(f, 0, 1) == 0xff);
    CHECK(bus.write_config(f, 0x3c, 1, 1));
    errno = ENOTTY;
    bus.disable(f);
    CHECK(errno == ENOTTY);
}

TEST_CASE_METHOD(fake_fixture,
                 "enables are counted, and the last disable puts COMMAND back and takes bus mastering away") {
    const auto command = [&] { return kernel.config(hardware, PCI_COMMAND, 2); };
    REQUIRE(bus.enable(f));
    REQUIRE(bus.enable(f));
    CHECK(command() == PCI_COMMAND_MEMORY);
    REQUIRE(bus.set_master(f, true));
    CHECK(command() == (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
    bus.disable(f);
    CHECK(command() == (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
    CHECK(bus.set_master(f, false));
    CHECK(command() == PCI_COMMAND_MEMORY);
    CHECK(bus.set_master(f, true));
    bus.disable(f);
    CHECK(command() == 0);
    bus.disable(f);  // one too many
    CHECK(bus.enable(f));
    CHECK(command() == PCI_COMMAND_MEMORY);
}

TEST_CASE_METHOD(fake_fixture, "a function has one driver at a time") {
    CHECK(bus.attach(f));
    CHECK(bus.attach(f).error() == errc::ebusy);
    CHECK(bus.held(f) == std::vector<std::string>{"a driver"});
    bus.detach(f);
    CHECK(bus.held(f).empty());
    CHECK(bus.attach(f));
}

TEST_CASE_METHOD(fake_fixture, "suspend puts the device to D3hot, resume back to D0 with its COMMAND") {
    REQUIRE(bus.enable(f));
    REQUIRE(bus.set_master(f, true));
    CHECK(bus.resume(f).error() == errc::einval);
    REQUIRE(bus.suspend(f));
    CHECK((kernel.config(hardware, 0x44, 2) & 3U) == 3);
    CHECK(bus.suspend(f).error() == errc::einval);
    kernel.config(hardware, PCI_COMMAND, 2, 0);  // as a device does that is reset by D3hot
    REQUIRE(bus.resume(f));
    CHECK((kernel.config(hardware, 0x44, 2) & 3U) == 0);
    CHECK(kernel.config(hardware, PCI_COMMAND, 2) == (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));

    REQUIRE(bus.attach(f));
    REQUIRE(bus.suspend(f));
    bus.detach(f);
    CHECK((kernel.config(hardware, 0x44, 2) & 3U) == 0);
    hardware.gone = true;
    CHECK(bus.suspend(f).error() == errc::eio);
}

TEST_CASE("a device without power management cannot be put to sleep") {
    fake_kernel kernel;
    kernel.config(kernel.add({}), PCI_CAPABILITY_LIST, 1, 0x50);
    fake_bus bus(kernel.options(), fake_calls{&kernel});
    auto& f = *bus.open("0000:01:00.0").value();
    CHECK(bus.suspend(f).error() == errc::enotsupp);
}

TEST_CASE("a device is reset where it can be") {
    fake_kernel kernel;
    auto& hardware = kernel.add({.can_reset = GENERATE(false, true)});
    fake_bus bus(kernel.options(), fake_calls{&kernel});
    auto& f = *bus.open("0000:01:00.0").value();
    CHECK(bus.reset(f) == (hardware.can_reset ? result<>() : fail(errc::enotsupp)));
    CHECK(hardware.resets == (hardware.can_reset ? 1U : 0U));
}

TEST_CASE_METHOD(fake_fixture, "a BAR is mapped once, and its registers are the device's memory") {
    auto mapped = bus.map_bar(f, pci::bar_number(0), "registers");
    REQUIRE(mapped);
    CHECK(bus.bar_size(*mapped) == 0x4000);
    CHECK(bus.map_bar(f, pci::bar_number(0), "again").error() == errc::ebusy);
    CHECK(bus.map_bar(f, pci::bar_number(1), "none").error() == errc::einval);
    CHECK(bus.map_bar(f, pci::bar_number(6), "no such").error() == errc::einval);
    kernel.steps.clear();
    bus.write<std::uint64_t>(*mapped, 0x1000, 0x8877'6655'4433'2211);
    CHECK(bus.read<std::uint8_t>(*mapped, 0x1001) == 0x22);
    CHECK(bus.read<std::uint16_t>(*mapped, 0x1002) == 0x4433);
    CHECK(bus.read<std::uint32_t>(*mapped, 0x1004) == 0x8877'6655);
    CHECK(kernel.steps.empty());  // none of it by the kernel
    std::uint32_t value = 0;
    REQUIRE(::pread(hardware.memory, &value, 4, 0x1000) == 4);
    CHECK(value == 0x4433'2211);
    CHECK(bus.held(f) == std::vector<std::string>{"BAR 0"});
    bus.unmap_bar(f, *mapped);
    CHECK(kernel.memory.empty());
    CHECK(bus.map_bar(f, pci::bar_number(0), "registers"));
}

TEST_CASE_METHOD(fake_fixture, "what a BAR is, the kernel and the device's register say") {
    CHECK(bus.write_config(f, PCI_BASE_ADDRESS_0, 4, 0xfe00'000c));
    CHECK(bus.write_config(f, PCI_BASE_ADDRESS_1, 4, 2));
    CHECK(bus.describe_bar(f, pci::bar_number(0)).value() ==
          pci::bar_resource{
              .start = pci::bus_address{0x2'fe00'0000}, .size = 0x4000, .prefetchable = true, .wide = true});
    CHECK(bus.describe_bar(f, pci::bar_number(1)).error() == errc::einval);
    CHECK(bus.describe_bar(f, pci::bar_number(6)).error() == errc::einval);
}

TEST_CASE_METHOD(fake_fixture, "the MSI-X table is left to the kernel, what is around it is in memory") {
    auto mapped = bus.map_bar(f, pci::bar_number(0), "registers").value();
    const auto by_kernel = [&](std::size_t offset) {
        kernel.steps.clear();
        (void)bus.read<std::uint32_t>(mapped, offset);
        bus.write<std::uint32_t>(mapped, offset, 1);
        return kernel.steps.size() == 2;
    };
    CHECK(!by_kernel(0x1ffc));
    CHECK(by_kernel(0x2000));
    CHECK(by_kernel(0x203c));
    CHECK(!by_kernel(0x2040));
    CHECK(!by_kernel(0x3ffc));
    bus.unmap_bar(f, mapped);
    CHECK(bus.read<std::uint32_t>(mapped, 0) == 0xffff'ffff);
    bus.write<std::uint32_t>(mapped, 0, 1);
    CHECK(bus.bar_size(mapped) == 0);
}

TEST_CASE("of a BAR only the parts are mapped that the kernel names") {
    fake_kernel kernel;
    auto& hardware = kernel.add({.sparse = {{.offset = 0, .size = 0x1000}, {.offset = 0x3000, .size = 0x1000}},
                                 .msix_table = 0x2005});  // in BAR 5
    {
        fake_bus bus(kernel.options(), fake_calls{&kernel});
        auto& f = *bus.open("0000:01:00.0").value();
        auto mapped = bus.map_bar(f, pci::bar_number(0), "registers").value();
        for (unsigned at = 0; at != 0x4000; at += 0x1000) {
            kernel.steps.clear();
            bus.write<std::uint32_t>(mapped, at + 8, at + 1);
            CHECK(bus.read<std::uint32_t>(mapped, at + 8) == at + 1);
            CHECK(kernel.steps.size() == (at == 0x1000 || at == 0x2000 ? 2U : 0U));
            std::uint32_t value = 0;
            REQUIRE(::pread(hardware.memory, &value, 4, static_cast<off_t>(at + 8)) == 4);
            CHECK(value == at + 1);
        }
        bus.unmap_bar(f, mapped);
    }
    CHECK(kernel.held() == "");
}

TEST_CASE(
    "a driver that was compiled once uses the largest part of a mapped BAR without a call, and the rest with one") {
    fake_kernel kernel;
    kernel.add({.sparse = {{.offset = 0, .size = 0x1000}, {.offset = 0x2000, .size = 0x2000}}, .msix_table = 0x2005});
    {
        counting_bus bus(kernel.options(), fake_calls{&kernel});
        auto& f = *bus.open("0000:01:00.0").value();
        pci::erased any{bus};
        pci::erased_function function{any, f};
        auto mapped = any.map_bar(function, pci::bar_number(0), "registers").value();
        CHECK(any.bar_size(mapped) == 0x4000);
        for (unsigned at = 0; at != 0x4000; at += 0x1000) {
            bus.calls = 0;
            any.write<std::uint32_t>(mapped, at + 8, at + 1);
            CHECK(any.read<std::uint32_t>(mapped, at + 8) == at + 1);
            CHECK(bus.calls == (at < 0x2000 ? 1U : 0U));
        }
        any.unmap_bar(function, mapped);
    }
    CHECK(kernel.held() == "");
}

TEST_CASE("a BAR that cannot be mapped is read and written by the kernel") {
    fake_kernel kernel;
    auto& hardware = kernel.add({.bars = {0, 0, 64, 0, 0, 0}, .mappable = false});
    kernel.config(hardware, PCI_BASE_ADDRESS_2, 4, PCI_BASE_ADDRESS_SPACE_IO);
    fake_bus bus(kernel.options(), fake_calls{&kernel});
    auto& f = *bus.open("0000:01:00.0").value();
    REQUIRE(bus.enable(f));
    CHECK(kernel.config(hardware, PCI_COMMAND, 2) == PCI_COMMAND_IO);
    auto mapped = bus.map_bar(f, pci::bar_number(2), "ports").value();
    bus.write<std::uint8_t>(mapped, 3, 0x42);
    CHECK(bus.read<std::uint8_t>(mapped, 3) == 0x42);
    hardware.gone = true;
    CHECK(bus.read<std::uint16_t>(mapped, 2) == 0xffff);
    bus.unmap_bar(f, mapped);
    CHECK(kernel.memory.empty());
}
