// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <sstream>
#include <string>

#include <devres/testing.hpp>

#include "support/catch.hpp"
#include "vmd/driver.hpp"
#include "vmd/model.hpp"

using namespace devres;
using vmd::machine;

namespace {

struct bare_driver : vmd::driver_for<bare_driver> {};

/// What a child's configuration space is, as far as drivers change it.
std::array<std::uint32_t, 24> registers_of(const vmd::child_model& child) {
    std::array<std::uint32_t, 24> all{};
    for (unsigned i = 0; i != all.size(); ++i)
        all[i] = child.read_config(4 * i, 4);
    return all;
}

/// Says what is not as it was when it was made.
class unchanged {
public:
    explicit unchanged(machine& m)
        : m_(&m), before_(m.function.state()),
          children_{registers_of(m.disks[0]), registers_of(m.disks[1]), registers_of(m.port)} {}

    std::string operator()(auto&) const {
        std::ostringstream out;
        if (!m_->bus.ledger().clean())
            out << m_->bus.ledger() << "; ";
        out << sim::difference(before_, m_->function.state());
        if (!m_->endpoint.is_remapping())
            out << "remapping is off; ";
        if (vmd::instance_number::in_use() != 0 || vmd::domain::in_use() != 0)
            out << "a number is in use; ";
        if (children_[0] != registers_of(m_->disks[0]) || children_[1] != registers_of(m_->disks[1]) ||
            children_[2] != registers_of(m_->port))
            out << "a child is not as before; ";
        return out.str();
    }

private:
    machine* m_;
    sim::snapshot before_;
    std::array<std::array<std::uint32_t, 24>, 3> children_;
};

/// As small as it may be, for runs by the thousand.
vmd::endpoint_kind small(std::uint16_t device) {
    return {.device = device, .msix_vectors = 3, .capabilities = 1, .host_addresses = {{0xa000'0000, 0x52'0000'0000}}};
}

}  // namespace

TEST_CASE("a failure at any step of VMD's probe, suspend and resume leaves nothing behind") {
    const auto device = static_cast<std::uint16_t>(GENERATE(0x201d, 0x28c0, 0x9a0b));
    machine m(small(device), 2);
    const auto explored = testing::explore_faults(
        m.platform,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto vmd, pci::bind<vmd::driver>(platform, m.function));
            for (unsigned i = 0; i != 2; ++i) {
                DEVRES_TRY(vmd.suspend());
                DEVRES_TRY(vmd.resume());
            }
            return vmd.unbind();
        },
        unchanged(m));
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 60);
    CHECK(explored.tolerated() != 0);  // a child without its driver is no failure of VMD's
}

TEST_CASE("a failure at any step in bypass leaves nothing behind") {
    machine m({.device = 0x28c0}, 2);
    const auto explored = testing::explore_faults(
        m.platform,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto vmd, pci::bind<vmd::driver>(platform, m.function));
            DEVRES_TRY(vmd.suspend());
            DEVRES_TRY(vmd.resume());
            return {};
        },
        unchanged(m));
    INFO(explored);
    CHECK(explored.undisturbed.complaint.empty());
    for (const auto& run : explored.runs) {
        INFO(run.what);
        CHECK(run.reached);
        // Where the access fails by which the unbind itself turns remapping on again, nobody can be told.
        CHECK((run.complaint.empty() || (run.outcome && run.complaint == "remapping is off; ")));
    }
}

TEST_CASE("any two failures in VMD's probe and its children's leave nothing behind") {
    machine m(small(0x28c0), 1);
    const auto explored = testing::explore_faults(
        m.platform,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto vmd, pci::bind<vmd::driver>(platform, m.function));
            return vmd.unbind();
        },
        unchanged(m), testing::fault_depth::pairs);
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 100);
}

TEST_CASE("after a resume that failed, VMD works again after the next one") {
    machine m(small(0x9a0b), 2);
    testing::faulty platform{m.platform};
    auto vmd = pci::bind<vmd::driver>(platform, m.function);
    REQUIRE(vmd);
    REQUIRE(vmd->suspend());
    platform.restart({4});
    const auto resumed = vmd->resume();
    INFO(platform.steps().at(3));
    CHECK(!resumed);
    CHECK(vmd->state().handlers() < 3);
    platform.restart({});
    CHECK(vmd->suspend());
    CHECK(vmd->resume());
    CHECK(vmd->state().handlers() == 3);
    auto* const disk = vmd->state().child<vmd::nvme::driver>(1);
    REQUIRE(disk != nullptr);
    disk->submit(1, 4);
    m.disks[1].complete(1);
    CHECK(disk->completed(1) == 4);
    CHECK(vmd->unbind());
    CHECK(m.bus.ledger().clean());
}

TEMPLATE_TEST_CASE("a failure, or two, at any step on the child bus leave the child as it was", "", vmd::nvme::driver,
                   vmd::ethernet::driver) {
    machine m({}, 2);
    {
        auto vmd = pci::bind<bare_driver>(m.platform, m.function);
        REQUIRE(vmd);
        auto& bus = vmd->state().bus();
        auto& child = bus.functions()[std::is_same_v<TestType, vmd::nvme::driver> ? 0 : 2];
        const auto held = m.bus.ledger().live();
        const auto explored = testing::explore_faults(
            bus,
            [&](auto& platform) -> result<> {
                DEVRES_TRY(auto bound, pci::bind<TestType>(platform, child));
                DEVRES_TRY(bound.suspend());
                return bound.resume();
            },
            [&](auto&) {
                return std::string(!child.idle()                          ? "the child is held"
                                   : m.bus.ledger().live() != held        ? "VMD has lost or kept something"
                                   : !m.bus.ledger().violations().empty() ? "violations"
                                                                          : "");
            },
            testing::fault_depth::pairs);
        INFO(explored);
        CHECK(explored.clean());
        CHECK(explored.runs.size() > 12);
        CHECK(explored.tolerated() == 0);
    }
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("children may interrupt at any point of VMD's life") {
    machine m(small(0x9a0b), 2);
    const auto explored = testing::explore_interrupts(
        m.platform,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto vmd, pci::bind<vmd::driver>(platform, m.function));
            DEVRES_TRY(vmd.suspend());
            return vmd.resume();
        },
        [&](auto&) {
            for (auto& disk : m.disks) {
                disk.raise(0);
                disk.raise(1);
            }
            m.port.receive();
            m.port.change_link();
            for (unsigned i = 0; i != 3; ++i)
                m.function.raise(i);
        },
        [&](auto&) {
            std::ostringstream out;
            if (!m.bus.ledger().clean())
                out << m.bus.ledger();
            return out.str();
        });
    INFO(explored);
    CHECK(explored.clean());
}
