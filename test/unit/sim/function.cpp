// SPDX-License-Identifier: BSL-1.0
#include <stdexcept>

#include "driver.hpp"
#include "support/catch.hpp"

using namespace test;
namespace reg = devres::pci::registers;

namespace {

/// Four bytes of registers: an identifier, a scratch register, a doorbell that raises, one that lowers INTx.
struct small_model : sim::device_model {
    unsigned resets = 0;
    unsigned removals = 0;
    std::uint64_t scratch = 0;
    sim::function* self = nullptr;

    void attached(sim::function& f) override { self = &f; }
    void reset(sim::function&) override {
        ++resets;
        scratch = 0;
    }
    void removed(sim::function&) override { ++removals; }
    std::uint64_t read(sim::function& f, pci::bar_number bar, std::uint64_t offset, unsigned width) override {
        if (bar != pci::bar_number(0))
            return device_model::read(f, bar, offset, width);
        return offset == 0 ? 0xfeed : scratch;
    }
    void write(sim::function& f, pci::bar_number bar, std::uint64_t offset, unsigned width,
               std::uint64_t value) override {
        if (bar != pci::bar_number(0))
            device_model::write(f, bar, offset, width, value);
        else if (offset == 4)
            scratch = value;
        else if (offset == 8)
            f.raise(static_cast<unsigned>(value));
        else if (offset == 12)
            f.lower_intx();
    }
};

}  // namespace

TEST_CASE("a function says what it was configured to be") {
    sim::bus bus;
    auto& f = bus.add({.vendor = 0x11f8,
                       .device = 0x8531,
                       .class_code = 0x058000,
                       .revision = 3,
                       .subsystem_vendor = 1,
                       .subsystem_device = 2});
    CHECK(
        bus.id(f) ==
        pci::device_id{
            .vendor = 0x11f8, .device = 0x8531, .subsystem_vendor = 1, .subsystem_device = 2, .class_code = 0x058000});
    CHECK(f.read_config(reg::revision, 1) == 3U);
    CHECK(f.read_config(0, 4) == 0x8531'11f8U);
    CHECK(f.read_config(1, 2).error() == errc::einval);
    CHECK(f.write_config(4096, 1, 0).error() == errc::einval);
    REQUIRE(f.write_config(0, 4, 0));
    CHECK(f.read_config(0, 4) == 0x8531'11f8U);
}

TEST_CASE("a function has the capabilities it was configured with, in a list that can be walked") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 9, .msi_vectors = 8, .vendor_capability = {0xca, 0xfe}});
    driver d(bus, f);
    CHECK(d.capability(reg::capability_id::power_management) != 0);
    const unsigned msi = d.capability(reg::capability_id::msi);
    REQUIRE(msi != 0);
    CHECK((d.config(msi + 2, 2) >> 1U & 7U) == 3);
    const unsigned msix = d.capability(reg::capability_id::msix);
    REQUIRE(msix != 0);
    CHECK((d.config(msix + 2, 2) & 0x7ffU) == 8);
    CHECK(d.capability(reg::capability_id::pcie) != 0);
    const unsigned vendor = d.capability(reg::capability_id::vendor_specific);
    REQUIRE(vendor != 0);
    CHECK(d.config(vendor + 2, 1) == 5);
    CHECK(d.config(vendor + 3, 1) == 0xca);
    CHECK(d.config(0x100, 4) == 0x0001'0003);  // one extended capability, and the end of their list
}

