// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/bar_resource.hpp>

#include <devres/any_platform.hpp>
#include <devres/sim.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

struct asking_driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto registers, pci::pci_resource(dev, pci::bar_number(0)));
        if (registers.size != 4096 || registers.io)
            return fail(errc::eio);
        if (pci::pci_resource(dev, pci::bar_number(1)).error() != errc::einval)
            return fail(errc::eio);
        return pci::pci_select_bars(dev) == 0b101 && pci::pci_select_bars(dev, true) == 0 ? result<>()
                                                                                          : fail(errc::eio);
    }
};

template <class P>
constexpr bool can_ask = requires(const pci::device<P>& dev) { pci::pci_resource(dev, pci::bar_number(0)); };

}  // namespace

TEST_CASE("a driver asks what its BARs are before it enables anything") {
    sim::bus bus;
    CHECK(pci::bind<asking_driver>(bus, bus.add({.bar_sizes = {4096, 0, 8192}})));
}

TEST_CASE("D007: a platform that does not say what BARs are is a platform, but cannot be asked") {
    STATIC_REQUIRE(pci::platform<test::null_platform>);
    STATIC_REQUIRE(!can_ask<test::null_platform>);
    STATIC_REQUIRE(can_ask<pci::any_platform>);
}
