// SPDX-License-Identifier: BSL-1.0
#include <devres/linux_model/detail/kernel_vectors.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "linux_model/fixture.hpp"
#include "support/catch.hpp"

using namespace devres::linux_model;
using devres::pci::irq_affinity;
using devres::pci::irq_return;
using devres::pci::irq_type;
namespace hardware = devres::hardware;
namespace reg = devres::pci::registers;

static_assert(pci_irq::intx == static_cast<unsigned>(irq_type::intx));
static_assert(pci_irq::msi == static_cast<unsigned>(irq_type::msi));
static_assert(pci_irq::msix == static_cast<unsigned>(irq_type::msix));
static_assert(pci_irq::all_types == static_cast<unsigned>(irq_type::all));
static_assert(pci_irq::virtual_entries == static_cast<unsigned>(irq_type::virtual_entries));

namespace {

using pci_irq::all_types;
using pci_irq::msi;
using pci_irq::msix;

const hardware::function_config with_all{.msix_vectors = 16, .msi_vectors = 4, .intx = true, .bar_sizes = {4096}};
const hardware::function_config with_msix{.msix_vectors = 16, .intx = true};
const hardware::function_config with_msi{.msi_vectors = 4, .intx = true};
const hardware::function_config with_intx{.intx = true};
const hardware::function_config with_none{};

using devres::test::any_kernel;

/// A function that a driver has enabled.
struct enabled {
    enabled(const kernel_version& version, const hardware::function_config& config)
        : linux_(version), dev(linux_.add(config)) {
        linux_.pci_enable_device(dev);
        linux_.pci_set_master(dev);
    }

    int alloc(unsigned min, unsigned max, unsigned flags, const irq_affinity* affinity = nullptr) {
        return linux_.pci_alloc_irq_vectors_affinity(dev, min, max, flags, affinity);
    }
    void free() { linux_.pci_free_irq_vectors(dev); }
    int vector(unsigned index) const { return linux_.pci_irq_vector(dev, index); }
    unsigned config(unsigned offset, unsigned width) { return linux_.read_config(dev, offset, width).value(); }
    bool intx_is_on() { return (config(reg::command, 2) & reg::command_bits::intx_disable) == 0; }

    /// The kernel's log since this was asked last: warnings and lines.
    std::string said() { return devres::test::said(linux_.log()); }

    kernel linux_;
    pci_dev& dev;
};

irq_return ignore(unsigned, void*) { return irq_return::handled; }

}  // namespace

TEST_CASE("MSI-X is clamped to its table, and freeing it twice does nothing") {
    enabled d(any_kernel(), with_all);
    for (unsigned round = 0; round != 2; ++round) {
        CHECK(d.alloc(1, 32, all_types) == 16);
        CHECK(d.dev.msix_enabled);
        CHECK_FALSE(d.dev.msi_enabled);
        CHECK(d.vector(15) > 0);
        CHECK(d.vector(16) == -22);
        d.free();
        CHECK_FALSE(d.dev.msix_enabled);
        d.free();
        CHECK(d.vector(0) == d.dev.irq);
        CHECK(d.vector(1) == -22);
    }
    unsigned frees = 0;
    for (const event& each : d.linux_.log().events())
        frees += each.kind == event_kind::free ? 1U : 0U;
    CHECK(frees == 2);
    CHECK(d.said().empty());
}

TEST_CASE("without MSI-X there is MSI, whose first interrupt takes the place of dev.irq") {
    enabled d(any_kernel(), with_msi);
    const int line = d.dev.irq;
    REQUIRE(line > 0);
    CHECK(d.alloc(1, 32, all_types) == 4);
    CHECK(d.dev.msi_enabled);
    CHECK_FALSE(d.dev.msix_enabled);
    CHECK(d.vector(0) == d.dev.irq);
    CHECK(d.dev.irq != line);
    CHECK(d.vector(3) == d.dev.irq + 3);
    CHECK(d.vector(4) == -22);
    d.free();
    CHECK(d.dev.irq == line);
    CHECK_FALSE(d.dev.msi_enabled);
}

TEST_CASE("MSI-X leaves dev.irq alone [1.3 #9]") {
    enabled d(any_kernel(), with_all);
    const int line = d.dev.irq;
    REQUIRE(d.alloc(1, 32, all_types) == 16);
    CHECK(d.dev.irq == line);
    CHECK(d.vector(0) != line);
}

