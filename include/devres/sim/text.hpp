// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include <devres/pci/platform.hpp>
#include <devres/sim/msix_table.hpp>

/// Numbers and sentences for people.
namespace devres::sim::detail {

[[nodiscard]] inline std::string hex(std::uint64_t value) {
    std::array<char, 24> out{};
    std::snprintf(out.data(), out.size(), "0x%llx", static_cast<unsigned long long>(value));
    return out.data();
}

/// "4 KiB", "24 bytes"
[[nodiscard]] inline std::string bytes_text(std::uint64_t size) {
    static constexpr std::array units{" bytes", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    std::size_t unit = 0;
    while (size >= 1024 && size % 1024 == 0 && unit + 1 < units.size()) {
        size /= 1024;
        ++unit;
    }
    return std::to_string(size) + units[unit];
}

[[nodiscard]] inline std::string dma_fault_text(const char* what, pci::bus_address at, std::size_t size, bool master) {
    return std::string("DMA ") + what + " of " + std::to_string(size) + " bytes at " +
           hex(static_cast<std::uint64_t>(at)) +
           (master ? ": no DMA block of the function's is there" : ": bus mastering is off");
}

[[nodiscard]] inline std::string spurious_text(const char* type, unsigned vector, const interrupt_message& message) {
    return std::string(type) + " vector " + std::to_string(vector) + " sent data " + hex(message.data) + " to " +
           hex(message.address) + ", which is no vector of the function's";
}

[[nodiscard]] constexpr const char* type_name(pci::irq_type type) noexcept {
    return type == pci::irq_type::msix ? "MSI-X" : type == pci::irq_type::msi ? "MSI" : "INTx";
}

}  // namespace devres::sim::detail
