// SPDX-License-Identifier: BSL-1.0
#include "driver.hpp"
#include "support/catch.hpp"

using namespace test;
namespace reg = devres::sim::registers;

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
    CHECK(d.function.affinity(0) == 0xff);
    CHECK(d.function.affinity(1) == 1);
    CHECK(d.function.affinity(8) == 0x80);
    CHECK(d.function.affinity(9) == 0);
    REQUIRE(bus.free_vectors(d.function));
    affinity = {.pre_vectors = 2, .post_vectors = 1};
    CHECK(d.vectors(2, 32, irq_type::msix, &affinity).error() == errc::enospc);

    bus.set_possible_cpus(2);
    affinity = {};
    CHECK(d.vectors(1, 32, irq_type::msix, &affinity)->count == 2);
    REQUIRE(bus.free_vectors(d.function));
    CHECK(d.vectors(1, 32, irq_type::msix)->count == 32);
    CHECK(d.function.affinity(31) == 3);
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
    CHECK(d.function.affinity(1) == 1);
    CHECK(d.function.affinity(5) == 1);
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
    d.handler(1, calls);
    d.function.raise(1);
    CHECK(calls.calls == 1);
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
            else
                CHECK((d.config(reg::command, 2) & reg::command_bits::intx_disable) == 0);
            REQUIRE(bus.free_vectors(d.function));
            CHECK(difference(before, d.function.state()) == "");
        }
    }
}
