// SPDX-License-Identifier: BSL-1.0
#include <devres/linux_model/detail/kernel_vectors.hpp>

#include <functional>
#include <string>
#include <string_view>

#include "linux_model/fixture.hpp"
#include "support/catch.hpp"

using namespace devres::linux_model;
using pci_irq::all_types;
using pci_irq::msi;
using pci_irq::msix;
namespace hardware = devres::hardware;

namespace {

const hardware::function_config with_all{.msix_vectors = 16, .msi_vectors = 4, .intx = true};
const hardware::function_config with_msix{.msix_vectors = 16};
const hardware::function_config with_msi{.msi_vectors = 4};

/// A machine with one function, to which drivers come and go, and what its log says.
struct machine {
    explicit machine(const kernel_version& version, const patch_version& patch = unpatched,
                     const hardware::function_config& config = with_all)
        : linux_(version, patch), dev(linux_.add(config)) {}

    using act = std::function<int(machine&)>;
    int bind(const act& probe, const std::function<void(machine&)>& remove = nullptr) {
        return linux_.bind(dev, {.name = "test",
                                 .probe = [this, probe](pci_dev&) { return probe(*this); },
                                 .remove =
                                     [this, remove](pci_dev&) {
                                         if (remove)
                                             remove(*this);
                                     }});
    }
    /// Binds and unbinds.
    int run(const act& probe, const std::function<void(machine&)>& remove = nullptr) {
        const int probed = bind(probe, remove);
        linux_.unbind(dev);
        return probed;
    }

    int alloc(unsigned min, unsigned max, unsigned flags) { return linux_.pci_alloc_irq_vectors(dev, min, max, flags); }
    int pcim_alloc(unsigned min, unsigned max, unsigned flags) {
        return linux_.pcim_alloc_irq_vectors(dev, min, max, flags);
    }
    void free() { linux_.pci_free_irq_vectors(dev); }

    /// How many messages of the interrupt controller are taken.
    unsigned vectors_left() {
        return hardware::irq_domain::max_numbers - hardware::irq_domain::first_message -
               linux_.hardware().interrupts().available();
    }

    /// What happened since this was asked last, but for binds and probes.
    std::string told() {
        std::string out;
        for (const event& each : linux_.log().take_events()) {
            if (each.kind == event_kind::bind || each.kind == event_kind::probe || each.kind == event_kind::unbound)
                continue;
            out += (out.empty() ? "" : ", ") + std::string(name_of(each.kind));
            if (each.kind == event_kind::alloc || each.kind == event_kind::free)
                out += ' ' + std::to_string(each.value);
            else if (each.kind == event_kind::warning)
                out += ' ' + std::string(name_of(each.warning));
            else if (!each.text.empty())
                out += ' ' + each.text;
        }
        return out;
    }
    /// The kinds of the warnings since this was asked last.
    std::string warned() {
        std::string out;
        for (const event& each : linux_.log().take_events()) {
            if (each.kind == event_kind::warning)
                out += (out.empty() ? "" : ", ") + std::string(name_of(each.warning));
        }
        return out;
    }

    kernel linux_;
    pci_dev& dev;
};

/// A probe's error, or that all went well.
int error_of(int answer) { return answer < 0 ? answer : 0; }

int managed_driver(machine& m) {
    m.linux_.pcim_enable_device(m.dev);
    return error_of(m.alloc(4, 4, msix | msi));
}
int converted_driver(machine& m) {
    m.linux_.pcim_enable_device(m.dev);
    return error_of(m.pcim_alloc(4, 4, msix | msi));
}
int unmanaged_driver(machine& m) {
    m.linux_.pci_enable_device(m.dev);
    return error_of(m.alloc(4, 4, msix | msi));
}

/// Up to 6.10 what pcim_enable_device adds is called pcim_release.
std::string enable_node(const kernel_version& version) {
    return version.enables_each_time ? "pcim_disable_device" : "pcim_release";
}

const kernel_version& kernel_with_msi_context() { return *GENERATE(&linux_6_1, &linux_6_12, &linux_6_18); }
using devres::test::any_kernel;

}  // namespace