TEST_CASE("without any MSI there is INTx, if one vector is enough") {
    enabled d(any_kernel(), with_intx);
    CHECK(d.alloc(1, 32, all_types) == 1);
    CHECK(d.vector(0) == d.dev.irq);
    CHECK(d.vector(1) == -22);
    CHECK(d.alloc(2, 32, all_types) == -22);  // MSI's error, which was tried last
    CHECK(d.alloc(2, 32, pci_irq::intx) == -28);
    enabled none(d.linux_.version(), with_none);
    CHECK(none.dev.irq == 0);
    CHECK(none.alloc(1, 1, pci_irq::intx) == -28);
    CHECK(none.alloc(1, 1, all_types) == -22);
}

TEST_CASE("an allocation of no type is refused") {
    enabled d(any_kernel(), with_all);
    CHECK(d.alloc(1, 32, 0) == -28);
}

TEST_CASE("a failing allocation answers with the error of the type that was tried last [1.3 #1]") {
    enabled d(any_kernel(), with_msix);
    CHECK(d.alloc(17, 32, msix) == -28);
    CHECK(d.alloc(17, 32, msix | msi) == -22);  // there is no MSI: that there are too few MSI-X vectors is not told
    CHECK(d.alloc(17, 32, all_types) == -22);
}

TEST_CASE("a maximum below the minimum is out of range, which MSI-X looks at first and MSI later [M05, 1.3 #2 #4]") {
    enabled d(any_kernel(), with_all);
    CHECK(d.alloc(4, 3, msix) == -34);
    CHECK(d.alloc(4, 3, msi) == -34);
    d.dev.no_msi = true;
    CHECK(d.alloc(4, 3, msix) == -34);
    CHECK(d.alloc(4, 3, msi) == -22);
}

TEST_CASE("fewer vectors in the hardware than the minimum are no space [M06, M07]") {
    enabled d(any_kernel(), with_all);
    CHECK(d.alloc(17, 32, msix) == -28);
    CHECK(d.alloc(5, 32, msi) == -28);
    CHECK(d.alloc(16, 16, msix) == 16);
    d.free();
    CHECK(d.alloc(4, 4, msi) == 4);
}

TEST_CASE("a machine that is short of vectors gives as many as it has, or none below the minimum [M08, M09]") {
    enabled d(any_kernel(), with_all);
    d.linux_.hardware().set_available_vectors(5);
    CHECK(d.alloc(1, 32, msix) == 5);
    d.free();
    CHECK(d.alloc(6, 32, msix) == -28);
    CHECK_FALSE(d.dev.msix_enabled);
    CHECK(d.linux_.hardware().interrupts().available() == 5);
    d.linux_.hardware().set_available_vectors(3);
    CHECK(d.alloc(1, 4, msi) == 1);  // a block is to be had or not
    d.free();
    d.linux_.hardware().set_available_vectors(0);
    CHECK(d.alloc(1, 4, msix | msi) == -28);
    CHECK(d.alloc(1, 4, all_types) == 1);
    CHECK_FALSE(d.dev.msi_enabled);
}

TEST_CASE("a number of MSI vectors is not rounded, only what the register says is [M10, 1.3 #4]") {
    enabled d(any_kernel(), {.msi_vectors = 8});
    CHECK(d.alloc(1, 3, msi) == 3);
    CHECK(d.vector(2) > 0);
    CHECK(d.vector(3) == -22);
    const unsigned control = d.config(d.dev.hardware.capabilities().msi + reg::msi::control, 2);
    CHECK((control & reg::msi::multiple_enable) >> reg::msi::enabled_shift == 2);
}

TEST_CASE("a machine without multiple MSI gives one vector") {
    enabled d(any_kernel(), with_msi);
    d.linux_.set_multiple_msi(false);
    CHECK(d.alloc(2, 4, msi) == -28);
    CHECK(d.alloc(1, 4, msi) == 1);
}

