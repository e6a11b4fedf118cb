// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>

#include <devres/hardware/msix_table.hpp>
#include <devres/pci/platform.hpp>

/// Numbers and sentences for people.
namespace devres::hardware::detail {

/// The value of a hexadecimal digit; -1 if it is none.
[[nodiscard]] constexpr int hex_digit(char c) noexcept {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/// "00000080": `width` digits, and more where the value needs them.
[[nodiscard]] inline std::string hex_digits(std::uint64_t value, std::size_t width) {
    std::array<char, 16> digits{};
    char* const begin = digits.data();
    std::string out(begin, std::to_chars(begin, begin + digits.size(), value, 16).ptr);
    return out.insert(0, width - std::min(width, out.size()), '0');
}

/// "0x80"
[[nodiscard]] inline std::string hex(std::uint64_t value) { return "0x" + hex_digits(value, 1); }

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

}  // namespace devres::hardware::detail