TEST_CASE("managed vectors are freed at the unbind, by a node that is younger than their data") {
    const kernel_version& version = kernel_with_msi_context();
    machine m(version);
    for (unsigned round = 0; round != 2; ++round) {
        REQUIRE(m.bind(managed_driver) == 0);
        CHECK(m.dev.is_msi_managed);
        CHECK(m.told() ==
              "add " + enable_node(version) +
                  ", add devm_attr_group_remove, add msi_device_data_release, add pcim_msi_release, alloc 4");
        m.linux_.unbind(m.dev);
        CHECK(m.told() == "unbind, release pcim_msi_release, free 4, release msi_device_data_release, "
                          "release devm_attr_group_remove, release " +
                              enable_node(version));
        CHECK_FALSE(m.dev.is_msi_managed);
        CHECK_FALSE(m.dev.msix_enabled);
        CHECK(m.dev.enable_cnt == 0);
        CHECK(m.vectors_left() == 0);
    }
}

TEST_CASE("in 5.16 the node of pcim_enable_device frees the vectors") {
    machine m(linux_5_16);
    REQUIRE(m.run(managed_driver) == 0);
    CHECK(m.told() == "add pcim_release, alloc 4, unbind, release pcim_release, free 4");
    CHECK(m.vectors_left() == 0);
}

TEST_CASE("managed vectors that were freed by hand are not freed again") {
    machine m(any_kernel());
    CHECK(m.run(managed_driver, [](machine& self) {
        self.free();
        CHECK(self.dev.is_msi_managed == !self.linux_.version().vectors_in_pcim_release);
        self.free();
    }) == 0);
    const std::string all = m.told();
    CHECK(all.find("free 4") == all.rfind("free 4"));
    CHECK(all.find("warning") == std::string::npos);
    CHECK(m.vectors_left() == 0);
}

TEST_CASE("managed vectors that are allocated again are freed by the node that is there") {
    const kernel_version& version = kernel_with_msi_context();
    machine m(version);
    CHECK(m.run([](machine& self) {
        self.linux_.pcim_enable_device(self.dev);
        self.alloc(4, 4, msix);
        self.free();
        return error_of(self.alloc(2, 2, msix));
    }) == 0);
    CHECK(m.told() == "add " + enable_node(version) +
                          ", add devm_attr_group_remove, add msi_device_data_release, add pcim_msi_release, alloc 4, "
                          "free 4, alloc 2, unbind, release pcim_msi_release, free 2, release msi_device_data_release, "
                          "release devm_attr_group_remove, release " +
                          enable_node(version));
    CHECK(m.vectors_left() == 0);
}

TEST_CASE("unmanaged vectors that nobody frees are lost with their data, and the device with them") {
    const kernel_version& version = kernel_with_msi_context();
    const std::string data = version.irq_domain_of_device ? "irq_domain, msi_data" : "msi_data";
    machine m(version);
    REQUIRE(m.bind(unmanaged_driver) == 0);
    CHECK_FALSE(m.dev.is_msi_managed);
    CHECK(m.told() == "add devm_attr_group_remove, add msi_device_data_release, alloc 4");
    const int first = m.linux_.pci_irq_vector(m.dev, 0);
    m.linux_.unbind(m.dev);
    CHECK(m.warned() == data);
    CHECK(m.dev.msix_enabled);
    CHECK(m.vectors_left() == 4);
    CHECK(m.linux_.find_irq(first) != nullptr);
    CHECK(m.linux_.pci_irq_vector(m.dev, 0) == -22);

    CHECK(m.run(managed_driver) == -22);
    CHECK(m.warned() == "double_enable");
    CHECK(m.run(managed_driver) == -22);
    CHECK(m.warned().empty());  // once
    try {
        m.bind([](machine& self) {
            self.free();
            return 0;
        });
        FAIL("it should have stopped");
    } catch (const oops& stopped) {
        CHECK(stopped.what() == std::string_view("mutex_lock"));
    }
    CHECK(m.linux_.log().stopped());
    CHECK(m.dev.msix_enabled);
}