TEST_CASE("a second allocation is refused, with a warning the first time") {
    enabled d(any_kernel(), with_all);
    REQUIRE(d.alloc(1, 16, msix) == 16);
    CHECK(d.alloc(1, 16, msix) == -22);
    CHECK(d.said() == "WARNING in __pci_enable_msix_range\n");
    CHECK(d.alloc(1, 16, msix | msi) == -22);
    CHECK(d.said() == "can't enable MSI (MSI-X already enabled)\n");
    CHECK(d.vector(15) > 0);
    d.free();
    REQUIRE(d.alloc(1, 4, msi) == 4);
    CHECK(d.alloc(1, 4, msi) == -22);
    CHECK(d.said() == "WARNING in __pci_enable_msi_range\n");
    CHECK(d.alloc(1, 4, msi) == -22);
    CHECK(d.said().empty());
}

TEST_CASE("a second allocation with INTx allowed answers 1, and INTx is on under live MSI-X") {
    enabled d(any_kernel(), with_all);
    REQUIRE(d.alloc(1, 16, all_types) == 16);
    const int first = d.vector(0);
    CHECK_FALSE(d.intx_is_on());
    CHECK(d.alloc(1, 16, all_types) == 1);
    CHECK(d.said() == "WARNING in __pci_enable_msix_range\ncan't enable MSI (MSI-X already enabled)\n");
    CHECK(d.intx_is_on());
    CHECK(d.dev.msix_enabled);
    CHECK(d.vector(0) == first);
    d.free();  // of either owner: both are without
    CHECK(d.vector(0) == d.dev.irq);
    CHECK(d.linux_.find_irq(first) == nullptr);
}

TEST_CASE("MSI-X beside live MSI is refused, in words that differ") {
    const kernel_version& version = any_kernel();
    const bool old = &version == &linux_5_16 || &version == &linux_6_1;
    enabled d(version, with_all);
    REQUIRE(d.alloc(1, 4, msi) == 4);
    CHECK(d.alloc(1, 16, msix) == -22);
    CHECK(d.said() ==
          (old ? "can't enable MSI-X (MSI IRQ already assigned)\n" : "can't enable MSI-X (MSI already enabled)\n"));
    CHECK(d.dev.msi_enabled);
    CHECK(d.vector(3) > 0);
    // What is looked at first differs too: the number, or that MSI is enabled.
    CHECK(d.alloc(17, 32, msix) == (old ? -28 : -22));
    CHECK(d.said().empty() == old);
}

TEST_CASE("a minimum of 0 is one that MSI-X takes and MSI does not [M15, M16]") {
    enabled d(any_kernel(), with_all);
    CHECK(d.alloc(0, 0, msix | msi) == -22);
    CHECK(d.alloc(0, 4, msi) == -22);
    CHECK(d.alloc(0, 0, all_types) == -22);
    CHECK(d.alloc(0, 32, msix) == 16);
}

TEST_CASE("a device that is asleep, or was never enabled, has no MSI, but INTx") {
    const kernel_version& version = any_kernel();
    enabled d(version, with_all);
    d.dev.current_state = power_state::d3hot;
    CHECK(d.alloc(1, 4, msix | msi) == -22);
    CHECK(d.alloc(1, 4, all_types) == 1);
    kernel linux(version);
    pci_dev& fresh = linux.add(with_all);
    CHECK(fresh.current_state == power_state::unknown);
    CHECK(linux.pci_alloc_irq_vectors(fresh, 1, 4, msix | msi) == -22);
    CHECK(linux.pci_alloc_irq_vectors(fresh, 1, 4, all_types) == 1);
}

TEST_CASE("a device that is not to use MSI has INTx") {
    enabled d(any_kernel(), with_all);
    d.dev.no_msi = true;
    CHECK(d.alloc(1, 4, msix) == -22);
    CHECK(d.alloc(1, 4, msi) == -22);
    CHECK(d.alloc(1, 4, all_types) == 1);
    CHECK(d.said().empty());
}

TEST_CASE("INTx works while MSI-X does, and for a minimum of one only [1.3 #6]") {
    enabled d(any_kernel(), with_all);
    CHECK(d.alloc(1, 1, pci_irq::intx) == 1);
    CHECK(d.alloc(0, 1, pci_irq::intx) == -28);
    CHECK(d.alloc(2, 2, pci_irq::intx) == -28);
    REQUIRE(d.alloc(1, 4, msix) == 4);
    CHECK_FALSE(d.intx_is_on());
    CHECK(d.alloc(1, 1, pci_irq::intx) == 1);
    CHECK(d.intx_is_on());
    CHECK(d.said().empty());
}

