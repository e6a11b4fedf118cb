// SPDX-License-Identifier: BSL-1.0
#include <devres/linux_model/detail/kernel_drivers.hpp>

#include <stdexcept>
#include <string>

#include <devres/pci/address.hpp>

#include "linux_model/fixture.hpp"
#include "support/catch.hpp"

using namespace devres::linux_model;
using pci_irq::msix;
namespace reg = devres::pci::registers;
namespace hardware = devres::hardware;

namespace {

const hardware::function_config usual{.msix_vectors = 4, .msi_vectors = 4, .intx = true, .bar_sizes = {4096}};

using devres::test::any_kernel;
const kernel_version& kernel_up_to_6_10() { return *GENERATE(&linux_5_16, &linux_6_1); }
const kernel_version& kernel_from_6_11() { return *GENERATE(&linux_6_12, &linux_6_18); }

/// A machine with one function.
struct machine {
    explicit machine(const kernel_version& version) : linux_(version), dev(linux_.add(usual)) {}

    template <class Probe>
    int bind(Probe probe) {
        return linux_.bind(dev, {.name = "test", .probe = [probe](pci_dev&) { return probe(); }});
    }
    template <class Probe>
    int run(Probe probe) {
        const int probed = bind(probe);
        linux_.unbind(dev);
        return probed;
    }

    unsigned command() { return linux_.read_config(dev, reg::command, 2).value(); }
    /// What happened since this was asked last.
    std::string told() {
        std::string out;
        for (const event& each : linux_.log().take_events()) {
            out += (out.empty() ? "" : ", ") + std::string(name_of(each.kind));
            if (!each.text.empty())
                out += ' ' + each.text;
            else if (each.kind == event_kind::probe || each.kind == event_kind::alloc || each.kind == event_kind::free)
                out += ' ' + std::to_string(each.value);
        }
        return out;
    }

    kernel linux_;
    pci_dev& dev;
};

}  // namespace

TEST_CASE("a driver is bound, and unbound before its resources are released [1.5 #3]") {
    machine m(any_kernel());
    std::string seen;
    CHECK(m.linux_.bind(m.dev, {.name = "test",
                                .probe =
                                    [&](pci_dev& dev) {
                                        CHECK_FALSE(dev.has_resources());
                                        return m.linux_.pcim_enable_device(dev);
                                    },
                                .remove =
                                    [&](pci_dev& dev) {
                                        CHECK(dev.has_resources());
                                        CHECK(dev.enable_cnt == 1);
                                        seen = "removed";
                                    }}) == 0);
    CHECK(seen.empty());
    m.linux_.unbind(m.dev);
    CHECK(seen == "removed");
    CHECK(m.dev.enable_cnt == 0);
    CHECK_FALSE(m.dev.has_resources());
    const std::string node = m.linux_.version().enables_each_time ? "pcim_disable_device" : "pcim_release";
    CHECK(m.told() == "bind test, add " + node + ", probe 0, unbind, release " + node + ", unbound");
    m.linux_.unbind(m.dev);
    CHECK(m.told().empty());
}

TEST_CASE("a driver without a remove leaves all to its list [1.5 #4]") {
    machine m(any_kernel());
    m.run([&] { return m.linux_.pcim_enable_device(m.dev); });
    CHECK(m.dev.enable_cnt == 0);
}

TEST_CASE("a function has one driver at a time") {
    machine m(any_kernel());
    REQUIRE(m.bind([] { return 0; }) == 0);
    CHECK(m.bind([] { return 0; }) == -16);
    m.linux_.unbind(m.dev);
    CHECK(m.bind([] { return 0; }) == 0);
}

TEST_CASE("a device with resources on its list is not probed, and stays so [D09, 1.5 #1]") {
    machine m(any_kernel());
    struct late {
        static void add(device& dev, void*) {
            dev.devres_add(dev.devres_alloc([](device&, void*) {}, 0, "late"));
        }
    };
    REQUIRE(m.run([&] {
        m.dev.devres_add(m.dev.devres_alloc(late::add, 0, "callback"));
        return 0;
    }) == 0);
    CHECK(m.told() == "bind test, add callback, probe 0, unbind, release callback, add late, unbound");
    bool probed = false;
    for (unsigned round = 0; round != 2; ++round) {
        CHECK(m.bind([&] {
            probed = true;
            return 0;
        }) == -16);
        CHECK(m.told() == "bind test, message Resources present before probing, probe -16");
    }
    CHECK_FALSE(probed);
    CHECK(m.dev.has_resources());
}

