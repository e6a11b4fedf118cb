// SPDX-License-Identifier: BSL-1.0
#include <sstream>

#include "driver.hpp"
#include "support/catch.hpp"

using namespace test;

namespace {

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("the ledger names everything that is held") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 8, .bar_sizes = {4096}, .address = "0000:00:04.0"});
    CHECK(bus.ledger().clean());
    counter calls;
    {
        driver d(bus, f);
        auto region = bus.map_bar(f, pci::bar_number(0), "switchtec").value();
        REQUIRE(d.vectors(4, 4, irq_type::msix));
        d.handler(3, calls, "switchtec-event");
        const auto block = bus.allocate_dma(f, 8).value();
        void* const a = bus.allocate(512, 8);
        void* const b = bus.allocate(128, 8);
        CHECK(bus.ledger().live() == lines{
                                         "0000:00:04.0 driver attached",
                                         "0000:00:04.0 enabled",
                                         "0000:00:04.0 4 MSI-X vectors, irq 24-27",
                                         "0000:00:04.0 handler \"switchtec-event\" on vector 3",
                                         "0000:00:04.0 BAR 0 mapped as \"switchtec\"",
                                         "0000:00:04.0 DMA block of 4096 bytes at 0x10000000",
                                         "memory: 2 blocks, 640 bytes",
                                     });
        CHECK_FALSE(bus.ledger().clean());
        bus.deallocate(a, 512, 8);
        bus.deallocate(b, 128, 8);
        bus.free_dma(f, block);
        bus.unmap_bar(f, region);
    }
    CHECK(bus.ledger().clean());
    CHECK(bus.ledger().live() == lines{});
}

TEST_CASE("the ledger names INTx by its line") {
    sim::bus bus;
    driver d(bus, bus.add({.intx = true, .address = "0000:00:02.0"}));
    REQUIRE(d.vectors(1, 1, irq_type::intx));
    CHECK(bus.ledger().live().back() == "0000:00:02.0 1 INTx vector, irq 18");
}

TEST_CASE("a violation says where and what, and is taken once") {
    sim::bus bus;
    auto& f = bus.add({.address = "0000:00:04.0"});
    bus.disable(f);
    CHECK_FALSE(bus.ledger().clean());
    const auto wrong = bus.ledger().violations();
    REQUIRE(wrong.size() == 1);
    CHECK(wrong[0].kind == violation_kind::disabled_too_often);
    CHECK(wrong[0].address == f.address());
    CHECK(wrong[0].text == "0000:00:04.0 disabled, but it is not enabled");
    CHECK(bus.ledger().take_violations().size() == 1);
    CHECK(bus.ledger().clean());
}

TEST_CASE("a flood of violations is cut off") {
    sim::bus bus;
    auto& f = bus.add({});
    for (unsigned i = 0; i != 1500; ++i)
        bus.disable(f);
    CHECK(bus.ledger().violations().size() == 1000);
}

TEST_CASE("the ledger prints its verdict") {
    sim::bus bus;
    auto& f = bus.add({.address = "0000:00:04.0"});
    std::ostringstream clean;
    clean << bus.ledger();
    CHECK(clean.str() == "clean");
    bus.disable(f);
    REQUIRE(bus.attach(f));
    std::ostringstream out;
    out << bus.ledger();
    CHECK(out.str() == "held: 0000:00:04.0 driver attached\nviolation: 0000:00:04.0 disabled, but it is not enabled");
    bus.detach(f);
}
