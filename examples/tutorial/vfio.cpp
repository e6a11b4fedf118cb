// SPDX-License-Identifier: BSL-1.0
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include <devres/vfio.hpp>

#include "driver.hpp"

int main(int count, char** words) {
    const std::string asked = count == 2 ? words[1] : "";
    const auto address = devres::pci::address::parse(asked.c_str(), asked.size());
    if (!address) {
        std::cerr << "usage: kestrel-vfio ADDRESS, as in 0000:04:00.0\n";
        return 2;
    }
    devres::vfio::bus bus;
    const auto function = bus.open(*address);
    if (!function) {
        std::cerr << function.error() << '\n';  // what is wrong, and what puts it right
        return 2;
    }
    const auto bound = devres::pci::bind<kestrel::driver>(bus, **function);
    if (!bound) {
        std::cerr << asked << ": " << devres::message(bound.error()) << '\n';
        return 1;
    }
    const auto sum = bound->state().open().checksum(std::as_bytes(std::span(std::string_view("123456789"))));
    std::cout << (sum ? "checksum " + std::to_string(*sum) : devres::message(sum.error())) << '\n';
    return sum ? 0 : 1;
}