TEST_CASE("vectors that are spread are one per CPU, besides those that are reserved [M19, M20]") {
    enabled d(any_kernel(), with_all);
    CHECK(d.alloc(1, 32, msix | pci_irq::affinity) == 8);
    for (unsigned i = 0; i != 8; ++i)
        CHECK(d.linux_.pci_irq_get_affinity(d.dev, i) == 1U << i);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 8) == 0);
    d.free();
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 0) == 0);
    const irq_affinity one_reserved{.pre_vectors = 1};
    CHECK(d.alloc(1, 32, msix | pci_irq::affinity, &one_reserved) == 9);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 0) == 0xff);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 1) == 1);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 8) == 0x80);
    d.free();
    d.linux_.hardware().set_possible_cpus(2);
    CHECK(d.alloc(1, 32, msi | pci_irq::affinity) == 2);
    CHECK(d.alloc(1, 32, msi | pci_irq::affinity) == -22);
}

TEST_CASE("fewer vectors than CPUs share them out, and what is not spread may interrupt all") {
    enabled d(any_kernel(), with_all);
    CHECK(d.alloc(3, 3, msix | pci_irq::affinity) == 3);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 0) == 0b0000'0111);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 1) == 0b0011'1000);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 2) == 0b1100'0000);
    d.free();
    CHECK(d.alloc(3, 3, msix) == 3);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 2) == 0xff);
    d.free();
    d.linux_.hardware().set_possible_cpus(2);
    CHECK(d.alloc(3, 3, msix) == 3);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 2) == 0b11);
}

TEST_CASE("more reserved vectors than the minimum are no space") {
    enabled d(any_kernel(), with_all);
    const irq_affinity affinity{.pre_vectors = 2, .post_vectors = 1};
    CHECK(d.alloc(2, 32, msix | pci_irq::affinity, &affinity) == -28);
    CHECK(d.alloc(2, 32, msi | pci_irq::affinity, &affinity) == -28);
    CHECK(d.linux_.hardware().interrupts().available() > 1000);
    CHECK(d.alloc(3, 32, msix | pci_irq::affinity, &affinity) == 11);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 1) == 0xff);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 2) == 1);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 10) == 0xff);
}

TEST_CASE("a description of the affinity without the flag is warned of, and ignored") {
    enabled d(any_kernel(), with_all);
    const irq_affinity affinity{.pre_vectors = 5};
    CHECK(d.alloc(1, 12, msix, &affinity) == 12);
    CHECK(d.said() == "WARNING in pci_alloc_irq_vectors_affinity\n");
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 11) == 0xff);
}

TEST_CASE("INTx with an affinity asks the driver for the sets of one vector") {
    static unsigned asked = 0;
    asked = 0;
    irq_affinity affinity;
    affinity.calculate_sets = [](irq_affinity& self, unsigned vectors) noexcept {
        asked = vectors;
        self.set_count = 1;
        self.set_size[0] = vectors;
    };
    enabled d(any_kernel(), with_intx);
    CHECK(d.alloc(1, 32, all_types | pci_irq::affinity, &affinity) == 1);
    CHECK(asked == 1);
    CHECK(affinity.set_count == 0);  // the driver's own is left alone
    CHECK(d.alloc(1, 32, all_types | pci_irq::affinity) == 1);
}

TEST_CASE("a driver that makes sets is asked with the vectors that are spread, and gets its maximum [1.3 #7]") {
    irq_affinity affinity{.pre_vectors = 1};
    affinity.calculate_sets = [](irq_affinity& self, unsigned vectors) noexcept {
        self.set_count = 2;
        self.set_size[0] = vectors / 3;
        self.set_size[1] = vectors - vectors / 3;
    };
    enabled d(any_kernel(), with_all);
    CHECK(d.alloc(1, 13, msix | pci_irq::affinity, &affinity) == 13);  // 1, 4 and 8
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 0) == 0xff);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 1) == 0b0000'0011);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 4) == 0b1100'0000);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 5) == 0b0000'0001);
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 12) == 0b1000'0000);
    CHECK(d.said().empty());
}

