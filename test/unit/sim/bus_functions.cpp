// SPDX-License-Identifier: BSL-1.0
#include <stdexcept>

#include <devres/any_platform.hpp>
#include <devres/testing/faulty.hpp>

#include "driver.hpp"
#include "support/catch.hpp"

using namespace test;
namespace reg = devres::pci::registers;

namespace {

std::string why_not(const sim::function_config& config) {
    sim::bus bus;
    try {
        bus.add(config);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("functions are found by address") {
    sim::bus bus;
    auto& f = bus.add({.address = "0000:3a:00.0"});
    CHECK(&bus.at("0000:3a:00.0") == &f);
    CHECK(&bus.at("3a:00.0") == &f);
    CHECK(bus.find("3a:00.1") == nullptr);
    CHECK_THROWS_WITH(bus.at("0001:3a:00.1"), "no function at 0001:3a:00.1");
}

TEST_CASE("a bridge has no subsystem ids where other functions have theirs") {
    sim::bus bus;
    sim::dumped_function bridge;
    bridge.config.resize(64);
    bridge.config[0] = 1;
    bridge.config[reg::header_type] = 1;
    bridge.config[reg::subsystem_id] = 9;  // a part of the prefetchable window
    CHECK(bus.id(bus.add(bridge)).subsystem_device == 0);
}

TEST_CASE("functions without an address get the next device numbers") {
    sim::bus bus;
    bus.add({.address = "00:02.0"});
    CHECK(bus.add({}).address() == sim::address("00:01.0"));
    CHECK(bus.add({}).address() == sim::address("00:03.0"));
    for (unsigned i = 4; i != 32; ++i)
        bus.add({});
    CHECK(bus.add({}).address() == sim::address("01:00.0"));
    CHECK(bus.functions().size() == 32);
}

TEST_CASE("a function that cannot be is refused with the field, the value and what would be right") {
    CHECK(why_not({.msix_vectors = 4096}) == "function_config.msix_vectors is 4096: must be 0 to 2048");
    CHECK(why_not({.msi_vectors = 3}) == "function_config.msi_vectors is 3: must be 0, 1, 2, 4, 8, 16 or 32");
    CHECK(contains(why_not({.msi_vectors = 64}), "msi_vectors is 64"));
    CHECK(contains(why_not({.class_code = 0x1000000}), "class_code"));
    CHECK(contains(why_not({.bar_sizes = {4096, 1000}}), "bar_sizes[1] is 1000: must be 0 or a power of two"));
    CHECK(contains(why_not({.bar_sizes = {8}}), "bar_sizes[0] is 8"));
    CHECK(contains(why_not({.msix_vectors = 1, .bar_sizes = {16, 16, 16, 16, 16, 16}}), "no BAR is left"));
    CHECK(contains(why_not({.bar_sizes = {std::uint64_t{4} << 30U, 4096}}), "bar_sizes[0]"));
    CHECK(contains(why_not({.bar_sizes = {0, 0, 0, 0, 0, std::uint64_t{4} << 30U}}), "bar_sizes[5]"));
    CHECK(contains(why_not({.bar_sizes = {1U << 20U}, .io_bars = 1}), "I/O"));
    CHECK(contains(why_not({.msix_vectors = 64, .bar_sizes = {512}, .msix_table_bar = 0}), "msix_table_bar"));
    CHECK(contains(why_not({.msix_vectors = 4, .msix_table_bar = 6}), "msix_table_bar is 6"));
    CHECK(contains(why_not({.msix_vectors = 4, .msix_table_offset = 4}), "msix_table_offset is 4"));
    CHECK(contains(why_not({.msix_vectors = 4, .msix_pba_offset = 8}), "overlap"));
    CHECK(contains(why_not({.vendor_capability = std::vector<std::uint8_t>(78)}), "vendor_capability"));
    CHECK(why_not({.msix_vectors = 2048,
                   .msi_vectors = 32,
                   .intx = true,
                   .bar_sizes = {16, 16, 16, 16, 16},
                   .vendor_capability = std::vector<std::uint8_t>(77)}) == "");
    sim::bus bus;
    bus.add({.address = "00:01.0"});
    CHECK_THROWS_WITH(bus.add({.address = "00:01.0"}),
                      "function_config.address is 0000:00:01.0: must be one that no function of the bus has");
}

TEST_CASE("a function has one driver at a time") {
    sim::bus bus;
    auto& f = bus.add({});
    REQUIRE(bus.attach(f));
    CHECK(bus.attach(f).error() == errc::ebusy);
    bus.detach(f);
    REQUIRE(bus.attach(f));
    bus.detach(f);
    CHECK(bus.ledger().clean());
    bus.detach(f);
    CHECK(kinds(bus) == only(violation_kind::detached_without_driver));
}

TEST_CASE("enable is counted, and the last disable puts COMMAND back") {
    sim::bus bus;
    auto& f = bus.add({.bar_sizes = {4096, 16}, .io_bars = 2});
    const auto before = f.state();
    REQUIRE(bus.attach(f));
    REQUIRE(bus.enable(f));
    REQUIRE(bus.enable(f));
    REQUIRE(bus.set_master(f, true));
    CHECK(f.read_config(reg::command, 2) == 7U);
    bus.disable(f);
    CHECK(f.read_config(reg::command, 2) == 7U);
    CHECK(bus.ledger().live() == std::vector<std::string>{"0000:00:01.0 driver attached", "0000:00:01.0 enabled"});
    bus.disable(f);
    CHECK(difference(before, f.state()) == "");
    CHECK(bus.ledger().violations().empty());
    bus.disable(f);
    CHECK(kinds(bus) == only(violation_kind::disabled_too_often));
    bus.detach(f);
}

TEST_CASE("the last disable waits until no BAR is mapped and no vector allocated") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2, .bar_sizes = {4096}});
    REQUIRE(bus.attach(f));
    const auto before = f.state();
    REQUIRE(bus.enable(f));
    REQUIRE(bus.set_master(f, true));
    auto bar = bus.map_bar(f, pci::bar_number(0), "bar");
    REQUIRE(bar);
    REQUIRE(bus.allocate_vectors(f, {1, 2, irq_type::msix, nullptr}));
    bus.disable(f);
    CHECK((*f.read_config(reg::command, 2) & 6U) == 6U);
    bus.write<std::uint32_t>(*bar, 8, 42);
    CHECK(bus.read<std::uint32_t>(*bar, 8) == 42);

