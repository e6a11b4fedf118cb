// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace devres::hardware {

class function;

/// A mapped BAR: what a driver reads and writes through. A copy is the same mapping.
class region {
public:
    /// No mapping; accesses through it read as all ones.
    constexpr region() noexcept = default;

private:
    friend class machine;
    function* function_ = nullptr;
    std::uint64_t size_ = 0;
    std::uint32_t generation_ = 0;
    std::uint8_t bar_ = 0;
};

}  // namespace devres::hardware
