// SPDX-License-Identifier: BSL-1.0

// Without the test framework at hand, which is built for another library than that which has <format>.

#include <cstdio>
#include <string>

#include <devres/hardware/print.hpp>
#include <devres/print.hpp>

#ifndef __cpp_lib_format
#error the library has no <format>
#endif

using namespace devres;

namespace {

int failed = 0;
int passed = 0;

void check(const std::string& text, const std::string& wanted) {
    if (text == wanted) {
        ++passed;
        return;
    }
    ++failed;
    std::printf("%s\n  instead of %s\n", text.c_str(), wanted.c_str());
}

}  // namespace

int main() {
    check(std::format("{}", errc::ebusy), "EBUSY (device or resource busy)");
    check(std::format("{}", result<int>(3)), "3");
    check(std::format("{}", result<>()), "success");
    check(std::format("{}", result<pci::address>(fail(errc::eio))), "EIO (input/output error)");
    check(std::format("{}", fail(errc::eio)), "EIO (input/output error)");
    check(std::format("[{:>14}]", pci::address("3a:00.0")), "[  0000:3a:00.0]");
    check(std::format("{} {} {}", pci::vector_index(2), pci::irq_number(24), pci::bar_number(0)),
          "vector 2 irq 24 BAR 0");
    check(std::format("{} {}", pci::irq_type::msix, pci::irq_type::msi | pci::irq_type::intx), "msix intx|msi");
    check(std::format("{}", pci::bus_address{0x1000}), "0x1000");
    check(std::format("{}", pci::device_id{.vendor = 0x11f8}), "11f8:any");
    check(std::format("{}", pci::irq_return::none), "none");
    check(std::format("{}", hardware::violation_kind::dma_fault), "dma_fault");
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
