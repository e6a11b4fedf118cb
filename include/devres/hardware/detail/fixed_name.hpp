// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

namespace devres::hardware {

/// A copy of a name, cut to fit, without an allocation. One thread sets it; any thread may read it.
class fixed_name {
public:
    static constexpr std::size_t capacity = 63;

    void set(const char* name) noexcept {
        if (name == nullptr)
            name = "";
        std::size_t left = strnlen(name, capacity);
        for (auto& word : words_) {
            std::uint64_t bytes = 0;
            const std::size_t part = left < sizeof(bytes) ? left : sizeof(bytes);
            std::memcpy(&bytes, name, part);
            word.store(bytes, std::memory_order_relaxed);
            left -= part;
            if (part < sizeof(bytes))
                return;
            name += part;
        }
    }

    [[nodiscard]] std::string get() const {
        std::string out;
        for (const auto& word : words_) {
            const std::uint64_t bytes = word.load(std::memory_order_relaxed);
            char part[sizeof(bytes) + 1]{};
            std::memcpy(part, &bytes, sizeof(bytes));
            out += part;
            if (std::strlen(part) != sizeof(bytes))
                break;
        }
        return out;
    }

private:
    std::array<std::atomic<std::uint64_t>, (capacity + 1) / 8> words_{};
};

}  // namespace devres::hardware
