// SPDX-License-Identifier: BSL-1.0
// The library's teardown orders on the simulated bus, whose ledger notices what a platform without a memory of its past
// does not: vectors freed with handlers on them, a use after a release, a double free.
#include <string>
#include <vector>

#include <devres/sim.hpp>
#include <devres/testing/faulty.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using test::counter;

namespace {

struct bus_fixture {
    sim::bus bus;
    sim::function& function = bus.add(
        {.msix_vectors = 8, .msi_vectors = 4, .intx = true, .bar_sizes = {4096, 0, 65536}});

    /// The books balance: nothing is held, and nothing was done wrong.
    void balances() {
        CHECK(bus.ledger().live() == std::vector<std::string>{});
        for (const auto& violation : bus.ledger().violations())
            FAIL_CHECK(violation.text);
    }
};

/// A driver in which any of its managed resources may be in a group that goes first.
template <unsigned Grouped>
struct grouping_driver {
    struct state {
        counter self;
        group early;
    };

    static result<managed_ref<state>> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<state>(dev));
        group early;
        const auto grouped = [&]<class Acquire>(unsigned step, Acquire acquire) {
            if (step == Grouped)
                early = group{dev};
            auto acquired = acquire();
            if (step == Grouped)
                early.keep();
            return acquired;
        };
        DEVRES_TRY(const auto context, grouped(0, [&] { return devm_emplace<counter>(dev); }));
        DEVRES_TRY(const auto enabled, grouped(1, [&] { return pcim_enable_device(dev); }));
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(grouped(2, [&] { return pcim_iomap_region<0>(enabled, "registers"); }));
        DEVRES_TRY(grouped(3, [&] { return dmam_alloc_coherent(enabled, 4096); }));
        DEVRES_TRY(const auto vectors,
                   grouped(4, [&] { return pcim_alloc_irq_vectors(enabled, 2, 8, irq_type::msix | irq_type::msi); }));
        DEVRES_TRY(grouped(5, [&] { return devm_request_irq<&counter::on_irq>(vectors[0], "first", context); }));
        DEVRES_TRY(grouped(6, [&] { return devm_request_irq<&counter::on_vector>(vectors[1], "second", context); }));
        DEVRES_TRY(const auto file, grouped(7, [&] { return devm_revocable(dev, context); }));
        data->early = std::move(early);
        return data;
    }
};

template <unsigned Grouped, class P>
void early_release(P& platform, sim::function& function, bool released) {
    auto bound = bind<grouping_driver<Grouped>>(platform, function);
    if (!bound)
        return;
    function.raise(0);
    function.raise(1);
    if (released)
        CHECK(bound->state().early.release());
    function.raise(0);
    function.raise(1);
    CHECK(bound->unbind());
}

}  // namespace

TEMPLATE_TEST_CASE_SIG("whatever a group releases first, what uses it goes before it", "",
                       ((unsigned Grouped), Grouped), 0, 1, 2, 3, 4, 5, 6, 7, 8) {
    bus_fixture on;
    early_release<Grouped>(on.bus, on.function, true);
    on.balances();
    early_release<Grouped>(on.bus, on.function, false);
    on.balances();
}

TEST_CASE("a failure at any step, in or out of a group, leaves clean books") {
    for (std::size_t step = 1;; ++step) {
        bus_fixture on;
        testing::faulty<sim::bus> platform(on.bus, {step});
        early_release<4>(platform, on.function, true);
        on.balances();
        if (platform.injected().empty())
            break;
        platform.restart({});
        early_release<8>(platform, on.function, true);
        on.balances();
    }
}

TEST_CASE_METHOD(bus_fixture, "a device that is torn out leaves clean books, before and after the group goes") {
    for (const bool grouped_first : {true, false}) {
        sim::bus other;
        sim::function& torn = other.add({.msix_vectors = 8, .bar_sizes = {4096}});
        {
            auto bound = bind<grouping_driver<4>>(other, torn).value();
            if (grouped_first)
                CHECK(bound.state().early.release());
            torn.surprise_remove();
            torn.raise(0);
            CHECK(bound.state().early.release());
            CHECK(bound.unbind());
        }
        CHECK(other.ledger().clean());
        CHECK(bind<grouping_driver<8>>(other, torn).error() == errc::enodev);
        CHECK(other.ledger().clean());
    }
}

TEST_CASE_METHOD(bus_fixture, "unmanaged guards in any order of death leave clean books") {
    {
        device<sim::bus> dev(bus, function);
        counter context;
        auto enabled = pci_enable_device(dev).value();
        auto registers = pci_iomap_region<0>(enabled, "registers").value();
        auto vectors = pci_alloc_irq_vectors(enabled, 2, 4, irq_type::all).value();
        auto handler = request_irq<&counter::on_irq>(vectors[0], "first", context).value();
        auto another = request_irq<&counter::on_irq>(vectors[1], "second", context).value();
        REQUIRE(pci_free_irq_vectors(std::move(vectors)));
        CHECK(!handler);
        CHECK(!another);
        vectors = pci_alloc_irq_vectors(enabled, 1, 1, irq_type::intx).value();
        another = request_irq<&counter::on_irq>(vectors[0], "third", context).value();
        CHECK(free_irq(std::move(handler)));
    }
    balances();
}