TEST_CASE("in 5.16 unmanaged vectors that nobody freed can still be freed by the next driver") {
    machine m(linux_5_16);
    CHECK(m.run(unmanaged_driver) == 0);
    CHECK(m.warned().empty());
    CHECK(m.dev.msix_enabled);
    CHECK(m.run(unmanaged_driver) == -22);
    CHECK(m.warned() == "double_enable");
    CHECK(m.run([](machine& self) {
        self.free();
        return 0;
    }) == 0);
    CHECK(m.vectors_left() == 0);
    CHECK(m.run(managed_driver) == 0);
}

TEST_CASE("leaked MSI, on 6.1: the next driver sets up new data, and halts the kernel when it frees") {
    machine m(linux_6_1, unpatched, with_msi);
    REQUIRE(m.run(unmanaged_driver) == 0);
    CHECK(m.warned() == "msi_data");
    CHECK_THROWS_AS(m.run(managed_driver), oops);  // the node that it gets frees, though it has got no vectors
    CHECK(m.told() ==
          "add pcim_release, add devm_attr_group_remove, add msi_device_data_release, add pcim_msi_release, "
          "warning double_enable, alloc -22, message probe of test failed with error -22, "
          "release pcim_msi_release, warning msi_shutdown, oops pci_disable_msi");
}

TEST_CASE("leaked MSI, from 6.12 on: the next driver gets an error and no data") {
    machine m(*GENERATE(&linux_6_12, &linux_6_18), unpatched, with_msi);
    REQUIRE(m.run(unmanaged_driver) == 0);
    CHECK(m.warned() == "irq_domain, msi_data");
    CHECK(m.run(managed_driver) == -22);
    CHECK(m.told() == "add pcim_disable_device, message can't enable MSI-X (MSI already enabled), "
                      "warning double_enable, alloc -22, message probe with driver test failed with error -22, "
                      "release pcim_disable_device");
    CHECK(m.dev.msi_enabled);
    CHECK(m.dev.irq == 24);  // the first of those that leaked
}

TEST_CASE("a leak is warned of once for all devices, that of an interrupt domain each time") {
    machine m(linux_6_12);
    pci_dev& other = m.linux_.add(with_all);
    m.run(unmanaged_driver);
    m.linux_.bind(other, {.name = "test", .probe = [&](pci_dev& dev) {
                              m.linux_.pci_enable_device(dev);
                              return error_of(m.linux_.pci_alloc_irq_vectors(dev, 1, 1, msix));
                          }});
    m.linux_.unbind(other);
    CHECK(m.warned() == "irq_domain, msi_data, irq_domain");
    CHECK(m.vectors_left() == 5);
}

TEST_CASE("an attempt at MSI-X that cannot succeed leaves nodes behind up to 6.1") {
    const kernel_version& version = any_kernel();
    machine m(version, unpatched, with_msi);
    CHECK(m.bind([](machine& self) {
        self.linux_.pcim_enable_device(self.dev);
        CHECK(self.alloc(1, 4, msix) == -22);
        return 0;
    }) == 0);
    const std::string context = &version == &linux_6_1
                                    ? "add devm_attr_group_remove, add msi_device_data_release, add pcim_msi_release, "
                                    : "";
    CHECK(m.told() == "add " + enable_node(version) + ", " + context + "alloc -22");
    CHECK(m.dev.is_msi_managed == !context.empty());
    m.linux_.unbind(m.dev);
    CHECK(m.warned().empty());
    CHECK_FALSE(m.dev.is_msi_managed);
}

TEST_CASE("MSI after an attempt at MSI-X has one node of each kind") {
    const kernel_version& version = kernel_with_msi_context();
    machine m(version, unpatched, with_msi);
    REQUIRE(m.bind(managed_driver) == 0);
    CHECK(m.told() == "add " + enable_node(version) +
                          ", add devm_attr_group_remove, add msi_device_data_release, add pcim_msi_release, alloc 4");
    m.linux_.unbind(m.dev);
    CHECK(m.vectors_left() == 0);
    CHECK_FALSE(m.dev.msi_enabled);
}