TEST_CASE("a BAR's size is found by writing all ones") {
    sim::bus bus;
    auto& f = bus.add({.bar_sizes = {1U << 20U, 64, std::uint64_t{8} << 30U}, .io_bars = 2});
    driver d(bus, f);
    const auto sized = [&](unsigned bar) {
        const std::uint32_t before = d.config(reg::bar + 4 * bar, 4);
        d.config(reg::bar + 4 * bar, 4, 0xffff'ffff);
        const std::uint32_t mask = d.config(reg::bar + 4 * bar, 4);
        d.config(reg::bar + 4 * bar, 4, before);
        CHECK(d.config(reg::bar + 4 * bar, 4) == before);
        return mask;
    };
    CHECK(sized(0) == 0xfff0'0000);
    CHECK(sized(1) == 0xffff'ffc1);
    CHECK(sized(2) == 0x0000'0004);
    CHECK(sized(3) == 0xffff'fffe);
    CHECK(sized(4) == 0);
}

TEST_CASE("a BAR without a model is plain memory") {
    sim::bus bus;
    auto& f = bus.add({.bar_sizes = {0, 0, std::uint64_t{1} << 30U}});
    driver d(bus, f);
    auto region = bus.map_bar(f, pci::bar_number(2), "big").value();
    bus.write<std::uint64_t>(region, (std::size_t{1} << 30U) - 8, 0x1122'3344'5566'7788);
    CHECK(bus.read<std::uint16_t>(region, (std::size_t{1} << 30U) - 8) == 0x7788);
    CHECK(bus.read<std::uint8_t>(region, 0) == 0);
    CHECK(f.memory(pci::bar_number(2)).resident() == 4096);
    bus.unmap_bar(f, region);
}

TEST_CASE("a model answers for its registers, and raises its vectors") {
    sim::bus bus;
    small_model model;
    auto& f = bus.add({.msix_vectors = 2, .bar_sizes = {4096, 4096}, .model = &model});
    CHECK(model.self == &f);
    driver d(bus, f);
    counter calls;
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    d.handler(1, calls);
    auto region = bus.map_bar(f, pci::bar_number(0), "small").value();
    CHECK(bus.read<std::uint32_t>(region, 0) == 0xfeed);
    bus.write<std::uint32_t>(region, 4, 77);
    CHECK(bus.read<std::uint32_t>(region, 4) == 77);
    bus.write<std::uint32_t>(region, 8, 1);
    CHECK(calls.calls == 1);
    auto plain = bus.map_bar(f, pci::bar_number(1), "plain").value();
    bus.write<std::uint32_t>(plain, 0, 5);
    CHECK(bus.read<std::uint32_t>(plain, 0) == 5);
    bus.unmap_bar(f, plain);
    bus.unmap_bar(f, region);
}

TEST_CASE("the MSI-X table and pending bits are bytes of a BAR") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 4, .msix_table_bar = 0, .msix_table_offset = 0x800, .msix_pba_offset = 0xc00});
    driver d(bus, f);
    REQUIRE(f.bar_size(pci::bar_number(0)) == 4096);
    auto region = bus.map_bar(f, pci::bar_number(0), "table").value();
    CHECK(bus.read<std::uint32_t>(region, 0x800 + 12) == 1);
    REQUIRE(d.vectors(4, 4, irq_type::msix));
    counter calls;
    d.handler(2, calls);
    const auto base = bus.vector_number(f, 2).value();
    CHECK(bus.read<std::uint64_t>(region, 0x820) == 0xfee0'0000);
    CHECK(bus.read<std::uint32_t>(region, 0x828) == base);
    CHECK(bus.read<std::uint32_t>(region, 0x82c) == 0);

    bus.write<std::uint32_t>(region, 0x82c, 1);
    f.raise(2);
    CHECK(calls.calls == 0);
    CHECK(bus.read<std::uint64_t>(region, 0xc00) == 4);
    bus.write<std::uint64_t>(region, 0xc00, 0);  // read-only
    CHECK(bus.read<std::uint64_t>(region, 0xc00) == 4);
    bus.write<std::uint32_t>(region, 0x82c, 0);
    CHECK(calls.calls == 1);
    CHECK(bus.read<std::uint64_t>(region, 0xc00) == 0);

    bus.write<std::uint32_t>(region, 0x800, 0x123);  // elsewhere it is plain memory
    bus.write<std::uint32_t>(region, 0x7fc, 0x123);
    CHECK(bus.read<std::uint32_t>(region, 0x7fc) == 0x123);
    bus.unmap_bar(f, region);
    (void)bus.free_vectors(f);
    CHECK(f.state().msix_table == std::vector<std::uint32_t>{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1});
}

TEST_CASE("a removed device reads as all ones, ignores writes and does not interrupt") {
    sim::bus bus;
    small_model model;
    auto& f = bus.add({.msix_vectors = 2, .bar_sizes = {4096}, .model = &model});
    counter calls;
    {
        driver d(bus, f);
        REQUIRE(d.vectors(1, 2, irq_type::msix));
        d.handler(0, calls);
        auto region = bus.map_bar(f, pci::bar_number(0), "small").value();
        f.surprise_remove();
        f.surprise_remove();
        CHECK(model.removals == 1);
        CHECK(bus.read<std::uint32_t>(region, 0) == 0xffff'ffff);
        bus.write<std::uint32_t>(region, 4, 1);
        CHECK(model.scratch == 0);
        CHECK(d.config(0, 2) == 0xffff);
        CHECK(d.config(0, 4) == 0xffff'ffff);
        d.config(reg::command, 2, 0);
        f.raise(0);
        CHECK(calls.calls == 0);
        CHECK(f.lost().gone == 1);
        std::uint32_t word = 0;
        CHECK_FALSE(f.dma_read(pci::bus_address{0x1000'0000}, &word, 4));
        CHECK(bus.enable(f).error() == errc::enodev);
        CHECK(bus.suspend(f).error() == errc::enodev);
        bus.unmap_bar(f, region);
    }
    CHECK(bus.attach(f).error() == errc::enodev);
    CHECK(bus.ledger().clean());
}

TEST_CASE("a new device in the slot is as the first one was") {
    sim::bus bus;
    small_model model;
    auto& f = bus.add({.msix_vectors = 2, .msi_vectors = 2, .intx = true, .bar_sizes = {4096, 4096}, .model = &model});
    const auto before = f.state();
    CHECK_THROWS_AS(f.insert(), std::logic_error);
    {
        driver d(bus, f);
        REQUIRE(d.vectors(1, 2, irq_type::msix));
        d.config(reg::cache_line_size, 1, 16);
        f.memory(pci::bar_number(1)).write(0, 4, 1);
        f.surprise_remove();
        CHECK(difference(before, f.state()) != "");
        CHECK_THROWS_AS(f.insert(), std::logic_error);
    }
    f.insert();
    CHECK(difference(before, f.state()) == "");
    CHECK(model.resets == 1);
    CHECK(f.memory(pci::bar_number(1)).read(0, 4) == 0);
    const driver again(bus, f);
}

TEST_CASE("a function-level reset starts the function over") {
    sim::bus bus;
    small_model model;
    auto& f = bus.add({.msix_vectors = 2, .model = &model});
    const auto before = f.state().config;
    driver d(bus, f);
    const unsigned pcie = d.capability(reg::capability_id::pcie);
    d.config(pcie + reg::pcie::device_control, 2, 0x0810);
    CHECK(d.config(pcie + reg::pcie::device_control, 2) == 0x0810);
    d.config(pcie + reg::pcie::device_control, 2, 0x8810);
    CHECK(model.resets == 1);
    CHECK(f.state().config == before);
}

TEST_CASE("in D3hot a function answers for its configuration space only") {
    sim::bus bus;
    small_model model;
    auto& f = bus.add({.msix_vectors = 2, .intx = true, .bar_sizes = {4096}, .model = &model});
    driver d(bus, f);
    REQUIRE(d.vectors(1, 1, irq_type::msix));
    counter calls;
    d.handler(0, calls);
    auto region = bus.map_bar(f, pci::bar_number(0), "small").value();
    const unsigned control = d.capability(reg::capability_id::power_management) + reg::power_management::control;
    d.config(control, 2, 3);
    CHECK(bus.read<std::uint32_t>(region, 0) == 0xffff'ffff);
    CHECK(d.config(0, 2) == 0x1234);
    f.raise(0);
    CHECK(calls.calls == 0);
    d.config(control, 2, 0);
    CHECK(bus.read<std::uint32_t>(region, 0) == 0xfeed);
    f.raise(0);
    CHECK(calls.calls == 1);
    bus.unmap_bar(f, region);
    CHECK(model.resets == 0);
}

TEST_CASE("suspend and resume keep vectors and registers, also of a function that D3hot resets") {
    for (const bool keeps : {true, false}) {
        CAPTURE(keeps);
        sim::bus bus;
        small_model model;
        auto& f = bus.add({.msix_vectors = 3, .bar_sizes = {4096}, .model = &model, .no_soft_reset = keeps});
        driver d(bus, f);
        REQUIRE(d.vectors(3, 3, irq_type::msix));
        counter calls;
        d.handler(2, calls);
        d.config(reg::cache_line_size, 1, 8);
        const auto before = f.state();
        REQUIRE(bus.suspend(f));
        CHECK(bus.suspend(f).error() == errc::einval);
        f.raise(2);
        CHECK(calls.calls == 0);
        REQUIRE(bus.resume(f));
        CHECK(bus.resume(f).error() == errc::einval);
        CHECK(model.resets == (keeps ? 0 : 1));
        CHECK(difference(before, f.state()) == "");
        f.raise(2);
        CHECK(calls.calls == 1);
    }
}

TEST_CASE("a device reaches the driver's memory while it is bus master, and only that") {
    sim::bus bus;
    auto& f = bus.add({});
    auto& other = bus.add({});
    driver d(bus, f);
    driver d2(bus, other);
    auto block = bus.allocate_dma(f, 64).value();
    const std::uint32_t sent = 0xabad'1dea;
    CHECK(f.dma_write(block.bus, &sent, sizeof(sent)));
    CHECK(*static_cast<std::uint32_t*>(block.cpu) == sent);
    CHECK(bus.ledger().violations().empty());

    std::uint32_t received = 0;
    CHECK_FALSE(other.dma_read(block.bus, &received, sizeof(received)));
    CHECK(kinds(bus) == only(violation_kind::dma_fault));
    REQUIRE(bus.set_master(f, false));
    CHECK_FALSE(f.dma_read(block.bus, &received, sizeof(received)));
    CHECK(kinds(bus) == only(violation_kind::dma_fault));
    REQUIRE(bus.set_master(f, true));
    CHECK(f.dma_read(block.bus, &received, sizeof(received)));
    CHECK(received == sent);
    bus.free_dma(f, block);
    CHECK_FALSE(f.dma_write(block.bus, &sent, sizeof(sent)));
    CHECK(kinds(bus) == only(violation_kind::dma_fault));
}
