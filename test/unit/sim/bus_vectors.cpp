// SPDX-License-Identifier: BSL-1.0
#include "driver.hpp"
#include "support/catch.hpp"

using namespace test;
namespace reg = devres::pci::registers;

namespace {

/// The device of linux-semantics section 5: MSI-X table 16, four MSI vectors, INTx.
const sim::function_config usual{.msix_vectors = 16, .msi_vectors = 4, .intx = true};

constexpr auto any = irq_type::msix | irq_type::msi;

}  // namespace

TEST_CASE("MSI-X is tried first and its count is clamped to the table (M01)") {
    sim::bus bus;
    driver d(bus, bus.add(usual));
    const auto grant = d.vectors(1, 32, irq_type::all).value();
    CHECK(grant.count == 16);
    CHECK(grant.type == irq_type::msix);
    const auto base = bus.vector_number(d.function, 0).value();
    CHECK(bus.vector_number(d.function, 15).value() == base + 15);
    CHECK(bus.vector_number(d.function, 16).value() == 0);
    CHECK(bus.free_vectors(d.function));
    CHECK(bus.free_vectors(d.function));  // there is nothing any more
    CHECK(bus.vector_number(d.function, 0).value() == 0);
}

TEST_CASE("MSI is next (M02), INTx last (M03)") {
    sim::bus bus;
    driver d(bus, bus.add({.msi_vectors = 4, .intx = true}));
    CHECK(d.vectors(1, 32, irq_type::all)->type == irq_type::msi);
    driver d2(bus, bus.add({.intx = true}));
    CHECK(d2.vectors(1, 32, irq_type::all)->count == 1);
    CHECK(bus.vector_number(d2.function, 0).value() == d2.config(reg::interrupt_line, 1));
}

TEST_CASE("the error is that of the last type tried (M03 M04)") {
    sim::bus bus;
    driver none(bus, bus.add({.intx = true}));
    CHECK(none.vectors(2, 32, irq_type::all).error() == errc::einval);   // MSI: no capability
    CHECK(none.vectors(2, 32, irq_type::intx).error() == errc::enospc);  // INTx is one
    CHECK(none.vectors(1, 1, pci::irq_types()).error() == errc::enospc);
    driver bare(bus, bus.add({}));
    CHECK(bare.vectors(1, 1, irq_type::intx).error() == errc::enospc);
    driver msix(bus, bus.add({.msix_vectors = 4}));
    CHECK(msix.vectors(8, 8, irq_type::msix).error() == errc::enospc);
    CHECK(msix.vectors(8, 8, any).error() == errc::einval);  // MSI hides what MSI-X said
}

TEST_CASE("a range the wrong way round is refused (M05)") {
    sim::bus bus;
    driver d(bus, bus.add(usual));
    CHECK(d.vectors(4, 2, irq_type::msix).error() == errc::erange);
    CHECK(d.vectors(4, 2, irq_type::msi).error() == errc::erange);
}

