// SPDX-License-Identifier: BSL-1.0
#include "driver.hpp"
#include "support/catch.hpp"

using namespace test;
namespace reg = devres::pci::registers;

namespace {

/// A handler whose device keeps INTx asserted until it is told, some calls later.
struct level_model : sim::device_model {
    sim::function* self = nullptr;
    unsigned calls = 0;
    unsigned lower_at = 1;
    irq_return answer = irq_return::handled;

    void attached(sim::function& f) override { self = &f; }
    static irq_return on_irq(void* context, pci::vector_index) noexcept {
        auto& model = *static_cast<level_model*>(context);
        if (++model.calls >= model.lower_at)
            model.self->lower_intx();
        return model.answer;
    }
};

unsigned interrupt_status(driver& d) { return d.config(reg::status, 2) & reg::status_bits::interrupt; }

}  // namespace

TEST_CASE("MSI-X delivers to the handler of the vector") {
    sim::bus bus;
    driver d(bus, bus.add({.msix_vectors = 8}));
    REQUIRE(d.vectors(1, 8, irq_type::msix)->count == 8);
    counter calls[8];
    for (unsigned i = 0; i != 8; ++i)
        d.handler(i, calls[i]);
    for (unsigned i = 0; i != 8; ++i) {
        d.function.raise(i);
        CHECK(calls[i].calls == 1);
        CHECK(calls[i].last == i);
    }
    d.function.raise(8);
    CHECK(d.function.lost().no_vector == 1);
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("the function mask holds interrupts back, one each, until it is lifted") {
    sim::bus bus;
    driver d(bus, bus.add({.msix_vectors = 4}));
    REQUIRE(d.vectors(4, 4, irq_type::msix));
    counter calls;
    d.handler(1, calls);
    const unsigned control = d.capability(reg::capability_id::msix) + 2;
    d.config(control, 2, reg::msix::enable | reg::msix::function_mask);
    d.function.raise(1);
    d.function.raise(1);
    CHECK(calls.calls == 0);
    d.config(control, 2, reg::msix::enable);
    CHECK(calls.calls == 1);
}

TEST_CASE("what is pending when MSI-X is switched off is forgotten") {
    sim::bus bus;
    driver d(bus, bus.add({.msix_vectors = 4}));
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    d.function.raise(3);  // not granted, so masked
    CHECK(d.function.state().msix_pending == std::vector<std::uint64_t>{8});
    REQUIRE(bus.free_vectors(d.function));
    CHECK(d.function.state().msix_pending == std::vector<std::uint64_t>{0});
}

TEST_CASE("messages are not sent while the function is no bus master") {
    for (const irq_type type : {irq_type::msix, irq_type::msi}) {
        sim::bus bus;
        driver d(bus, bus.add({.msix_vectors = 4, .msi_vectors = 4}));
        REQUIRE(d.vectors(1, 4, type));
        counter calls;
        d.handler(0, calls);
        REQUIRE(bus.set_master(d.function, false));
        d.function.raise(0);
        CHECK(calls.calls == 0);
        CHECK(d.function.lost().no_master == 1);
        d.config(reg::command, 2, reg::command_bits::master);
        d.function.raise(0);
        CHECK(calls.calls == 1);
    }
}

TEST_CASE("MSI puts the vector into the low bits of its data") {
    sim::bus bus;
    driver d(bus, bus.add({.msi_vectors = 8}));
    REQUIRE(d.vectors(1, 5, irq_type::msi)->count == 5);
    const unsigned msi = d.capability(reg::capability_id::msi);
    CHECK((d.config(msi + 2, 2) & 1U) == 1);
    CHECK((d.config(msi + 2, 2) >> 4U & 7U) == 3);  // enabled: 8, the next power of two
    CHECK(d.config(msi + 12, 2) == bus.vector_number(d.function, 0).value());
    CHECK(d.config(msi + 12, 2) % 8 == 0);
    counter calls;
    d.handler(4, calls);
    d.function.raise(4);
    CHECK(calls.calls == 1);
    CHECK(calls.last == 4);
}

TEST_CASE("an MSI vector that is masked stays pending until it is not") {
    sim::bus bus;
    driver d(bus, bus.add({.msi_vectors = 4}));
    REQUIRE(d.vectors(4, 4, irq_type::msi));
    counter calls;
    d.handler(2, calls);
    const unsigned mask = d.capability(reg::capability_id::msi) + 16;
    d.config(mask, 4, 0b0100);
    d.function.raise(2);
    CHECK(calls.calls == 0);
    CHECK(d.config(mask + 4, 4) == 0b0100);
    d.config(mask, 4, 0);
    CHECK(calls.calls == 1);
    CHECK(d.config(mask + 4, 4) == 0);
}

TEST_CASE("MSI without 64-bit addresses or masks works as well") {
    sim::bus bus;
    driver d(bus, bus.add({.msi_vectors = 2, .msi_wide = false, .msi_maskable = false}));
    REQUIRE(d.vectors(2, 2, irq_type::msi));
    counter calls;
    d.handler(1, calls);
    d.function.raise(1);
    CHECK(calls.calls == 1);
}

TEST_CASE("a message that no vector is set up for is a violation") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 4, .msix_table_bar = 0});
    driver d(bus, f);
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    auto region = bus.map_bar(f, pci::bar_number(0), "table").value();
    SECTION("because the driver unmasked an entry that is not its own") {
        bus.write<std::uint32_t>(region, 3 * 16 + 12, 0);
        f.raise(3);
        CHECK(kinds(bus) == only(violation_kind::spurious_message));
    }
    SECTION("because the driver changed the data") {
        counter calls;
        d.handler(0, calls);
        bus.write<std::uint32_t>(region, 8, 0x4321);
        f.raise(0);
        CHECK(kinds(bus) == only(violation_kind::spurious_message));
    }
    SECTION("because the vector belongs to another function") {
        auto& other = bus.add({.msix_vectors = 1});
        driver d2(bus, other);
        REQUIRE(d2.vectors(1, 1, irq_type::msix));
        counter calls;
        d2.handler(0, calls);
        bus.write<std::uint32_t>(region, 8, bus.vector_number(other, 0).value());
        bus.write<std::uint32_t>(region, 12, 0);
        f.raise(0);
        CHECK(calls.calls == 0);
        CHECK(kinds(bus) == only(violation_kind::spurious_message));
    }
    bus.unmap_bar(f, region);
}