TEST_CASE("INTx alone has no nodes") {
    const kernel_version& version = any_kernel();
    machine m(version);
    CHECK(m.run([](machine& self) {
        self.linux_.pcim_enable_device(self.dev);
        return error_of(self.alloc(1, 1, pci_irq::intx));
    }) == 0);
    CHECK(m.told() == "add " + enable_node(version) + ", alloc 1, unbind, release " + enable_node(version));
}

TEST_CASE("a group that has the first allocation frees its vectors, and they can be had again") {
    machine m(kernel_with_msi_context());
    CHECK(m.run([](machine& self) {
        self.linux_.pcim_enable_device(self.dev);
        self.dev.devres_open_group(&self);
        CHECK(self.alloc(4, 4, msix) == 4);
        self.dev.devres_close_group(&self);
        CHECK(self.dev.devres_release_group(&self) == 3);
        CHECK_FALSE(self.dev.msix_enabled);
        CHECK_FALSE(self.dev.is_msi_managed);
        CHECK(self.vectors_left() == 0);
        return error_of(self.alloc(4, 4, msix));
    }) == 0);
    CHECK(m.warned().empty());
    CHECK(m.vectors_left() == 0);
}

TEST_CASE("a group does not free its vectors if somebody tried before it was opened") {
    const unsigned first = GENERATE(0U, 1U);
    machine m(kernel_with_msi_context());
    CHECK(m.run([&](machine& self) {
        self.linux_.pcim_enable_device(self.dev);
        if (first == 0) {
            // Passes what is looked at before the nodes are set up, and fails then.
            self.linux_.hardware().set_available_vectors(1);
            CHECK(self.alloc(2, 4, msix) == -28);
            self.linux_.hardware().set_available_vectors(1000);
        } else {
            CHECK(self.alloc(4, 4, msix) == 4);
            self.free();
        }
        self.dev.devres_open_group(&self);
        CHECK(self.alloc(4, 4, msix) == 4);
        self.dev.devres_close_group(&self);
        CHECK(self.dev.devres_release_group(&self) == 0);
        CHECK(self.dev.msix_enabled);
        CHECK(self.linux_.pci_irq_vector(self.dev, 3) > 0);
        return 0;
    }) == 0);
    CHECK_FALSE(m.dev.msix_enabled);
    CHECK(m.warned().empty());
}

TEST_CASE("up to 6.1, an attempt that could not succeed takes a later group's vectors from it [P05, P09]") {
    const kernel_version& version = kernel_with_msi_context();
    const bool old = version.msix_context_first;
    machine m(version, unpatched, with_msix);
    CHECK(m.run([&](machine& self) {
        self.linux_.pcim_enable_device(self.dev);
        CHECK(self.alloc(17, 17, msix) == -28);
        self.dev.devres_open_group(&self);
        CHECK(self.alloc(4, 4, msix) == 4);
        CHECK(self.dev.devres_release_group(&self) == (old ? 0 : 3));
        CHECK(self.dev.msix_enabled == old);
        return 0;
    }) == 0);
    CHECK(m.warned().empty());
    CHECK(m.vectors_left() == 0);
}

TEST_CASE("a group of an unmanaged device has the data and not the vectors, which are lost") {
    const kernel_version& version = kernel_with_msi_context();
    machine m(version);
    CHECK(m.bind([](machine& self) {
        self.linux_.pci_enable_device(self.dev);
        self.dev.devres_open_group(&self);
        CHECK(self.alloc(4, 4, msix) == 4);
        self.dev.devres_release_group(&self);
        return 0;
    }) == 0);
    CHECK(m.dev.msix_enabled);
    CHECK(m.warned() == (version.irq_domain_of_device ? "irq_domain, msi_data" : "msi_data"));
}