    SECTION("the BAR goes last") {
        REQUIRE(bus.free_vectors(f));
        CHECK((*f.read_config(reg::command, 2) & 6U) == 6U);
        bus.unmap_bar(f, *bar);
        CHECK(difference(before, f.state()) == "");
    }
    SECTION("the vectors go last") {
        bus.unmap_bar(f, *bar);
        CHECK((*f.read_config(reg::command, 2) & 6U) == 6U);
        REQUIRE(bus.free_vectors(f));
        CHECK(difference(before, f.state()) == "");
    }
    SECTION("a new enable takes its place") {
        REQUIRE(bus.enable(f));
        REQUIRE(bus.free_vectors(f));
        bus.unmap_bar(f, *bar);
        CHECK((*f.read_config(reg::command, 2) & 6U) == 6U);
        bus.disable(f);
        CHECK(difference(before, f.state()) == "");
    }
    SECTION("the device has been pulled out") {
        f.surprise_remove();
        bus.unmap_bar(f, *bar);
        REQUIRE(bus.free_vectors(f));
    }
    bus.detach(f);
    CHECK(bus.ledger().clean());
}

TEST_CASE("detach with anything held is a violation") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2});
    REQUIRE(bus.attach(f));
    REQUIRE(bus.enable(f));
    REQUIRE(bus.allocate_vectors(f, {1, 2, irq_type::msix, nullptr}));
    bus.disable(f);
    bus.detach(f);
    const auto wrong = bus.ledger().take_violations();
    REQUIRE(wrong.size() == 1);
    CHECK(wrong[0].kind == violation_kind::detached_with_resources);
    CHECK(wrong[0].address == f.address());
    CHECK(contains(wrong[0].text, "2 MSI-X vectors"));
    REQUIRE(bus.free_vectors(f));
}