TEST_CASE("a failed probe releases its resources, in words that differ [C07, 1.5 #2]") {
    machine m(any_kernel());
    const bool enables_each_time = m.linux_.version().enables_each_time;
    const std::string node = enables_each_time ? "pcim_disable_device" : "pcim_release";
    CHECK(m.bind([&] {
        m.linux_.pcim_enable_device(m.dev);
        return -5;
    }) == -5);
    CHECK(m.told() == "bind test, add " + node + ", probe -5, message " +
                          (enables_each_time ? "probe with driver test" : "probe of test") +
                          " failed with error -5, release " + node + ", unbound");
    CHECK(m.dev.enable_cnt == 0);
    CHECK(m.bind([] { return 0; }) == 0);
}

TEST_CASE("that there is no device, or not yet, is no reason for a line [1.5 #2]") {
    machine m(any_kernel());
    for (const int error : {-19, -6, -517}) {
        CHECK(m.bind([error] { return error; }) == error);
        CHECK(m.told() == "bind test, probe " + std::to_string(error) + ", unbound");
    }
}

TEST_CASE("a probe that returns more than 0 has succeeded, which is remarked on") {
    machine m(any_kernel());
    CHECK(m.bind([] { return 7; }) == 0);
    CHECK(m.told() == "bind test, message Driver probe function unexpectedly returned 7, probe 0");
    CHECK(m.bind([] { return 0; }) == -16);
}

TEST_CASE("a kernel that stops in a probe leaves the device as it is") {
    machine m(any_kernel());
    CHECK_THROWS_AS(m.bind([&] {
        m.linux_.pcim_enable_device(m.dev);
        m.dev.devres_add(m.dev.devres_alloc([](device&, void*) {}, 8, "node"));
        m.dev.devres_close_group(m.dev.devres_open_group());
        m.linux_.log().stop("somewhere");
        return 0;
    }),
                    oops);
    CHECK(m.linux_.log().stopped());
    CHECK(m.dev.enable_cnt == 1);
    CHECK(m.dev.has_resources());
    CHECK(m.bind([] { return 0; }) == -16);  // it is in the middle of a probe
}

TEST_CASE("a kernel that stops in a remove, or in a release, leaves the rest") {
    const bool in_remove = GENERATE(true, false);
    machine m(any_kernel());
    REQUIRE(m.linux_.bind(m.dev, {.name = "test",
                                  .probe =
                                      [&](pci_dev& dev) {
                                          m.linux_.pcim_enable_device(dev);
                                          if (!in_remove)
                                              dev.devm_add_action(
                                                  [](void* log) { static_cast<event_log*>(log)->stop("action"); },
                                                  &m.linux_.log());
                                          return 0;
                                      },
                                  .remove =
                                      [&](pci_dev&) {
                                          if (in_remove)
                                              m.linux_.log().stop("remove");
                                      }}) == 0);
    CHECK_THROWS_AS(m.linux_.unbind(m.dev), oops);
    CHECK(m.dev.enable_cnt == 1);
    CHECK(m.dev.has_resources() == in_remove);
}

TEST_CASE("a managed device is enabled once up to 6.10, however often that is asked for") {
    machine m(kernel_up_to_6_10());
    m.run([&] {
        CHECK(m.linux_.pcim_enable_device(m.dev) == 0);
        CHECK(m.linux_.pcim_enable_device(m.dev) == 0);
        CHECK(m.dev.enable_cnt == 1);
        return 0;
    });
    CHECK(m.dev.enable_cnt == 0);
    CHECK(m.told() == "bind test, add pcim_release, probe 0, unbind, release pcim_release, unbound");
}

TEST_CASE("a managed device is enabled each time from 6.11 on, and disabled as often") {
    machine m(kernel_from_6_11());
    m.run([&] {
        CHECK(m.linux_.pcim_enable_device(m.dev) == 0);
        CHECK(m.linux_.pcim_enable_device(m.dev) == 0);
        CHECK(m.dev.enable_cnt == 2);
        return 0;
    });
    CHECK(m.dev.enable_cnt == 0);
    CHECK(m.told() == "bind test, add pcim_disable_device, add pcim_disable_device, probe 0, unbind, "
                      "release pcim_disable_device, release pcim_disable_device, unbound");
}

TEST_CASE("disabling a managed device by hand is forgiven up to 6.10") {
    machine m(kernel_up_to_6_10());
    m.run([&] {
        m.linux_.pcim_enable_device(m.dev);
        m.linux_.pci_disable_device(m.dev);
        CHECK(m.dev.enable_cnt == 0);
        return 0;
    });
    CHECK(m.dev.enable_cnt == 0);
    CHECK(m.told() == "bind test, add pcim_release, probe 0, unbind, release pcim_release, unbound");
    m.run([&] {  // and it can be enabled again
        m.linux_.pcim_enable_device(m.dev);
        m.linux_.pci_disable_device(m.dev);
        CHECK(m.linux_.pcim_enable_device(m.dev) == 0);
        CHECK(m.dev.enable_cnt == 1);
        return 0;
    });
    CHECK(m.dev.enable_cnt == 0);
}

