// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <devres/devres.hpp>
#include <devres/vfio.hpp>

#include "vfio/driver.hpp"

/// The devices that the guest has (test/kernel/vfio), and how each is made to interrupt.
namespace devres::lab {

inline const pci::address edu = "0000:00:03.0";
inline const pci::address rocker4 = "0000:00:04.0";
inline const pci::address rocker8 = "0000:00:05.0";
inline const pci::address e1000e = "0000:00:06.0";
inline const pci::address nvme = "0000:00:07.0";
inline const pci::address second_edu = "0000:00:08.0";  // the one that is unplugged

struct device {
    const char* name;
    pci::address address;
    unsigned msix, msi, intx;
};
inline const device devices[] = {{"edu", edu, 0, 1, 1},
                                 {"rocker x4", rocker4, 4, 0, 0},
                                 {"rocker x8", rocker8, 8, 0, 0},
                                 {"e1000e", e1000e, 5, 1, 1},
                                 {"nvme", nvme, 65, 0, 1}};

/// Makes the hardware interrupt. @returns false where only the kernel can
template <class Bus>
bool fire(Bus& bus, const typename Bus::region_type& bar, pci::address which, unsigned vector) {
    const auto write = [&](std::size_t at, std::uint32_t value) { bus.template write<std::uint32_t>(bar, at, value); };
    if (which == edu || which == second_edu)
        write(0x60, 1);
    else if (which == rocker4 || which == rocker8)
        write(0x20, vector);
    else if (which == e1000e) {
        write(0xe4, 0x800cba98);  // IVAR: causes 20 to 24 are vectors 0 to 4
        write(0xc0, ~0U);         // ICR: a cause that is set already would not interrupt
        write(0xd0, 0x1f00000);   // IMS
        write(0xc8, 1U << (20 + vector));
    } else
        return false;
    return true;
}

/// Waits for something that another thread or the kernel does.
template <class Condition>
bool soon(Condition condition) {
    for (int i = 0; i != 20000; ++i) {
        if (condition())
            return true;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return false;
}

inline std::size_t entries(const char* folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}
inline std::size_t open_files() { return entries("/proc/self/fd"); }
/// The program's mappings that are a device's, or memory for DMA.
inline std::size_t mappings() {
    std::ifstream maps("/proc/self/maps");
    std::size_t lines = 0;
    for (std::string line; std::getline(maps, line);)
        lines += line.find("heap") == std::string::npos ? 1U : 0U;
    return lines;
}

/// A bus, and one function of it that is open.
struct opened {
    vfio::bus bus;
    vfio::function& f;

    explicit opened(pci::address where, vfio::bus_options options = {})
        : bus(std::move(options)), f(*bus.open(where).value()) {}
};

}  // namespace devres::lab
