// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include <devres/devres.hpp>

namespace vmd {

/// A number that nothing else of its kind has: `First` and up, the lowest that is free (an IDA). A managed object, made
/// under the name that the driver's ownership table has for it; the number is free again when it goes.
template <class Kind, unsigned First = 0>
class unique_number {
public:
    static constexpr unsigned most = 64;

    unique_number() noexcept = default;
    unique_number(const unique_number&) = delete;
    unique_number& operator=(const unique_number&) = delete;
    ~unique_number() {
        if (number_ != most)
            taken_.fetch_and(~(std::uint64_t{1} << number_));
    }

    /// Takes a number. @returns `enospc` if all are taken.
    devres::result<> init() noexcept {
        std::uint64_t taken = taken_.load(std::memory_order_relaxed);
        for (;;) {
            const auto lowest = static_cast<unsigned>(std::countr_one(taken));
            if (lowest == most)
                return devres::fail(devres::errc::enospc);
            if (taken_.compare_exchange_weak(taken, taken | std::uint64_t{1} << lowest)) {
                number_ = lowest;
                return {};
            }
        }
    }

    [[nodiscard]] unsigned value() const noexcept { return First + number_; }

    /// How many are taken.
    [[nodiscard]] static unsigned in_use() noexcept { return static_cast<unsigned>(std::popcount(taken_.load())); }

private:
    unsigned number_ = most;
    static inline constinit std::atomic<std::uint64_t> taken_{0};
};

}  // namespace vmd