TEST_CASE("too many sets are warned of, and the vectors are not spread [1.3 #7]") {
    irq_affinity affinity;
    affinity.calculate_sets = [](irq_affinity& self, unsigned) noexcept {
        self.set_count = irq_affinity::max_sets + 1;
    };
    enabled d(any_kernel(), with_all);
    CHECK(d.alloc(1, 12, msix | pci_irq::affinity, &affinity) == 12);
    CHECK(d.said() == "WARNING in irq_create_affinity_masks\n");
    CHECK(d.linux_.pci_irq_get_affinity(d.dev, 0) == 0xff);
    d.free();
    CHECK(d.alloc(1, 12, msix | pci_irq::affinity, &affinity) == 12);
    CHECK(d.said().empty());
}

TEST_CASE("virtual vectors go beyond the table, and nothing is written there") {
    hardware::function_config config = with_all;
    config.bar_sizes[1] = 4096;
    config.msix_table_bar = 0;
    config.msix_pba_bar = 1;
    enabled d(any_kernel(), config);
    CHECK(d.alloc(1, 32, msix | pci_irq::virtual_entries) == 32);
    CHECK(d.vector(31) > 0);
    CHECK(d.vector(32) == -22);
    int handler = 0;
    CHECK(d.linux_.request_irq(d.vector(31), ignore, 0, "virtual", &handler) == 0);  // there is no hardware behind it
    d.linux_.free_irq(d.vector(31), &handler);
    CHECK(d.said().empty());
    for (unsigned offset = 16 * 16; offset != 32 * 16; offset += 4)
        CHECK(d.dev.hardware.read_bar(devres::pci::bar_number(0), offset, 4) == 0);
}

TEST_CASE("functions have numbers of their own, the lowest that are free") {
    kernel linux(any_kernel());
    pci_dev& a = linux.add(with_msix);
    pci_dev& b = linux.add(with_msix);
    linux.pci_enable_device(a);
    linux.pci_enable_device(b);
    REQUIRE(linux.pci_alloc_irq_vectors(a, 4, 4, msix) == 4);
    REQUIRE(linux.pci_alloc_irq_vectors(b, 2, 2, msix) == 2);
    const int first = linux.pci_irq_vector(a, 0);
    CHECK(first == 24);
    CHECK(linux.pci_irq_vector(a, 3) == first + 3);
    CHECK(linux.pci_irq_vector(b, 0) == first + 4);
    linux.pci_free_irq_vectors(a);
    REQUIRE(linux.pci_alloc_irq_vectors(a, 4, 4, msix) == 4);
    CHECK(linux.pci_irq_vector(a, 0) == first);  // again at once
    linux.pci_free_irq_vectors(a);
    linux.pci_free_irq_vectors(b);
    CHECK(linux.find_irq(first) == nullptr);
}

TEST_CASE("MSI-X entries are written, and masked while they have no handler") {
    enabled d(any_kernel(), with_all);
    const auto entry = [&](unsigned vector, unsigned word) {
        return d.dev.hardware.state().msix_table[vector * 4 + word];
    };
    const unsigned control = d.dev.hardware.capabilities().msix + reg::msix::control;
    REQUIRE(d.intx_is_on());
    REQUIRE(d.alloc(3, 3, msix) == 3);
    CHECK((d.config(control, 2) & (reg::msix::enable | reg::msix::function_mask)) == reg::msix::enable);
    CHECK_FALSE(d.intx_is_on());
    for (unsigned vector = 0; vector != 3; ++vector) {
        const auto message = hardware::irq_domain::message(d.linux_.find_irq(d.vector(vector))->message);
        CHECK(entry(vector, 0) == static_cast<std::uint32_t>(message.address));
        CHECK(entry(vector, 1) == message.address >> 32U);
        CHECK(entry(vector, 2) == message.data);
        CHECK(entry(vector, 3) == 1);
    }
    CHECK(entry(0, 2) != entry(1, 2));

    int handler = 0;
    REQUIRE(d.linux_.request_irq(d.vector(1), ignore, 0, "one", &handler) == 0);
    CHECK(entry(0, 3) == 1);
    CHECK(entry(1, 3) == 0);
    d.linux_.free_irq(d.vector(1), &handler);
    CHECK(entry(1, 3) == 1);

    REQUIRE(d.linux_.request_irq(d.vector(2), ignore, irqf::shared, "two", &handler) == 0);
    d.linux_.free_irq(d.vector(2), &handler);
    d.free();
    CHECK((d.config(control, 2) & reg::msix::enable) == 0);
    CHECK(d.intx_is_on());
    CHECK(entry(2, 3) == 1);
}