TEST_CASE("after a managed driver, an unmanaged one's vectors are freed up to 6.10 and lost from then on") {
    const kernel_version& version = any_kernel();
    machine m(version);
    REQUIRE(m.run(managed_driver) == 0);
    CHECK(m.dev.is_managed == !version.managed_bit_cleared);
    m.told();
    REQUIRE(m.run(unmanaged_driver) == 0);
    if (version.managed_bit_cleared) {
        CHECK(m.warned() == "irq_domain, msi_data");
        CHECK(m.vectors_left() == 4);
    } else if (version.vectors_in_pcim_release) {
        CHECK(m.warned().empty());
        CHECK(m.vectors_left() == 4);  // its node went with the driver before
    } else {
        CHECK(m.told() ==
              "add devm_attr_group_remove, add msi_device_data_release, add pcim_msi_release, alloc 4, unbind, "
              "release pcim_msi_release, free 4, release msi_device_data_release, "
              "release devm_attr_group_remove");
        CHECK(m.vectors_left() == 0);
    }
}

TEST_CASE("a failed probe is cleaned up after like an unbind") {
    machine m(any_kernel());
    CHECK(m.run([](machine& self) {
        REQUIRE(managed_driver(self) == 0);
        return -5;
    }) == -5);
    CHECK(m.warned().empty());
    CHECK(m.vectors_left() == 0);
    CHECK(m.dev.enable_cnt == 0);
    CHECK_FALSE(m.dev.has_resources());
    CHECK(m.run(managed_driver) == 0);
}

TEST_CASE("without a patch, and with version 3 of it, the new function is the old one [section 3]") {
    const patch_version& patch = *GENERATE(&unpatched, &patch_v3);
    const kernel_version& version = any_kernel();
    machine plain(version);
    machine converted(version, patch);
    CHECK(plain.run(managed_driver) == 0);
    CHECK(converted.run(converted_driver) == 0);
    CHECK(converted.told() == plain.told());
    CHECK(converted.vectors_left() == 0);

    // On an unmanaged device it leaks like the old one.
    const auto probe = [](machine& self) {
        self.linux_.pci_enable_device(self.dev);
        return error_of(self.pcim_alloc(4, 4, msix));
    };
    machine leaking(version, patch);
    CHECK(leaking.run(probe) == 0);
    CHECK(leaking.vectors_left() == 4);
    CHECK(leaking.dev.msix_enabled);
    CHECK(leaking.warned().empty() == version.vectors_in_pcim_release);
}

TEST_CASE("version 1 of the first patch: nobody frees, and the device cannot be used again [section 3]") {
    const kernel_version& version = kernel_with_msi_context();
    machine m(version, patch_v1_1);
    REQUIRE(m.bind(converted_driver) == 0);
    CHECK(m.told() ==
          "add " + enable_node(version) + ", add devm_attr_group_remove, add msi_device_data_release, alloc 4");
    m.linux_.unbind(m.dev);
    CHECK(m.warned() == (version.irq_domain_of_device ? "irq_domain, msi_data" : "msi_data"));
    CHECK(m.vectors_left() == 4);
    CHECK(m.dev.msix_enabled);
    CHECK(m.dev.is_msi_managed);
    CHECK(m.run(converted_driver) == -22);
    CHECK(m.told() == "add " + enable_node(version) +
                          ", warning double_enable, message can't enable MSI (MSI-X already enabled), alloc -22, "
                          "message " +
                          std::string(version.probe_failed) + "test failed with error -22, release " +
                          enable_node(version));
}

TEST_CASE("version 1 of the first patch: the flag is set by a call that fails, and never cleared [section 3]") {
    machine m(kernel_with_msi_context(), patch_v1_1);
    const bool fails = GENERATE(false, true);
    CHECK(m.run(
              [&](machine& self) {
                  self.linux_.pcim_enable_device(self.dev);
                  if (fails)
                      CHECK(self.pcim_alloc(17, 17, msix) == -28);
                  else
                      CHECK(self.pcim_alloc(4, 4, msix) == 4);
                  return 0;
              },
              [](machine& self) { self.free(); }) == 0);
    CHECK(m.warned().empty());
    CHECK(m.dev.is_msi_managed);
    CHECK(m.run(managed_driver) == 0);  // one that was never converted
    CHECK(m.warned().find("msi_data") != std::string::npos);
    CHECK(m.vectors_left() == 4);
}