TEST_CASE("a vector without a handler holds one interrupt until it has one") {
    for (const bool maskable : {true, false}) {
        for (const irq_type type : {irq_type::msix, irq_type::msi, irq_type::intx}) {
            sim::bus bus;
            driver d(bus, bus.add({.msix_vectors = 2, .msi_vectors = 2, .intx = true, .msi_maskable = maskable}));
            REQUIRE(d.vectors(1, 2, type));
            counter calls;
            d.function.raise(0);
            d.function.raise(0);
            const auto first = d.handler(0, calls);
            CHECK(calls.calls == 1);
            d.function.raise(0);
            CHECK(calls.calls == 2);
            REQUIRE(bus.unregister_handler(d.function, first));
            d.function.raise(0);
            CHECK(calls.calls == 2);
            d.handler(0, calls);
            CHECK(calls.calls == 3);
            CHECK(d.function.lost() == sim::lost_interrupts{});
            CHECK(bus.ledger().violations().empty());
        }
    }
}

TEST_CASE("what a vector holds goes with the vector") {
    for (const bool maskable : {true, false}) {
        for (const irq_type type : {irq_type::msix, irq_type::msi}) {
            sim::bus bus;
            driver d(bus, bus.add({.msix_vectors = 1, .msi_vectors = 1, .msi_maskable = maskable}));
            REQUIRE(d.vectors(1, 1, type));
            d.function.raise(0);
            REQUIRE(bus.free_vectors(d.function));
            REQUIRE(d.vectors(1, 1, type));
            counter calls;
            d.handler(0, calls);
            CHECK(calls.calls == 0);
        }
    }
}

