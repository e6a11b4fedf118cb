// SPDX-License-Identifier: BSL-1.0
#include <cstdio>
#include <iostream>
#include <span>
#include <string_view>

#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "driver.hpp"
#include "model.hpp"

int main() {
    kestrel::model hardware;
    devres::sim::bus bus;
    auto& function = bus.add(kestrel::config(hardware));
    {
        devres::testing::traced platform{bus, devres::testing::trace_text(std::cout)};
        auto bound = devres::pci::bind<kestrel::driver>(platform, function);
        if (!bound)
            return std::puts(devres::message(bound.error())), 1;
        const auto file = bound->state().open();
        const auto sum = file.checksum(std::as_bytes(std::span(std::string_view("123456789"))));
        std::printf("checksum %08x\n", sum.value_or(0));
    }
    std::cout << bus.ledger() << '\n';
    return bus.ledger().clean() ? 0 : 1;
}