TEST_CASE("disabling a managed device by hand disables it once too often from 6.11 on") {
    machine m(kernel_from_6_11());
    const auto probe = [&] {
        m.linux_.pcim_enable_device(m.dev);
        m.linux_.pci_disable_device(m.dev);
        return 0;
    };
    m.run(probe);
    CHECK(m.dev.enable_cnt == -1);
    CHECK(m.told() == "bind test, add pcim_disable_device, probe 0, unbind, release pcim_disable_device, "
                      "warning disabling already-disabled device, unbound");
    m.run(probe);
    CHECK(m.told().find("warning") == std::string::npos);  // it comes once
}

TEST_CASE("a device is disabled when it is disabled as often as enabled") {
    machine m(any_kernel());
    CHECK(m.linux_.pci_enable_device(m.dev) == 0);
    CHECK(m.linux_.pci_enable_device(m.dev) == 0);
    m.linux_.pci_set_master(m.dev);
    CHECK(m.dev.enable_cnt == 2);
    m.linux_.pci_disable_device(m.dev);
    CHECK((m.command() & reg::command_bits::master) != 0);
    m.linux_.pci_disable_device(m.dev);
    CHECK((m.command() & reg::command_bits::master) == 0);
    CHECK((m.command() & reg::command_bits::memory) != 0);  // Linux leaves it on
    CHECK(m.told().empty());
    m.linux_.pci_disable_device(m.dev);
    CHECK(m.told() == "warning disabling already-disabled device");
    CHECK(m.dev.enable_cnt == -1);
}

TEST_CASE("a device that is gone cannot be enabled, and the node for it stays up to 6.10 [1.2 #1]") {
    machine m(any_kernel());
    const bool stays = !m.linux_.version().enables_each_time;
    m.dev.hardware.surprise_remove();
    m.bind([&] {
        CHECK(m.linux_.pci_enable_device(m.dev) == -19);
        CHECK(m.linux_.pcim_enable_device(m.dev) == -19);
        CHECK(m.dev.enable_cnt == 0);
        CHECK_FALSE(m.dev.is_managed);
        CHECK(m.dev.has_resources() == stays);
        return 0;
    });
    m.linux_.unbind(m.dev);
    CHECK(m.dev.enable_cnt == 0);
    CHECK_FALSE(m.dev.has_resources());
    CHECK(m.told().find("warning") == std::string::npos);
}

TEST_CASE("a device that is pinned stays enabled when its driver goes") {
    machine m(any_kernel());
    const bool sticky = m.linux_.version().pin_is_of_device;
    m.run([&] {
        m.linux_.pcim_enable_device(m.dev);
        m.linux_.pcim_pin_device(m.dev);
        return 0;
    });
    CHECK(m.dev.enable_cnt == 1);
    CHECK(m.dev.pinned == sticky);
    m.run([&] { return m.linux_.pcim_enable_device(m.dev); });  // which pins nothing
    CHECK(m.dev.enable_cnt == (sticky ? 2 : 1));
    CHECK(m.told().find("warning") == std::string::npos);
}

TEST_CASE("pinning what is not enabled and managed is warned of up to 6.10 [1.2 #4]") {
    machine m(any_kernel());
    const bool warned = !m.linux_.version().pin_is_of_device;
    m.linux_.pci_enable_device(m.dev);
    m.linux_.pcim_pin_device(m.dev);
    CHECK(m.told() == (warned ? "warning WARNING in pcim_pin_device" : ""));
    CHECK(m.dev.pinned == !warned);
}

TEST_CASE("INTx is on or off at the end of a managed driver with MSI as its version has it") {
    machine m(any_kernel());
    const auto intx_is_off = [&] { return (m.command() & reg::command_bits::intx_disable) != 0; };
    m.linux_.pci_intx(m.dev, false);
    REQUIRE(intx_is_off());
    m.run([&] {
        m.linux_.pcim_enable_device(m.dev);
        m.linux_.pci_intx(m.dev, true);
        REQUIRE(m.linux_.pci_alloc_irq_vectors(m.dev, 1, 4, msix) == 4);
        CHECK(intx_is_off());
        return 0;
    });
    // Up to 6.10 as before; from then on INTx is not managed, and on after MSI.
    CHECK(intx_is_off() == !m.linux_.version().enables_each_time);
}

TEST_CASE("INTx of an unmanaged driver stays as it leaves it") {
    machine m(any_kernel());
    m.run([&] {
        m.linux_.pci_enable_device(m.dev);
        m.linux_.pci_intx(m.dev, false);
        m.linux_.pci_disable_device(m.dev);
        return 0;
    });
    CHECK((m.command() & reg::command_bits::intx_disable) != 0);
}