TEST_CASE("a minimum beyond the hardware is refused (M06)") {
    sim::bus bus;
    driver d(bus, bus.add(usual));
    CHECK(d.vectors(17, 32, irq_type::msix).error() == errc::enospc);
    CHECK(d.vectors(5, 8, irq_type::msi).error() == errc::enospc);
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("a machine that is short of vectors gives those it has (M08) or none (M09)") {
    sim::bus bus;
    bus.set_available_vectors(5);
    driver d(bus, bus.add(usual));
    CHECK(d.vectors(6, 32, irq_type::msix).error() == errc::enospc);
    CHECK(d.vectors(1, 32, irq_type::msix)->count == 5);
    driver d2(bus, bus.add(usual));
    CHECK(d2.vectors(1, 32, any).error() == errc::enospc);
    CHECK(d2.vectors(1, 32, irq_type::all)->type == irq_type::intx);
}

TEST_CASE("MSI gives three when three are asked for (M10)") {
    sim::bus bus;
    driver d(bus, bus.add({.msi_vectors = 8}));
    CHECK(d.vectors(1, 3, irq_type::msi)->count == 3);
    CHECK(bus.vector_number(d.function, 2).value() == bus.vector_number(d.function, 0).value() + 2);
}

TEST_CASE("without multiple MSI there is one vector (M11)") {
    sim::bus bus;
    bus.set_multiple_msi(false);
    driver d(bus, bus.add({.msi_vectors = 8}));
    CHECK(d.vectors(2, 8, irq_type::msi).error() == errc::enospc);
    CHECK(d.vectors(1, 8, irq_type::msi)->count == 1);
}

TEST_CASE("with no room for an MSI block there is one vector") {
    sim::bus bus;
    bus.set_available_vectors(3);
    driver d(bus, bus.add({.msi_vectors = 8}));
    CHECK(d.vectors(2, 8, irq_type::msi).error() == errc::enospc);
    CHECK(d.vectors(1, 8, irq_type::msi)->count == 1);
}

TEST_CASE("a second range is refused whatever the types are (M12 M13 differ from Linux on purpose)") {
    sim::bus bus;
    driver d(bus, bus.add(usual));
    for (const irq_type first : {irq_type::msix, irq_type::msi, irq_type::intx}) {
        REQUIRE(d.vectors(1, 1, first));
        const auto before = d.function.state();
        for (const irq_type second : {irq_type::msix, irq_type::msi, irq_type::intx, irq_type::all})
            CHECK(d.vectors(1, 4, second).error() == errc::ebusy);
        CHECK(difference(before, d.function.state()) == "");
        REQUIRE(bus.free_vectors(d.function));
    }
}

TEST_CASE("a minimum of zero is enough for MSI-X and not for MSI (M15 M16)") {
    sim::bus bus;
    driver d(bus, bus.add(usual));
    CHECK(d.vectors(0, 4, irq_type::msi).error() == errc::einval);
    CHECK(d.vectors(0, 0, irq_type::msix).error() == errc::einval);
    CHECK(d.vectors(0, 0, any).error() == errc::einval);
    CHECK(d.vectors(0, 4, irq_type::msix)->count == 4);
}

TEST_CASE("in D3hot, and before it is enabled, a function has INTx only (M17)") {
    sim::bus bus;
    auto& f = bus.add(usual);
    REQUIRE(bus.attach(f));
    CHECK(bus.allocate_vectors(f, {1, 4, any, nullptr}).error() == errc::einval);
    CHECK(bus.allocate_vectors(f, {1, 4, irq_type::all, nullptr})->type == irq_type::intx);
    REQUIRE(bus.free_vectors(f));
    bus.detach(f);
    driver d(bus, f);
    REQUIRE(bus.suspend(f));
    CHECK(d.vectors(1, 4, any).error() == errc::einval);
    CHECK(d.vectors(1, 4, irq_type::all)->type == irq_type::intx);
    REQUIRE(bus.free_vectors(f));
    REQUIRE(bus.resume(f));
}

TEST_CASE("vectors that are spread are as many as the CPUs and the reserved ones (M19 M20 M21 M23)") {
    sim::bus bus;
    driver d(bus, bus.add({.msix_vectors = 32, .intx = true}));
    pci::irq_affinity affinity;
    CHECK(d.vectors(1, 32, irq_type::msix, &affinity)->count == 8);
    REQUIRE(bus.free_vectors(d.function));
    affinity.pre_vectors = 1;
    CHECK(d.vectors(1, 32, irq_type::msix, &affinity)->count == 9);
    CHECK(d.bus.affinity(d.function, 0) == 0xff);
    CHECK(d.bus.affinity(d.function, 1) == 1);
    CHECK(d.bus.affinity(d.function, 8) == 0x80);
    CHECK(d.bus.affinity(d.function, 9) == 0);
    REQUIRE(bus.free_vectors(d.function));
    affinity = {.pre_vectors = 2, .post_vectors = 1};
    CHECK(d.vectors(2, 32, irq_type::msix, &affinity).error() == errc::enospc);

    bus.set_possible_cpus(2);
    affinity = {};
    CHECK(d.vectors(1, 32, irq_type::msix, &affinity)->count == 2);
    REQUIRE(bus.free_vectors(d.function));
    CHECK(d.vectors(1, 32, irq_type::msix)->count == 32);
    CHECK(d.bus.affinity(d.function, 31) == 3);
    REQUIRE(bus.free_vectors(d.function));
    CHECK(d.vectors(1, 1, irq_type::intx, &affinity)->count == 1);
    CHECK_THROWS_AS(bus.set_possible_cpus(65), std::invalid_argument);
}

TEST_CASE("sets are made for the vectors that are spread, and spread each by itself") {
    sim::bus bus;
    bus.set_possible_cpus(4);
    driver d(bus, bus.add({.msix_vectors = 9}));
    pci::irq_affinity affinity{.pre_vectors = 1};
    affinity.calculate_sets = [](pci::irq_affinity& self, unsigned vectors) noexcept {
        self.set_count = 2;
        self.set_size[0] = vectors / 2;
        self.set_size[1] = vectors - vectors / 2;
    };
    CHECK(d.vectors(1, 32, irq_type::msix, &affinity)->count == 9);
    CHECK(d.bus.affinity(d.function, 1) == 1);
    CHECK(d.bus.affinity(d.function, 5) == 1);
    CHECK(affinity.set_count == 0);  // the driver's own is left alone
}

TEST_CASE("virtual vectors go beyond the table (M24)") {
    sim::bus bus;
    driver d(bus, bus.add(usual));
    CHECK(d.vectors(1, 32, irq_type::msix | irq_type::virtual_entries)->count == 32);
    counter calls;
    d.handler(31, calls);
    d.function.raise(31);  // there is no hardware behind it
    CHECK(calls.calls == 0);
    REQUIRE(bus.free_vectors(d.function));
    CHECK(d.vectors(1, ~0U, irq_type::msix | irq_type::virtual_entries)->count == 2048);
}

TEST_CASE("the number of a vector may come back, the name of a registration does not") {
    sim::bus bus;
    driver d(bus, bus.add(usual));
    counter calls;
    std::vector<pci::handler_id> ids;
    for (unsigned round = 0; round != 3; ++round) {
        REQUIRE(d.vectors(1, 16, irq_type::msix));
        ids.push_back(d.handler(3, calls));
        CHECK(bus.handler_registered(d.function, ids.back()));
        REQUIRE(bus.free_vectors(d.function));
        CHECK_FALSE(bus.handler_registered(d.function, ids.back()));
    }
    CHECK(ids[0] != ids[1]);
    CHECK(ids[1] != ids[2]);
    REQUIRE(d.vectors(1, 16, irq_type::msix));
    const auto live = d.handler(3, calls);
    REQUIRE(bus.unregister_handler(d.function, ids[0]));  // has ended: ignored
    CHECK(bus.handler_registered(d.function, live));
    CHECK_FALSE(bus.handler_registered(d.function, pci::handler_id::none));
    CHECK_FALSE(bus.handler_registered(d.function, static_cast<pci::handler_id>(~std::uint64_t{0})));
}

TEST_CASE("a vector has one handler, and one that can be called") {
    sim::bus bus;
    driver d(bus, bus.add(usual));
    counter calls;
    CHECK(bus.register_handler(d.function, 0, calls.action()).error() == errc::einval);
    REQUIRE(d.vectors(1, 2, irq_type::msix));
    const auto id = d.handler(1, calls);
    CHECK(bus.register_handler(d.function, 1, calls.action()).error() == errc::ebusy);
    CHECK(bus.register_handler(d.function, 2, calls.action()).error() == errc::einval);
    CHECK(bus.register_handler(d.function, 0, {}).error() == errc::einval);
    REQUIRE(bus.unregister_handler(d.function, id));
    d.function.raise(1);
    CHECK(calls.calls == 0);
    d.handler(1, calls);  // for which it was held
    CHECK(calls.calls == 1);
    d.function.raise(1);
    CHECK(calls.calls == 2);
}

TEST_CASE("freeing vectors ends the handlers that are left, newest first, and is no violation") {
    sim::bus bus;
    auto& f = bus.add(usual);
    driver d(bus, f);
    REQUIRE(d.vectors(1, 16, irq_type::msix));
    counter calls;
    const auto second = d.handler(2, calls);
    const auto first = d.handler(0, calls);
    const auto third = d.handler(9, calls);
    REQUIRE(bus.unregister_handler(f, first));
    REQUIRE(bus.free_vectors(f));
    CHECK_FALSE(bus.handler_registered(f, second));
    CHECK_FALSE(bus.handler_registered(f, third));
    f.raise(2);
    CHECK(calls.calls == 0);
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("from inside a handler, neither it nor its vectors can be freed") {
    struct self_freeing {
        sim::bus* bus;
        sim::function* f;
        pci::handler_id id{};
        errc handler_error{};
        errc vectors_error{};
        bool inside = false;
        static irq_return on_irq(void* context, pci::vector_index) noexcept {
            auto& self = *static_cast<self_freeing*>(context);
            self.inside = self.bus->in_handler(*self.f);
            self.handler_error = self.bus->unregister_handler(*self.f, self.id).error();
            self.vectors_error = self.bus->free_vectors(*self.f).error();
            return irq_return::handled;
        }
    };
    sim::bus bus;
    auto& f = bus.add(usual);
    driver d(bus, f);
    REQUIRE(d.vectors(1, 2, irq_type::msix));
    self_freeing s{&bus, &f};
    s.id = bus.register_handler(f, 0, {&self_freeing::on_irq, &s, "self"}).value();
    CHECK_FALSE(bus.in_handler(f));
    f.raise(0);
    CHECK(s.inside);
    CHECK(s.handler_error == errc::edeadlk);
    CHECK(s.vectors_error == errc::edeadlk);
    CHECK(bus.handler_registered(f, s.id));
    CHECK(kinds(bus) == std::vector{violation_kind::freed_inside_handler, violation_kind::freed_inside_handler});
}

TEST_CASE("after the vectors are freed, the function is as before") {
    for (const irq_type type : {irq_type::msix, irq_type::msi, irq_type::intx}) {
        for (const unsigned disable : {0U, reg::command_bits::intx_disable}) {
            sim::bus bus;
            driver d(bus, bus.add(usual));
            d.config(reg::command, 2, d.config(reg::command, 2) | disable);
            const auto before = d.function.state();
            REQUIRE(d.vectors(1, 4, type));
            if (type != irq_type::intx)
                CHECK((d.config(reg::command, 2) & reg::command_bits::intx_disable) != 0);
            counter calls;
            d.handler(0, calls);
            if (type == irq_type::intx)
                CHECK((d.config(reg::command, 2) & reg::command_bits::intx_disable) == 0);
            REQUIRE(bus.free_vectors(d.function));
            CHECK(difference(before, d.function.state()) == "");
        }
    }
}

namespace {

constexpr irq_type each_type[] = {irq_type::msix, irq_type::msi, irq_type::intx};

/// Two vectors, but for INTx, on hardware that can mask MSI or cannot.
sim::function_config two_of_each(bool maskable) {
    return {.msix_vectors = 2, .msi_vectors = 2, .intx = true, .msi_maskable = maskable};
}

}  // namespace

TEST_CASE("a handler that is disabled is called once for what came meanwhile, when the last disable is undone") {
    for (const bool maskable : {true, false}) {
        for (const irq_type type : each_type) {
            sim::bus bus;
            driver d(bus, bus.add(two_of_each(maskable)));
            REQUIRE(d.vectors(1, 2, type));
            counter calls;
            const auto id = d.handler(0, calls);
            REQUIRE(bus.disable_handler(d.function, id));
            REQUIRE(bus.disable_handler(d.function, id));
            d.function.raise(0);
            d.function.raise(0);
            REQUIRE(bus.enable_handler(d.function, id));
            CHECK(calls.calls == 0);
            REQUIRE(bus.enable_handler(d.function, id));
            CHECK(calls.calls == 1);
            CHECK(bus.enable_handler(d.function, id).error() == errc::einval);
            d.function.raise(0);
            CHECK(calls.calls == 2);
            CHECK(bus.ledger().violations().empty());
        }
    }
}

TEST_CASE("nothing comes with an enable if nothing came with the disable") {
    for (const irq_type type : each_type) {
        sim::bus bus;
        driver d(bus, bus.add(two_of_each(false)));
        REQUIRE(d.vectors(1, 2, type));
        counter calls;
        const auto id = d.handler(0, calls);
        d.function.raise(0);
        REQUIRE(bus.disable_handler(d.function, id));
        REQUIRE(bus.enable_handler(d.function, id));
        CHECK(calls.calls == 1);
    }
}

TEST_CASE("a disabled handler that is unregistered leaves the vector, and what it holds, to the next") {
    for (const irq_type type : each_type) {
        sim::bus bus;
        driver d(bus, bus.add(two_of_each(true)));
        REQUIRE(d.vectors(1, 2, type));
        counter calls;
        const auto id = d.handler(0, calls);
        REQUIRE(bus.disable_handler(d.function, id));
        d.function.raise(0);
        CHECK(bus.handler_registered(d.function, id));
        REQUIRE(bus.unregister_handler(d.function, id));
        CHECK(calls.calls == 0);
        CHECK(bus.disable_handler(d.function, id).error() == errc::enoent);
        CHECK(bus.enable_handler(d.function, id).error() == errc::enoent);
        CHECK(bus.synchronize_handler(d.function, id));
        counter next;
        d.handler(0, next);
        CHECK(next.calls == 1);
        CHECK(calls.calls == 0);
    }
}

TEST_CASE("one handler that is disabled leaves the others alone, and is held by the driver as before") {
    sim::bus bus;
    driver d(bus, bus.add(two_of_each(true)));
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    counter first;
    counter second;
    const auto id = d.handler(0, first);
    d.handler(1, second);
    const auto live = bus.ledger().live();
    REQUIRE(bus.disable_handler(d.function, id));
    CHECK(bus.ledger().live() == live);
    d.function.raise(0);
    d.function.raise(1);
    CHECK(first.calls == 0);
    CHECK(second.calls == 1);
}

TEST_CASE("from inside a handler, it cannot be waited for") {
    struct waiting {
        sim::bus* bus;
        sim::function* f;
        pci::handler_id id{}, other{};
        errc disabled{}, synchronized{}, all{};
        bool others = false;
        static irq_return on_irq(void* context, pci::vector_index) noexcept {
            auto& self = *static_cast<waiting*>(context);
            self.disabled = self.bus->disable_handler(*self.f, self.id).error();
            self.synchronized = self.bus->synchronize_handler(*self.f, self.id).error();
            self.all = self.bus->synchronize_handler(*self.f, pci::handler_id::none).error();
            self.others = self.bus->synchronize_handler(*self.f, self.other) &&
                          self.bus->disable_handler(*self.f, self.other) &&
                          self.bus->enable_handler(*self.f, self.other);
            return irq_return::handled;
        }
    };
    sim::bus bus;
    auto& f = bus.add(usual);
    driver d(bus, f);
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    waiting w{&bus, &f};
    counter other;
    w.id = bus.register_handler(f, 0, {&waiting::on_irq, &w, "waiting"}).value();
    w.other = d.handler(1, other);
    f.raise(0);
    CHECK(w.disabled == errc::edeadlk);
    CHECK(w.synchronized == errc::edeadlk);
    CHECK(w.all == errc::edeadlk);
    CHECK(w.others);
    CHECK(bus.enable_handler(f, w.id).error() == errc::einval);
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("from inside a handler nothing is acquired, and the ledger names what was to be") {
    struct acquiring {
        sim::bus* bus;
        sim::function* f;
        sim::function* other;
        unsigned refused = 0;
        bool elsewhere = false;
        static irq_return on_irq(void* context, pci::vector_index) noexcept {
            auto& self = *static_cast<acquiring*>(context);
            const auto count = [&](const auto& outcome) {
                self.refused += !outcome && outcome.error() == errc::edeadlk ? 1U : 0U;
            };
            count(self.bus->enable(*self.f));
            count(self.bus->map_bar(*self.f, pci::bar_number(0), "inside"));
            count(self.bus->allocate_vectors(*self.f, {1, 1, irq_type::msix, nullptr}));
            count(self.bus->register_handler(*self.f, 1, {&acquiring::on_irq, context, "inside"}));
            count(self.bus->allocate_dma(*self.f, 64));
            count(self.bus->map_dma(*self.f, context, 8));
            auto mapped = self.bus->map_bar(*self.other, pci::bar_number(0), "elsewhere");
            self.elsewhere = mapped.has_value();
            self.bus->unmap_bar(*self.other, *mapped);
            return irq_return::handled;
        }
    };
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2, .bar_sizes = {4096}});
    auto& elsewhere = bus.add({.bar_sizes = {4096}});
    driver d(bus, f);
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    acquiring a{&bus, &f, &elsewhere};
    REQUIRE(bus.register_handler(f, 0, {&acquiring::on_irq, &a, "acquiring"}));
    const auto live = bus.ledger().live();
    f.raise(0);
    CHECK(a.refused == 6);
    CHECK(a.elsewhere);  // another function's are not the handler's own
    CHECK(bus.ledger().live() == live);
    const auto wrong = bus.ledger().take_violations();
    REQUIRE(wrong.size() == 6);
    const char* const named[] = {"enable",           "map_bar",      "allocate_vectors",
                                 "register_handler", "allocate_dma", "map_dma"};
    for (unsigned i = 0; i != 6; ++i) {
        CHECK(wrong[i].kind == violation_kind::acquired_inside_handler);
        CHECK(wrong[i].text.find(std::string(" ") + named[i] + " from inside a handler") != std::string::npos);
    }
}

TEST_CASE("what is disabled or has no handler is so after a sleep, and what was enabled meanwhile is enabled") {
    for (const bool keeps_registers : {true, false}) {
        for (const irq_type type : {irq_type::msix, irq_type::msi}) {
            sim::bus bus;
            driver d(bus, bus.add({.msix_vectors = 4, .msi_vectors = 4, .no_soft_reset = keeps_registers}));
            REQUIRE(d.vectors(4, 4, type));
            counter calls[4];
            pci::handler_id ids[4]{};
            for (unsigned i = 0; i != 3; ++i)
                ids[i] = d.handler(i, calls[i]);
            REQUIRE(bus.disable_handler(d.function, ids[0]));
            REQUIRE(bus.suspend(d.function));
            REQUIRE(bus.enable_handler(d.function, ids[0]));
            REQUIRE(bus.disable_handler(d.function, ids[1]));
            REQUIRE(bus.unregister_handler(d.function, ids[2]));
            ids[3] = d.handler(3, calls[3]);
            REQUIRE(bus.resume(d.function));
            for (unsigned i = 0; i != 4; ++i) {
                const bool masked = i == 1 || i == 2;
                if (type == irq_type::msix)
                    CHECK(d.function.state().msix_table[i * 4 + 3] == (masked ? 1 : 0));
                else
                    CHECK((d.config(d.function.capabilities().msi_mask, 4) >> i & 1U) == (masked ? 1 : 0));
                d.function.raise(i);
                CHECK(calls[i].calls == (masked ? 0 : 1));
            }
            REQUIRE(bus.enable_handler(d.function, ids[1]));
            CHECK(calls[1].calls == 1);
        }
    }
}

TEST_CASE("a line that got or lost its handler in a sleep is on or off after it") {
    for (const bool keeps_registers : {true, false}) {
        sim::bus bus;
        driver d(bus, bus.add({.intx = true, .no_soft_reset = keeps_registers}));
        const auto disabled = [&] { return (d.config(reg::command, 2) & reg::command_bits::intx_disable) != 0; };
        REQUIRE(d.vectors(1, 1, irq_type::intx));
        counter calls;
        REQUIRE(bus.suspend(d.function));
        const auto id = d.handler(0, calls);
        REQUIRE(bus.resume(d.function));
        CHECK_FALSE(disabled());
        REQUIRE(bus.suspend(d.function));
        REQUIRE(bus.unregister_handler(d.function, id));
        REQUIRE(bus.resume(d.function));
        CHECK(disabled());
    }
}