TEST_CASE("MSI's registers are written, and a vector is masked while it has no handler") {
    enabled d(any_kernel(), {.msi_vectors = 32, .intx = true});
    const hardware::capability_layout& at = d.dev.hardware.capabilities();
    REQUIRE(d.alloc(5, 5, msi) == 5);
    const unsigned control = d.config(at.msi + reg::msi::control, 2);
    CHECK((control & reg::msi::enable) != 0);
    CHECK((control & reg::msi::multiple_enable) >> reg::msi::enabled_shift == 3);
    CHECK_FALSE(d.intx_is_on());
    const auto message = hardware::irq_domain::message(d.linux_.find_irq(d.vector(0))->message);
    CHECK(d.config(at.msi + reg::msi::address, 4) == static_cast<std::uint32_t>(message.address));
    CHECK(d.config(at.msi + reg::msi::address + 4, 4) == message.address >> 32U);
    CHECK(d.config(at.msi_data, 2) == message.data);
    CHECK(message.data % 8 == 0);
    CHECK(d.config(at.msi_mask, 4) == ~0U);

    int handler = 0;
    REQUIRE(d.linux_.request_irq(d.vector(4), ignore, 0, "four", &handler) == 0);
    CHECK(d.config(at.msi_mask, 4) == ~(1U << 4U));
    d.linux_.free_irq(d.vector(4), &handler);
    CHECK(d.config(at.msi_mask, 4) == ~0U);
    d.free();
    CHECK((d.config(at.msi + reg::msi::control, 2) & reg::msi::enable) == 0);
    CHECK(d.config(at.msi_mask, 4) == 0);
    CHECK(d.intx_is_on());
}

TEST_CASE("a block of MSI begins where its messages can be told apart, whatever is taken before it") {
    kernel linux(any_kernel());
    pci_dev& other = linux.add(with_msix);
    pci_dev& dev = linux.add(with_msi);
    for (pci_dev* const each : {&other, &dev})
        linux.pci_enable_device(*each);
    linux.pci_set_master(dev);
    REQUIRE(linux.pci_alloc_irq_vectors(other, 1, 1, msix) == 1);
    REQUIRE(linux.pci_alloc_irq_vectors(dev, 4, 4, msi) == 4);
    CHECK(linux.read_config(dev, dev.hardware.capabilities().msi_data, 2).value() % 4 == 0);
    static unsigned called = 0;
    int handler = 0;
    REQUIRE(linux.request_irq(
                linux.pci_irq_vector(dev, 3),
                [](unsigned irq, void*) {
                    called = irq;
                    return irq_return::handled;
                },
                0, "last", &handler) == 0);
    dev.hardware.raise(3);
    CHECK(static_cast<int>(called) == linux.pci_irq_vector(dev, 3));
}

TEST_CASE("vectors of a device that is gone are freed without it [1.3 #10]") {
    for (const unsigned flags : {msix, msi}) {
        enabled d(any_kernel(), with_all);
        REQUIRE(d.alloc(4, 4, flags) == 4);
        const int first = d.vector(0);
        d.dev.hardware.surprise_remove();
        d.free();
        CHECK_FALSE(d.dev.msix_enabled);
        CHECK_FALSE(d.dev.msi_enabled);
        CHECK(d.linux_.find_irq(first) == nullptr);
        CHECK(d.linux_.find_irq(first + 3) == nullptr);
        CHECK(d.said().empty());
    }
}

TEST_CASE("the log has what every allocation answered") {
    enabled d(linux_6_1, with_all);
    d.linux_.log().take_events();
    d.alloc(1, 16, msix);
    d.alloc(17, 17, 0);
    d.free();
    std::vector<int> answers;
    for (const event& each : d.linux_.log().events()) {
        if (each.kind == event_kind::alloc || each.kind == event_kind::free)
            answers.push_back(each.value);
    }
    CHECK(answers == std::vector{16, -28, 16});
}