TEST_CASE("INTx has the firmware's number until the device is enabled, and one that exists while it is") {
    machine m(any_kernel());
    const int before = m.dev.irq;
    CHECK(m.linux_.find_irq(before) != nullptr);
    m.linux_.pci_enable_device(m.dev);
    const int line = m.dev.irq;
    CHECK(line == static_cast<int>(m.linux_.read_config(m.dev, reg::interrupt_line, 1).value()));
    REQUIRE(m.linux_.find_irq(line) != nullptr);
    CHECK(m.linux_.find_irq(line)->is_line);
    m.linux_.pci_enable_device(m.dev);
    m.linux_.pci_disable_device(m.dev);
    CHECK(m.linux_.find_irq(line) != nullptr);
    m.linux_.pci_disable_device(m.dev);
    CHECK(m.linux_.find_irq(line) == nullptr);
    CHECK(m.dev.irq == line);
    m.linux_.pci_enable_device(m.dev);
    CHECK(m.dev.irq == line);
}

TEST_CASE("INTx keeps its number while there are MSI-X vectors, and after them") {
    machine m(any_kernel());
    m.linux_.pci_enable_device(m.dev);
    const int line = m.dev.irq;
    REQUIRE(m.linux_.pci_alloc_irq_vectors(m.dev, 4, 4, msix) == 4);
    m.linux_.pci_disable_device(m.dev);
    CHECK(m.linux_.find_irq(line) != nullptr);
    m.linux_.pci_free_irq_vectors(m.dev);
    m.linux_.pci_enable_device(m.dev);
    CHECK(m.dev.irq == line);
    m.linux_.pci_disable_device(m.dev);
    CHECK(m.linux_.find_irq(line) == nullptr);
}

TEST_CASE("enabling finds out whether the device is awake, and wakes it the first time") {
    machine m(any_kernel());
    CHECK(m.dev.current_state == power_state::unknown);
    m.run([&] {
        m.linux_.pci_enable_device(m.dev);
        CHECK(m.dev.current_state == power_state::d0);
        return 0;
    });
    CHECK(m.dev.current_state == power_state::d0);
    const unsigned power = m.dev.hardware.capabilities().power_management + reg::power_management::control;
    REQUIRE(m.linux_.write_config(m.dev, power, 2, reg::power_management::state));
    m.linux_.pci_enable_device(m.dev);  // for the second time: it was left enabled
    CHECK(m.dev.current_state == power_state::d3hot);
    m.linux_.pci_disable_device(m.dev);
    m.linux_.pci_disable_device(m.dev);
    m.linux_.pci_enable_device(m.dev);
    CHECK(m.dev.current_state == power_state::d0);
    CHECK((m.linux_.read_config(m.dev, power, 2).value() & reg::power_management::state) == 0);
}

TEST_CASE("a driver finds the same after any number of clean unbinds") {
    machine m(any_kernel());
    const auto probe = [&] {
        m.linux_.pcim_enable_device(m.dev);
        m.linux_.pci_set_master(m.dev);
        return m.linux_.pci_alloc_irq_vectors(m.dev, 4, 4, msix) == 4 ? 0 : -28;
    };
    REQUIRE(m.run(probe) == 0);
    const std::string first = m.told();
    const auto before = m.dev.hardware.state().config;
    const int irq = m.dev.irq;
    const bool is_managed = m.dev.is_managed;
    for (unsigned round = 0; round != 3; ++round) {
        REQUIRE(m.run(probe) == 0);
        CHECK(m.told() == first);
        CHECK((m.dev.hardware.state().config == before));
        CHECK(m.dev.irq == irq);
        CHECK(m.dev.is_managed == is_managed);
        CHECK_FALSE(m.dev.is_msi_managed);
        CHECK_FALSE(m.dev.msix_enabled);
        CHECK(m.dev.enable_cnt == 0);
    }
}

TEST_CASE("functions are found by their address") {
    kernel linux(linux_6_1);
    pci_dev& a = linux.add(usual);
    pci_dev& b = linux.add({.address = {0, 0x3a, 0, 1}});
    CHECK(&linux.at(a.hardware.address()) == &a);
    CHECK(&linux.at(devres::pci::address(0, 0x3a, 0, 1)) == &b);
    CHECK_THROWS_AS(linux.at(devres::pci::address(0, 0x3a, 0, 2)), std::out_of_range);
    CHECK_THROWS_AS(linux.add({.address = {0, 0x3a, 0, 1}}), std::invalid_argument);
    CHECK(b.irq == 0);  // it has no INTx
    CHECK(&linux.version() == &linux_6_1);
    CHECK(&linux.patch() == &unpatched);
}
