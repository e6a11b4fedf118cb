// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <sstream>
#include <string>
#include <utility>

#include <devres/sim.hpp>

#include "switchtec/driver.hpp"
#include "switchtec/model.hpp"

namespace devres::test {

using namespace std::chrono_literals;

/// For a test that expects an answer; one that expects none waits for `briefly`.
inline constexpr auto long_enough = 10s;
inline constexpr auto briefly = 5ms;

/// A bus with one simulated Switchtec, and what a driver could have left behind there.
struct switchtec_bench {
    switchtec::model hardware;
    sim::bus bus;
    sim::function& function;
    sim::snapshot before = function.state();

    explicit switchtec_bench(switchtec::model_config config = {}, unsigned msix = 8, unsigned msi = 0)
        : hardware(std::move(config)), function(bus.add(hardware.function(msix, msi))) {}

    /// What is not as it was before a driver came; empty if everything is.
    [[nodiscard]] std::string left_behind() {
        std::ostringstream out;
        if (!bus.ledger().clean())
            out << bus.ledger() << "; ";
        if (function.present())
            out << sim::difference(before, function.state());
        if (!hardware.left_enabled().empty() && function.present())
            out << hardware.left_enabled().size() << " interrupts or DMA left enabled; ";
        if (switchtec::device_number::in_use() != 0)
            out << switchtec::device_number::in_use() << " minor numbers in use; ";
        if (hardware.commands().overrun != 0)
            out << hardware.commands().overrun << " commands written over another";
        return out.str();
    }

    template <class Driver = switchtec::driver>
    [[nodiscard]] auto bind() {
        return pci::bind<Driver>(bus, function);
    }
};

/// A file of the driver on the simulated bus.
using switchtec_file = switchtec::file<switchtec::endpoint_of<pci::device<sim::bus, switchtec::driver>>>;

template <std::size_t Size>
[[nodiscard]] std::array<std::byte, Size> bytes_from(unsigned first) {
    std::array<std::byte, Size> out;
    for (std::size_t i = 0; i != Size; ++i)
        out[i] = static_cast<std::byte>(first + i);
    return out;
}

template <std::size_t Size>
[[nodiscard]] std::array<std::byte, Size> inverted(std::array<std::byte, Size> in) {
    for (std::byte& value : in)
        value = ~value;
    return in;
}

}  // namespace devres::test