TEST_CASE("a BAR is mapped once, and what is not there cannot be") {
    sim::bus bus;
    auto& f = bus.add({.bar_sizes = {4096, 0, std::uint64_t{4} << 30U}});
    driver d(bus, f);
    auto region = bus.map_bar(f, pci::bar_number(0), "a").value();
    CHECK(bus.bar_size(region) == 4096);
    CHECK(bus.map_bar(f, pci::bar_number(0), "b").error() == errc::ebusy);
    CHECK(bus.map_bar(f, pci::bar_number(1), "b").error() == errc::einval);
    CHECK(bus.map_bar(f, pci::bar_number(3), "b").error() == errc::einval);  // the upper half of BAR 2
    CHECK(bus.map_bar(f, pci::bar_number(6), "b").error() == errc::einval);
    bus.unmap_bar(f, region);
    CHECK(bus.ledger().violations().empty());
    bus.unmap_bar(f, region);
    CHECK(kinds(bus) == only(violation_kind::unmapped_twice));
    auto again = bus.map_bar(f, pci::bar_number(0), "c").value();
    bus.unmap_bar(f, region);  // an old region does not end a new mapping
    CHECK(kinds(bus) == only(violation_kind::unmapped_twice));
    bus.unmap_bar(f, again);
}

TEST_CASE("what a BAR is, is known before it is enabled or mapped, on every platform that is made of this hardware") {
    sim::bus bus;
    auto& f = bus.add({.bar_sizes = {4096, 0, 0x10000}});
    const auto start = [&](unsigned bar) {
        return pci::bus_address{*f.read_config(reg::bar + 4 * bar, 4) & ~std::uint32_t{15}};
    };
    const auto first = bus.describe_bar(f, pci::bar_number(0)).value();
    CHECK(first == pci::bar_resource{.start = start(0), .size = 4096});
    CHECK(bus.describe_bar(f, pci::bar_number(2)).value().size == 0x10000);
    CHECK(bus.describe_bar(f, pci::bar_number(1)).error() == errc::einval);
    CHECK(bus.describe_bar(f, pci::bar_number(6)).error() == errc::einval);
    devres::testing::faulty faulty(bus);
    CHECK(faulty.describe_bar(f, pci::bar_number(0)).value() == first);
    pci::erased erased(bus);
    pci::erased_function one(erased, f);
    CHECK(one.platform().describe_bar(one, pci::bar_number(0)).value() == first);
}