TEST_CASE("messages without a handler are masked where there is a bit for it, and INTx by COMMAND") {
    sim::bus bus;
    driver d(bus, bus.add({.msix_vectors = 2, .msi_vectors = 4, .intx = true}));
    counter calls;
    const auto entry_masked = [&](unsigned entry) { return d.function.state().msix_table[entry * 4 + 3] == 1; };
    const auto msi_mask = [&] { return d.config(d.function.capabilities().msi_mask, 4); };
    const auto intx_disabled = [&] { return (d.config(reg::command, 2) & reg::command_bits::intx_disable) != 0; };

    REQUIRE(d.vectors(2, 2, irq_type::msix));
    CHECK((entry_masked(0) && entry_masked(1)));
    const auto id = d.handler(1, calls);
    CHECK((entry_masked(0) && !entry_masked(1)));
    REQUIRE(bus.unregister_handler(d.function, id));
    CHECK(entry_masked(1));
    REQUIRE(bus.free_vectors(d.function));

    REQUIRE(d.vectors(2, 2, irq_type::msi));
    CHECK(msi_mask() == 0b1111);
    d.handler(0, calls);
    CHECK(msi_mask() == 0b1110);
    REQUIRE(bus.free_vectors(d.function));
    CHECK(msi_mask() == 0);

    REQUIRE(d.vectors(1, 1, irq_type::intx));
    CHECK(intx_disabled());
    const auto line = d.handler(0, calls);
    CHECK_FALSE(intx_disabled());
    REQUIRE(bus.unregister_handler(d.function, line));
    CHECK(intx_disabled());
    REQUIRE(bus.free_vectors(d.function));
    CHECK_FALSE(intx_disabled());
}

TEST_CASE("INTx calls its handler until the device lowers the line") {
    sim::bus bus;
    level_model model;
    model.lower_at = 3;
    driver d(bus, bus.add({.intx = true, .model = &model}));
    REQUIRE(d.vectors(1, 1, irq_type::all)->type == irq_type::intx);
    const auto number = bus.vector_number(d.function, 0).value();
    CHECK(number >= 16);
    CHECK(number <= 23);
    CHECK(number == d.config(reg::interrupt_line, 1));
    REQUIRE(bus.register_handler(d.function, 0, {&level_model::on_irq, &model, "level"}));
    d.function.raise(0);
    CHECK(model.calls == 3);
    CHECK(interrupt_status(d) == 0);
}

TEST_CASE("INTx of a function without a model is lowered when it has been handled") {
    sim::bus bus;
    driver d(bus, bus.add({.intx = true}));
    REQUIRE(d.vectors(1, 1, irq_type::intx));
    counter calls;
    d.handler(0, calls);
    d.function.raise(0);
    d.function.raise(7);  // there is one line, whatever the reason
    CHECK(calls.calls == 2);
    CHECK(calls.last == 0);
}

TEST_CASE("INTx that is disabled stays asserted and is delivered when it is enabled") {
    sim::bus bus;
    driver d(bus, bus.add({.intx = true}));
    REQUIRE(d.vectors(1, 1, irq_type::intx));
    counter calls;
    d.handler(0, calls);
    const std::uint32_t command = d.config(reg::command, 2);
    d.config(reg::command, 2, command | reg::command_bits::intx_disable);
    d.function.raise(0);
    CHECK(calls.calls == 0);
    CHECK(interrupt_status(d) != 0);
    d.config(reg::command, 2, command);
    CHECK(calls.calls == 1);
    CHECK(interrupt_status(d) == 0);
}

TEST_CASE("INTx that is asserted before there is a handler is delivered when there is one") {
    sim::bus bus;
    driver d(bus, bus.add({.intx = true}));
    REQUIRE(d.vectors(1, 1, irq_type::intx));
    d.function.raise(0);
    counter calls;
    d.handler(0, calls);
    CHECK(calls.calls == 1);
}

