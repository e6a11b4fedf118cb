// SPDX-License-Identifier: BSL-1.0
#include <devres/print.hpp>

#include <sstream>
#include <string>
#include <system_error>

#include <devres/hardware/print.hpp>
#include <devres/sim.hpp>
#include <devres/testing/print.hpp>

#include "support/catch.hpp"

using namespace devres;

namespace {

template <class T>
std::string printed(const T& value) {
    std::ostringstream out;
    out << value;
#ifdef __cpp_lib_format
    CHECK(std::format("{}", value) == out.str());
#endif
    return out.str();
}

struct silent {};

}  // namespace

TEST_CASE("an error prints with the name and the words that it has on Linux") {
    CHECK(name_of(errc::ebusy) == std::string("EBUSY"));
    CHECK(name_of(errc(4095)) == nullptr);
    CHECK(printed(errc::eprobe_defer) == "EPROBE_DEFER (probe deferred: a dependency is not ready)");
    CHECK(printed(errc(4095)) == "error 4095");
    std::ostringstream out;
    out << std::hex << errc(4095);
    CHECK(out.str() == "error 4095");
}

TEST_CASE("every error has a name, and what the host calls by that name is the same condition") {
    unsigned named = 0;
    for (int number = 0; number != 600; ++number) {
        const errc error{number};
        const bool known = message(error) != std::string("unknown error");
        CHECK((name_of(error) != nullptr) == known);
        named += known ? 1U : 0U;
        const std::error_code code = error;
        CHECK(code.value() == number);
        CHECK(code.category().name() == std::string("devres"));
        CHECK(code.message() == message(error));
        const std::error_condition condition = code.default_error_condition();
        if (condition.category() == std::generic_category()) {
#ifdef __linux__
            CHECK(condition.value() == number);
#endif
        }
    }
    CHECK(named == 31);
}

TEST_CASE("an error is a std::error_code and compares with the conditions of the C++ library") {
    const std::error_code code = errc::ebusy;
    CHECK(code == std::errc::device_or_resource_busy);
    CHECK(code != std::errc::invalid_argument);
    CHECK(code == errc::ebusy);
    CHECK(std::error_code(errc::enotsupp) != std::errc::not_supported);
    CHECK(std::error_code(errc::ealready) == std::errc::connection_already_in_progress);
    CHECK_THROWS_WITH(throw std::system_error(errc::enodev, "probe"), "probe: no such device");
}

TEST_CASE("a result prints as its error or its value") {
    CHECK(printed(result<int>(7)) == "7");
    CHECK(printed(result<int>(fail(errc::eio))) == "EIO (input/output error)");
    CHECK(printed(result<>()) == "success");
    CHECK(printed(result<>(fail(errc::enomem))) == "ENOMEM (out of memory)");
    CHECK(printed(fail(errc::enomem)) == "ENOMEM (out of memory)");
    CHECK(printed(result<silent>()).find("silent") != std::string::npos);
    CHECK(printed(result<pci::address>(pci::address("3a:00.0"))) == "0000:3a:00.0");
}

TEST_CASE("the values of PCI print as they are written") {
    CHECK(printed(pci::address("10000:3a:1f.7")) == "10000:3a:1f.7");
    CHECK(printed(pci::vector_index(2)) == "vector 2");
    CHECK(printed(pci::irq_number(24)) == "irq 24");
    CHECK(printed(pci::bar_number(5)) == "BAR 5");
    CHECK(printed(pci::bus_address{0x10000}) == "0x10000");
    CHECK(printed(pci::irq_type::msix) == "msix");
    CHECK(printed(pci::irq_type::all) == "intx|msi|msix");
    CHECK(printed(pci::irq_types()) == "none");
    CHECK(printed(pci::irq_type::msi | pci::irq_type::virtual_entries) == "msi|virtual_entries");
    CHECK(printed(pci::irq_types(pci::irq_type(0x42U))) == "msi|0x40");
    CHECK(printed(pci::irq_return::handled) == "handled");
    CHECK(printed(pci::device_id{.vendor = 0x11f8, .device = 0x8534}) == "11f8:8534");
    CHECK(printed(pci::device_id{}) == "any:any");
    CHECK(printed(pci::device_id{.vendor = 0x1b36,
                                 .subsystem_vendor = 0x1af4,
                                 .class_code = 0x20000,
                                 .class_mask = 0xff0000,
                                 .driver_data = 0x1f}) ==
          "1b36:any subsystem 1af4:any class 020000/ff0000 driver_data 0x1f");
}

TEST_CASE("the books of a bus print, and so does what went wrong") {
    sim::bus bus;
    auto& function = bus.add({.vendor = 0x1b36, .device = 0x0006, .bar_sizes = {4096}});
    CHECK(printed(bus.ledger()) == "clean");
    bus.disable(function);
    const auto wrong = bus.ledger().violations();
    REQUIRE(wrong.size() == 1);
    CHECK(printed(wrong[0].kind) == "disabled_too_often");
    CHECK(printed(wrong[0]) == wrong[0].text);
    CHECK(printed(bus.ledger()) == "violation: " + wrong[0].text);
    CHECK(printed(hardware::violation_kind::memory_wrong_size) == "memory_wrong_size");
}

TEST_CASE("traces and calls print in words") {
    using namespace devres::testing;
    const trace_entry entry{.who = "03:00.0",
                            .step = trace_step::acquired,
                            .resource = "bar 0",
                            .owner = trace_owner::managed,
                            .detail = "\"registers\""};
    CHECK(printed(entry) == "03:00.0 acquired bar 0 managed \"registers\"");
    CHECK(printed(entry.step) == "acquired");
    CHECK(printed(entry.owner) == "managed");
    CHECK(printed(trace_owner::none) == "none");
    CHECK(printed(primitive::map_bar) == "map_bar");
    CHECK(printed(primitive_call{.what = primitive::map_bar, .number = 2, .name = "a"}) == "map_bar 2 \"a\"");
    trace_recorder trace;
    CHECK(printed(trace) == "");
    trace(entry);
    trace({.step = trace_step::detached});
    CHECK(printed(trace) == "03:00.0 acquired bar 0 managed \"registers\"\ndetached");
}

TEST_CASE("what a test framework shows of a value is what it prints") {
    CHECK(Catch::Detail::stringify(result<int>(fail(errc::eio))) == "EIO (input/output error)");
    CHECK(Catch::Detail::stringify(fail(errc::eio)) == "EIO (input/output error)");
    CHECK(Catch::Detail::stringify(errc::eio) == "EIO (input/output error)");
    CHECK(Catch::Detail::stringify(pci::address("3a:00.0")) == "0000:3a:00.0");
    CHECK(Catch::Detail::stringify(pci::irq_type::msix) == "msix");
}
