// SPDX-License-Identifier: BSL-1.0
#include <cstdint>

#include <devres/devres.hpp>
#include <devres/sim.hpp>

#include "support/catch.hpp"

using namespace devres;
using pci::power_state;
namespace pm = pci::registers::power_management;

namespace {

constexpr unsigned from_d3hot = 1U << 3U;
constexpr unsigned from_d3cold = 1U << 4U;

std::uint32_t control(const sim::function& f) {
    return f.config().read(f.capabilities().power_management + pm::control, 2);
}

struct driver {
    struct state {};
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_wake_from_d3(dev, true));
        return devm_emplace<state>(dev);
    }
};

}  // namespace

TEST_CASE("a function wakes the machine from the states that it can, if it is let") {
    sim::bus bus;
    auto& f = bus.add({.wakes_from = from_d3hot});
    pci::device dev(bus, f);
    CHECK(pci::pci_pme_capable(dev, power_state::d3hot));
    CHECK(!pci::pci_pme_capable(dev, power_state::d0));
    CHECK(!pci::pci_pme_capable(dev, power_state::d3cold));
    CHECK(pci::pci_enable_wake(dev, power_state::d3cold, true).error() == errc::einval);
    CHECK((control(f) & pm::pme_enable) == 0);
    REQUIRE(pci::pci_enable_wake(dev, power_state::d3hot, true));
    CHECK((control(f) & pm::pme_enable) != 0);
    REQUIRE(pci::pci_enable_wake(dev, power_state::d3hot, false));
    CHECK((control(f) & pm::pme_enable) == 0);
}

TEST_CASE("D3 is the deepest from which the function can wake the machine") {
    sim::bus bus;
    auto& cold = bus.add({.wakes_from = from_d3hot | from_d3cold});
    auto& neither = bus.add({});
    auto& no_management = bus.add({.power_management = false, .wakes_from = from_d3hot});
    pci::device dev(bus, cold);
    REQUIRE(pci::pci_wake_from_d3(dev, true));
    CHECK((control(cold) & pm::pme_enable) != 0);
    pci::device other(bus, neither);
    CHECK(pci::pci_wake_from_d3(other, true).error() == errc::einval);
    CHECK(pci::pci_wake_from_d3(other, false));
    pci::device third(bus, no_management);
    CHECK(pci::pci_wake_from_d3(third, true).error() == errc::einval);
    CHECK(pci::pci_wake_from_d3(third, false));
}

TEST_CASE("what may wake the machine still may when the function sleeps, and when it is awake again") {
    sim::bus bus;
    auto& f = bus.add({.wakes_from = from_d3hot});
    auto bound = pci::bind<driver>(bus, f);
    REQUIRE(bound);
    REQUIRE(bound->suspend());
    CHECK(control(f) == (pm::no_soft_reset | pm::pme_enable | pm::state));
    REQUIRE(bound->resume());
    CHECK(control(f) == (pm::no_soft_reset | pm::pme_enable));
    REQUIRE(bound->unbind());
    CHECK((control(f) & pm::pme_enable) != 0);
}

TEST_CASE("a device that is gone wakes nothing") {
    sim::bus bus;
    auto& f = bus.add({.wakes_from = from_d3hot});
    pci::device dev(bus, f);
    f.surprise_remove();
    CHECK(!pci::pci_pme_capable(dev, power_state::d3hot));
    CHECK(pci::pci_wake_from_d3(dev, true).error() == errc::einval);
}