TEST_CASE("the register of a BAR says what it is") {
    using pci::bar_resource_of, pci::bar_resource, pci::bus_address;
    STATIC_REQUIRE(bar_resource_of(0xe001, 7, 32) ==
                   bar_resource{.start = bus_address{0xe000}, .size = 32, .io = true});
    STATIC_REQUIRE(bar_resource_of(0xf000'0000, 7, 4096) ==
                   bar_resource{.start = bus_address{0xf000'0000}, .size = 4096});
    STATIC_REQUIRE(bar_resource_of(0xf000'000c, 7, 4096) ==
                   bar_resource{.start = bus_address{0x7'f000'0000}, .size = 4096, .prefetchable = true, .wide = true});
}

TEST_CASE("accesses that real hardware would not forgive are violations and read as all ones") {
    sim::bus bus;
    auto& f = bus.add({.bar_sizes = {16}});
    driver d(bus, f);
    auto region = bus.map_bar(f, pci::bar_number(0), "a").value();
    CHECK(bus.read<std::uint32_t>(region, 12) == 0);
    CHECK(bus.read<std::uint64_t>(region, 12) == ~std::uint64_t{0});
    CHECK(kinds(bus) == only(violation_kind::access_out_of_range));
    CHECK(bus.read<std::uint32_t>(region, ~std::size_t{0} - 3) == ~0U);
    CHECK(kinds(bus) == only(violation_kind::access_out_of_range));
    bus.write<std::uint8_t>(region, 16, 1);
    CHECK(kinds(bus) == only(violation_kind::access_out_of_range));
    CHECK(bus.read<std::uint16_t>(region, 3) == 0xffff);
    CHECK(kinds(bus) == only(violation_kind::access_misaligned));

    const std::uint32_t command = d.config(reg::command, 2);
    d.config(reg::command, 2, command & ~reg::command_bits::memory);
    CHECK(bus.read<std::uint8_t>(region, 0) == 0xff);
    CHECK(kinds(bus) == only(violation_kind::access_not_decoded));
    d.config(reg::command, 2, command);

    const sim::region copy = region;
    bus.unmap_bar(f, region);
    CHECK(bus.read<std::uint8_t>(copy, 0) == 0xff);
    CHECK(kinds(bus) == only(violation_kind::used_after_unmap));
    CHECK(bus.read<std::uint8_t>(sim::region(), 0) == 0xff);
    CHECK(kinds(bus) == only(violation_kind::used_after_unmap));
}

TEST_CASE("a DMA block is freed once") {
    sim::bus bus;
    auto& f = bus.add({});
    driver d(bus, f);
    const auto block = bus.allocate_dma(f, 5000).value();
    CHECK(block.size == 8192);
    CHECK(bus.allocate_dma(f, SIZE_MAX).error() == errc::enomem);
    bus.free_dma(f, block);
    CHECK(bus.ledger().violations().empty());
    bus.free_dma(f, block);
    CHECK(kinds(bus) == only(violation_kind::dma_freed_twice));
}

TEST_CASE("mapped memory is held until it is unmapped, once") {
    sim::bus bus;
    auto& f = bus.add({});
    char memory[100] = {};
    const auto mapping = bus.map_dma(f, memory, sizeof(memory)).value();
    CHECK(mapping.size == sizeof(memory));
    CHECK(bus.ledger().live().at(0).starts_with("0000:00:01.0 DMA mapping of 100 bytes at 0x"));
    CHECK(bus.map_dma(f, memory, SIZE_MAX).error() == errc::enomem);
    bus.free_dma(f, mapping);  // it is not the platform's memory
    CHECK(kinds(bus) == only(violation_kind::dma_freed_twice));
    bus.unmap_dma(f, mapping);
    CHECK(bus.ledger().live().empty());
    CHECK(bus.ledger().clean());
    bus.unmap_dma(f, mapping);
    CHECK(kinds(bus) == only(violation_kind::dma_unmapped_twice));
}

TEST_CASE("a driver that leaves in suspend leaves the function in D0") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2});
    const auto before = f.state();
    {
        driver d(bus, f);
        REQUIRE(bus.suspend(f));
    }
    CHECK(difference(before, f.state()) == "");
}

TEST_CASE("what a driver gives back in suspend does not come back with resume") {
    for (const irq_type type : {irq_type::msix, irq_type::msi, irq_type::intx}) {
        sim::bus bus;
        auto& f = bus.add({.msix_vectors = 2, .msi_vectors = 2, .intx = true, .bar_sizes = {4096}});
        const auto before = f.state();
        REQUIRE(bus.attach(f));
        REQUIRE(bus.enable(f));
        REQUIRE(bus.set_master(f, true));
        REQUIRE(bus.allocate_vectors(f, {1, 2, type, nullptr}));
        REQUIRE(bus.suspend(f));
        REQUIRE(bus.free_vectors(f));
        bus.disable(f);
        REQUIRE(bus.resume(f));
        bus.detach(f);
        CHECK(difference(before, f.state()) == "");
        CHECK(bus.ledger().clean());
    }
}

TEST_CASE("a function that is left bus master is a violation, and not one that was made so by nobody") {
    sim::bus bus;
    auto& f = bus.add({});
    REQUIRE(bus.attach(f));
    REQUIRE(bus.enable(f));
    REQUIRE(bus.set_master(f, true));
    bus.disable(f);
    bus.detach(f);
    CHECK(bus.ledger().clean());

    REQUIRE(bus.attach(f));
    REQUIRE(bus.set_master(f, true));
    bus.detach(f);
    const auto wrong = bus.ledger().take_violations();
    REQUIRE(wrong.size() == 1);
    CHECK(wrong[0].kind == violation_kind::detached_with_master);
    CHECK(contains(wrong[0].text, "set_master(false)"));

    REQUIRE(bus.attach(f));  // it is master still, as somebody left it
    bus.detach(f);
    REQUIRE(bus.attach(f));
    REQUIRE(bus.set_master(f, true));
    f.surprise_remove();
    bus.detach(f);
    CHECK(bus.ledger().clean());
}

namespace {

/// A handler that reads and writes a register of each BAR it is given.
struct register_user {
    sim::bus& bus;
    std::vector<sim::region> regions{};
    unsigned calls = 0;

    static irq_return on_irq(void* context, pci::vector_index) noexcept {
        auto& self = *static_cast<register_user*>(context);
        for (const sim::region& region : self.regions) {
            (void)self.bus.read<std::uint32_t>(region, 0);
            self.bus.write<std::uint32_t>(region, 0, 1);
        }
        ++self.calls;
        return irq_return::handled;
    }
    [[nodiscard]] pci::irq_action action(const char* name, std::uint8_t keeps_off = 0) noexcept {
        return {&on_irq, this, name, keeps_off};
    }
};

std::vector<std::string> texts(sim::bus& bus) {
    std::vector<std::string> out;
    for (const sim::violation& wrong : bus.ledger().take_violations())
        out.push_back(wrong.text);
    return out;
}

}  // namespace

TEST_CASE("a handler that uses a BAR younger than itself is told of, once for each") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2, .bar_sizes = {4096, 4096, 4096}});
    driver d(bus, f);
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    const auto map = [&](unsigned bar) { return bus.map_bar(f, pci::bar_number(bar), "regs").value(); };
    register_user user{bus};
    user.regions.push_back(map(0));
    auto id = bus.register_handler(f, 0, user.action("first")).value();
    f.raise(0);
    CHECK(bus.ledger().violations().empty());
    user.regions.push_back(map(1));
    user.regions.push_back(map(2));
    f.raise(0);
    f.raise(0);
    const auto younger = [](const char* handler, const char* bar) {
        return std::string("0000:00:01.0 handler \"") + handler + "\" reads BAR " + bar +
               ", which is younger than the handler and may go before it: request the handler after what it uses";
    };
    CHECK(texts(bus) == std::vector{younger("first", "1"), younger("first", "2")});
    REQUIRE(bus.unregister_handler(f, id));
    id = bus.register_handler(f, 0, user.action("second")).value();
    f.raise(0);
    CHECK(bus.ledger().violations().empty());
    bus.unmap_bar(f, user.regions[0]);
    user.regions[0] = map(0);  // another one, and younger
    f.raise(0);
    CHECK(kinds(bus) == only(violation_kind::bar_younger_than_handler));
    for (sim::region& region : user.regions) {
        (void)bus.read<std::uint32_t>(region, 0);  // not in a handler
        bus.unmap_bar(f, region);
    }
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("a handler that uses a BAR it is said to keep off is told of, once for each") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2, .bar_sizes = {4096, 4096, 4096}});
    driver d(bus, f);
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    register_user user{bus};
    for (unsigned bar = 0; bar != 3; ++bar)
        user.regions.push_back(bus.map_bar(f, pci::bar_number(bar), "regs").value());
    REQUIRE(bus.register_handler(f, 0, user.action("keeps off", 0b101)));
    REQUIRE(bus.register_handler(f, 1, user.action("does not")));
    f.raise(0);
    f.raise(0);
    f.raise(1);
    const auto kept_off = [](const char* bar) {
        return std::string("0000:00:01.0 handler \"keeps off\" reads BAR ") + bar +
               ", which its driver's table says it keeps off: take the BAR out of irq_handler.without, or out of the "
               "handler";
    };
    CHECK(texts(bus) == std::vector{kept_off("0"), kept_off("2")});
    CHECK(user.calls == 3);
    for (sim::region& region : user.regions)
        bus.unmap_bar(f, region);
}

TEST_CASE("what a handler uses of another function is no matter of its own age") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 1});
    auto& other = bus.add({.bar_sizes = {4096}});
    driver d(bus, f);
    driver d2(bus, other);
    REQUIRE(d.vectors(1, 1, irq_type::msix));
    register_user user{bus};
    REQUIRE(bus.register_handler(f, 0, user.action("first", 0b1)));
    user.regions.push_back(bus.map_bar(other, pci::bar_number(0), "regs").value());
    f.raise(0);
    CHECK(bus.ledger().violations().empty());
    bus.unmap_bar(other, user.regions[0]);
}
