// SPDX-License-Identifier: BSL-1.0
// The driver of examples/switchtec on the platform of docs/platforms.md, with every step of its probe failing once.
#include <iostream>

#include <devres/testing.hpp>

#include "../../examples/switchtec/driver.hpp"
#include "machine.hpp"

namespace gas = switchtec::gas;

int main() {
    machine platform;
    machine::function_type function{.identity = {.vendor = 0x11f8, .device = 0x8536, .class_code = 0x058000},
                                    .messages = 4,
                                    .bar = std::vector<std::uint64_t>(gas::size / 8)};
    const auto set = [&](std::size_t offset, std::uint32_t value) {
        std::memcpy(reinterpret_cast<char*>(function.bar.data()) + offset, &value, sizeof(value));
    };
    set(gas::sys_info::device_id, 0x8536);
    set(gas::ntb::partitions, 1);
    set(gas::partition::at(0, gas::partition::event_vector), 3);
    set(gas::mrpc::dma_version, 1);
    set(gas::mrpc::dma_vector, 1);

    bool served = false;
    const auto faults = devres::testing::explore_faults(
        platform,
        [&](auto& p) -> devres::result<> {
            DEVRES_TRY(auto driver, pci::bind<switchtec::driver>(p, function));
            DEVRES_TRY(auto file, driver.state().open());
            function.interrupt(3);
            function.interrupt(1);
            served = driver.state().info().vectors == 4;
            DEVRES_TRY(driver.unbind());
            served = served && !file.partition();
            return {};
        },
        [&](machine&) { return std::string(function.is_held() ? "something is held" : ""); });
    std::cout << faults;
    return served && faults.clean() ? 0 : 1;
}