TEST_CASE("version 1 of the first patch: whom it does not concern is as before [section 3]") {
    const kernel_version& version = any_kernel();
    machine plain(version);
    machine m(version, patch_v1_1);
    CHECK(plain.run(managed_driver) == 0);
    CHECK(m.run(managed_driver) == 0);
    CHECK(m.told() == plain.told());
}

TEST_CASE("the whole of version 1: vectors are managed by the function that says so [section 3]") {
    const kernel_version& version = kernel_with_msi_context();
    machine m(version, patch_v1_full);
    for (unsigned round = 0; round != 2; ++round) {
        REQUIRE(m.run(converted_driver) == 0);
        CHECK(m.told() ==
              "add " + enable_node(version) +
                  ", add devm_attr_group_remove, add msi_device_data_release, add pcim_msi_release, alloc 4, "
                  "unbind, release pcim_msi_release, free 4, release msi_device_data_release, "
                  "release devm_attr_group_remove, release " +
                  enable_node(version));
        CHECK(m.vectors_left() == 0);
        CHECK(m.dev.is_msi_managed);  // for ever
    }
    CHECK(m.run([](machine& self) {  // even without a managed enable
        self.linux_.pci_enable_device(self.dev);
        return error_of(self.pcim_alloc(4, 4, msix));
    }) == 0);
    CHECK(m.vectors_left() == 0);
}

TEST_CASE("the whole of version 1: after a managed driver every later one is managed, unsaid [section 3]") {
    machine m(kernel_with_msi_context(), patch_v1_full);
    REQUIRE(m.run(converted_driver) == 0);
    m.told();
    REQUIRE(m.run(unmanaged_driver) == 0);
    CHECK(m.told() ==
          "add devm_attr_group_remove, add msi_device_data_release, add pcim_msi_release, alloc 4, unbind, "
          "release pcim_msi_release, free 4, release msi_device_data_release, release devm_attr_group_remove");
    CHECK(m.vectors_left() == 0);
}

TEST_CASE("the whole of version 1: every attempt adds a node that frees [section 3]") {
    const kernel_version& version = kernel_with_msi_context();
    machine m(version, patch_v1_full, with_msi);
    REQUIRE(m.bind(converted_driver) == 0);
    // 6.1 sets them up for MSI-X, which is not there, and again for MSI.
    const std::string twice = version.msix_context_first ? "add pcim_msi_release, " : "";
    CHECK(m.told() == "add " + enable_node(version) +
                          ", add devm_attr_group_remove, add msi_device_data_release, add pcim_msi_release, " + twice +
                          "alloc 4");
    m.free();
    REQUIRE(m.pcim_alloc(2, 2, msi) == 2);
    CHECK(m.told() == "free 4, add pcim_msi_release, alloc 2");
    m.linux_.unbind(m.dev);
    CHECK(m.warned().empty());
    CHECK(m.vectors_left() == 0);
}

TEST_CASE("the whole of version 1: a managed device's plain allocation is lost, which it was not [section 3]") {
    const kernel_version& version = kernel_with_msi_context();
    machine m(version, patch_v1_full);
    REQUIRE(m.run(managed_driver) == 0);
    CHECK(m.told().find("pcim_msi_release") == std::string::npos);
    CHECK(m.vectors_left() == 4);
    CHECK(m.dev.msix_enabled);
    CHECK(m.run(managed_driver) == -22);
}

TEST_CASE("5.16 has no node for the patches to change [section 3]") {
    const patch_version& patch = *GENERATE(&patch_v1_1, &patch_v1_full, &patch_v3);
    machine m(linux_5_16, patch);
    REQUIRE(m.run(converted_driver) == 0);
    CHECK(m.told() == "add pcim_release, alloc 4, unbind, release pcim_release, free 4");
    CHECK(m.vectors_left() == 0);
}