TEST_CASE("functions share a line: every handler on it is asked, and asked again until the line is low") {
    sim::bus bus;
    level_model first;
    level_model second;
    driver a(bus, bus.add({.intx = true, .model = &first, .address = "0000:03:00.0"}));
    driver b(bus, bus.add({.intx = true, .model = &second, .address = "0000:03:00.1"}));
    REQUIRE(a.vectors(1, 1, irq_type::intx));
    REQUIRE(b.vectors(1, 1, irq_type::intx));
    CHECK(bus.vector_number(a.function, 0) == bus.vector_number(b.function, 0));
    REQUIRE(bus.register_handler(a.function, 0, {&level_model::on_irq, &first, "first"}));
    const auto id = bus.register_handler(b.function, 0, {&level_model::on_irq, &second, "second"}).value();
    first.answer = irq_return::none;
    second.lower_at = 2;
    b.function.raise(0);
    CHECK(first.calls == 2);
    CHECK(second.calls == 2);
    CHECK(interrupt_status(b) == 0);
    CHECK(bus.machine().interrupts().line(bus.vector_number(a.function, 0).value()).unhandled() == 0);

    // While one is held back, so is its function; the other goes on.
    REQUIRE(bus.disable_handler(b.function, id));
    b.function.raise(0);
    CHECK(second.calls == 2);
    CHECK(first.calls == 2);
    first.answer = irq_return::handled;
    first.lower_at = 3;
    a.function.raise(0);
    CHECK(first.calls == 3);
    CHECK(second.calls == 2);
    second.lower_at = 3;
    REQUIRE(bus.enable_handler(b.function, id));
    CHECK(second.calls == 3);
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("a function without a driver that asserts a shared line takes it from the others, after a while") {
    sim::bus bus;
    level_model screams;
    screams.lower_at = ~0U;
    auto& alone = bus.add({.intx = true, .model = &screams, .address = "0000:03:00.0"});
    driver d(bus, bus.add({.intx = true, .address = "0000:03:00.1"}));
    REQUIRE(d.vectors(1, 1, irq_type::intx));
    counter calls;
    calls.answer = irq_return::none;
    d.handler(0, calls);
    alone.raise(0);
    CHECK(calls.calls == 100'000);
    CHECK(kinds(bus) == only(violation_kind::nobody_cared));
    CHECK(bus.machine().interrupts().line(bus.vector_number(d.function, 0).value()).unhandled() == 100'000);
    d.function.raise(0);
    CHECK(calls.calls == 100'000);
}

TEST_CASE("an INTx line that nobody cares for is disabled until the next handler") {
    sim::bus bus;
    level_model model;
    model.lower_at = ~0U;
    model.answer = irq_return::none;
    driver d(bus, bus.add({.intx = true, .model = &model}));
    REQUIRE(d.vectors(1, 1, irq_type::intx));
    const auto id = bus.register_handler(d.function, 0, {&level_model::on_irq, &model, "level"}).value();
    d.function.raise(0);
    CHECK(model.calls == 100'000);
    CHECK(kinds(bus) == only(violation_kind::nobody_cared));
    d.function.raise(0);
    CHECK(model.calls == 100'000);
    REQUIRE(bus.unregister_handler(d.function, id));
    model.lower_at = 0;
    REQUIRE(bus.register_handler(d.function, 0, {&level_model::on_irq, &model, "level"}));
    CHECK(model.calls == 100'001);
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("a function without any way to interrupt does not") {
    sim::bus bus;
    driver d(bus, bus.add({}));
    d.function.raise(0);
    CHECK(d.function.lost().no_vector == 1);
}

TEST_CASE("a handler may raise other vectors, its own, and use the device") {
    struct chain {
        sim::bus* bus;
        sim::function* f;
        sim::region* region;
        std::vector<unsigned> order;
        static irq_return on_irq(void* context, pci::vector_index vector) noexcept {
            auto& self = *static_cast<chain*>(context);
            self.order.push_back(vector.value());
            const auto before = self.bus->read<std::uint32_t>(*self.region, 0);
            self.bus->write<std::uint32_t>(*self.region, 0, before + 1);
            if (vector.value() == 0 && self.order.size() == 1) {
                self.f->raise(1);
                self.f->raise(0);
                self.order.push_back(100);
            }
            return irq_return::handled;
        }
    };
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2, .bar_sizes = {4096}});
    driver d(bus, f);
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    auto region = bus.map_bar(f, pci::bar_number(0), "regs").value();
    chain c{&bus, &f, &region, {}};
    REQUIRE(bus.register_handler(f, 0, {&chain::on_irq, &c, "a"}));
    REQUIRE(bus.register_handler(f, 1, {&chain::on_irq, &c, "b"}));
    f.raise(0);
    CHECK(c.order == std::vector<unsigned>{0, 1, 100, 0});
    CHECK(bus.read<std::uint32_t>(region, 0) == 3);
    bus.unmap_bar(f, region);
}
