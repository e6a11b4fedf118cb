// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/irq_affinity_hint.hpp>

#include <optional>

#include <devres/any_platform.hpp>
#include <devres/linux_model.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

struct steering_driver {
    template <class Device>
    struct state {
        pci::affinity_hint_of<Device> hints[2] = {};
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 2, 2, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(data->hints[0], pci::irq_set_affinity_hint(vectors[0], 0b0100));
        DEVRES_TRY(data->hints[1], pci::irq_update_affinity_hint(vectors[1], 0b1000));
        if (pci::pci_irq_get_affinity(vectors[0]) != 0b0100 || pci::pci_irq_get_affinity(vectors[1]) != 0xff)
            return fail(errc::eio);
        if (pci::irq_set_affinity_hint(vectors[0], 0).error() != errc::einval)
            return fail(errc::eio);
        return data;
    }
};

}  // namespace

TEST_CASE("a hint says where a vector is to go, until its guard dies; one that is set has it go there") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2});
    auto bound = pci::bind<steering_driver>(bus, f);
    REQUIRE(bound);
    CHECK(bus.affinity_hint(f, 0) == 0b0100);
    CHECK(bus.affinity_hint(f, 1) == 0b1000);
    CHECK(bus.affinity_hint(f, 2) == 0);
    CHECK(bus.affinity(f, 0) == 0b0100);
    bound->state().hints[0] = {};
    CHECK(bus.affinity_hint(f, 0) == 0);
    CHECK(bus.affinity(f, 0) == 0b0100);
    CHECK(bound->unbind());
    CHECK(bus.ledger().clean());
    CHECK(bus.affinity(f, 0) == 0);
    CHECK(pci::bind<steering_driver>(bus, f));
}

TEST_CASE("hints are the same on the model of Linux, behind a table of functions, and where they are watched") {
    linux_model::kernel linux(linux_model::linux_6_12);
    CHECK(pci::bind<steering_driver>(linux, linux.add({.msix_vectors = 2})));

    sim::bus bus;
    testing::trace_recorder trace;
    testing::traced watched{bus, std::ref(trace)};
    pci::erased platform{watched};
    pci::erased_function f{platform, bus.add({.msix_vectors = 2})};
    CHECK(pci::bind<steering_driver>(f.platform(), f));
    CHECK(std::ranges::count_if(
              trace.lines(), [](const auto& line) { return line.find("d affinity_hint ") != std::string::npos; }) == 4);
    CHECK(bus.ledger().clean());

    test::null_platform nothing;
    test::null_platform::function_type plain;
    pci::erased other{nothing};
    pci::erased_function of{other, plain};
    CHECK(pci::bind<steering_driver>(of.platform(), of).error() == errc::enotsupp);
    CHECK(other.vector_affinity(of, 0) == 0);
    STATIC_REQUIRE(!pci::steers_vectors<test::null_platform> && pci::steers_vectors<testing::faulty<sim::bus>>);
}

TEST_CASE("a hint may outlive its vectors, and the next ones begin without") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2});
    pci::device dev(bus, f);
    auto device = pci::pci_enable_device(dev).value();
    std::optional<pci::affinity_hint<sim::bus>> hint;
    {
        auto vectors = pci::pci_alloc_irq_vectors(device, 1, 2, pci::irq_type::msix).value();
        hint = pci::irq_set_affinity_hint(vectors[0], 1).value();
    }
    auto vectors = pci::pci_alloc_irq_vectors(device, 1, 2, pci::irq_type::msix).value();
    CHECK(pci::pci_irq_get_affinity(vectors[0]) == 0xff);
    CHECK(bus.affinity_hint(f, 0) == 0);
    hint.reset();
}
