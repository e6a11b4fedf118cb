// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "commands.hpp"

namespace nvme {

/// The page that Identify writes, with what the driver uses of it by the offsets of the specification.
class identify_page {
public:
    static constexpr std::size_t size = 4096;

    // Of a controller.
    static constexpr std::size_t serial_number = 4;  // 20 characters, filled up with spaces
    static constexpr std::size_t model_number = 24;  // 40
    static constexpr std::size_t firmware = 64;      // 8
    static constexpr std::size_t max_transfer = 77;  // MDTS: an exponent of pages; 0: any
    static constexpr std::size_t namespaces = 516;   // NN
    // Of a namespace.
    static constexpr std::size_t blocks = 0;     // NSZE
    static constexpr std::size_t format = 26;    // FLBAS: which of the formats it has
    static constexpr std::size_t formats = 128;  // LBAF: metadata size, exponent of the block size

    [[nodiscard]] std::span<std::byte> bytes() noexcept { return bytes_; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

    template <class T>
    [[nodiscard]] T get(std::size_t at) const noexcept {
        T value{};
        std::memcpy(&value, bytes_.data() + at, sizeof(T));
        return value;
    }
    template <class T>
    void set(std::size_t at, T value) noexcept {
        std::memcpy(bytes_.data() + at, &value, sizeof(T));
    }

    /// Characters, without the spaces behind them.
    template <std::size_t Size>
    [[nodiscard]] std::array<char, Size + 1> text(std::size_t at) const noexcept {
        std::array<char, Size + 1> out{};
        std::memcpy(out.data(), bytes_.data() + at, Size);
        for (std::size_t i = Size; i != 0 && (out[i - 1] == ' ' || out[i - 1] == '\0'); --i)
            out[i - 1] = '\0';
        return out;
    }
    void set_text(std::size_t at, std::size_t width, std::string_view value) noexcept {
        for (std::size_t i = 0; i != width; ++i)
            bytes_[at + i] = static_cast<std::byte>(i < value.size() ? value[i] : ' ');
    }

private:
    alignas(8) std::array<std::byte, size> bytes_{};
};

/// What a driver has found out about the controller and its namespace.
struct identification {
    std::array<char, 21> serial_number{};
    std::array<char, 41> model_number{};
    std::array<char, 9> firmware{};
    std::uint32_t version = 0;     ///< of the specification: 0x10400 for 1.4
    std::size_t max_transfer = 0;  ///< bytes in one command; 0: any
    unsigned max_queues = 0;       ///< pairs of I/O queues
    namespace_id nsid{};           ///< the first that is active
    std::uint64_t blocks = 0;      ///< that it has
    std::uint32_t block_size = 0;  ///< in bytes
};

}  // namespace nvme
