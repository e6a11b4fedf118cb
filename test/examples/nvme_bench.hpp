// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

#include <devres/sim.hpp>

#include "nvme/driver.hpp"
#include "nvme/model.hpp"

namespace devres::test {

/// A bus with one simulated NVMe controller, and what a driver could have left behind there.
struct nvme_bench {
    nvme::model hardware;
    sim::bus bus;
    sim::function& function;
    sim::snapshot before = function.state();

    explicit nvme_bench(nvme::model_config config = {}) : hardware(config), function(bus.add(hardware.function())) {}

    /// What is not as it was before a driver came; empty if everything is.
    [[nodiscard]] std::string left_behind() {
        std::ostringstream out;
        if (!bus.ledger().clean())
            out << bus.ledger() << "; ";
        if (function.present())
            out << sim::difference(before, function.state());
        const auto device = hardware.look();
        if (device.enabled || device.submission_queues != 0 || device.completion_queues != 0)
            out << "the controller is enabled, or has queues; ";
        if (device.wrong_doorbells != 0)
            out << device.wrong_doorbells << " wrong doorbells";
        return out.str();
    }

    template <class Driver = nvme::driver>
    [[nodiscard]] auto bind() {
        return pci::bind<Driver>(bus, function);
    }
};

/// As small as it may be, for runs by the thousand.
using small_nvme_driver = nvme::configured_driver<nvme::parameters{
    .queues = 2, .io = {.entries = 3, .slots = 1, .transfer = nvme::page_size}, .admin_timeout_ms = 30}>;

[[nodiscard]] inline std::vector<std::byte> some_bytes(std::size_t size, unsigned seed = 1) {
    std::vector<std::byte> out(size);
    for (std::size_t i = 0; i != size; ++i)
        out[i] = static_cast<std::byte>((i * 7 + i / 512 * 13 + seed * 31) & 0xffU);
    return out;
}

}  // namespace devres::test
