// SPDX-License-Identifier: BSL-1.0

// The Switchtec driver, which knows no platform, on the model of Linux.

#include <array>
#include <cstddef>
#include <sstream>
#include <string>

#include <devres/linux_model.hpp>
#include <devres/testing.hpp>

#include "../../../examples/switchtec/driver.hpp"
#include "../../../examples/switchtec/model.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

/// A machine with a Switchtec, and what a driver could have left behind there.
struct machine {
    explicit machine(const linux_model::kernel_version& version)
        : linux_(version), dev(linux_.add(hardware.function(8, 0))) {}

    std::string left_behind() {
        std::ostringstream out;
        if (!linux_.hardware().ledger().clean())
            out << linux_.hardware().ledger() << "; ";
        if (dev.enable_cnt != 0 || dev.msix_enabled || dev.has_resources())
            out << "enabled, or with vectors; ";
        if (switchtec::device_number::in_use() != 0)
            out << switchtec::device_number::in_use() << " minor numbers in use; ";
        for (const auto& each : linux_.log().events()) {
            if (each.kind == linux_model::event_kind::warning || each.kind == linux_model::event_kind::oops)
                out << each.text << "; ";
        }
        return out.str();
    }

    switchtec::model hardware;
    linux_model::kernel linux_;
    linux_model::pci_dev& dev;
};

/// Binds, has a command done by interrupt, and unbinds.
constexpr auto use = [](auto& platform, linux_model::pci_dev& dev) -> result<> {
    DEVRES_TRY(auto bound, pci::bind<switchtec::driver>(platform, dev));
    DEVRES_TRY(auto file, bound.state().open());
    std::array<std::byte, 8> answer{};
    DEVRES_TRY(file.command(switchtec::mrpc_echo, {}, answer));
    return answer == std::array<std::byte, 8>{} ? fail(errc::ebadmsg) : bound.unbind();
};

}  // namespace

TEST_CASE("the Switchtec driver works on every version of Linux, and leaves nothing behind") {
    machine m(*GENERATE(&linux_model::linux_5_16, &linux_model::linux_6_1, &linux_model::linux_6_12,
                        &linux_model::linux_6_18));
    for (unsigned round = 0; round != 2; ++round) {
        CHECK(use(m.linux_, m.dev));
        CHECK(m.left_behind() == "");
    }
}

TEST_CASE("every fault of the Switchtec driver's probe on Linux leaves nothing behind") {
    machine m(linux_model::linux_6_1);
    const auto explored = testing::explore_faults(
        m.linux_, [&](auto& platform) { return use(platform, m.dev); },
        [&](linux_model::kernel&) { return m.left_behind(); });
    INFO(explored);
    CHECK(explored.clean());
}
