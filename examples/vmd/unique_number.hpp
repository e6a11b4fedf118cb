// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <utility>

#include <devres/devres.hpp>

namespace vmd {

/// A number that nothing else of its kind has: `First` and up, the lowest that is free (an IDA). A resource
/// that devres knows nothing of, so the driver frees it itself. A guard: moved, not copied; the number is
/// free again when it dies.
template <class Kind, unsigned First = 0>
class unique_number {
public:
    static constexpr unsigned most = 64;

    /// @returns `enospc` if all are taken.
    [[nodiscard]] static devres::result<unique_number> take() noexcept {
        std::uint64_t taken = taken_.load(std::memory_order_relaxed);
        for (;;) {
            const auto lowest = static_cast<unsigned>(std::countr_one(taken));
            if (lowest == most)
                return devres::fail(devres::errc::enospc);
            if (taken_.compare_exchange_weak(taken, taken | std::uint64_t{1} << lowest))
                return unique_number(lowest);
        }
    }

    unique_number() noexcept = default;
    unique_number(unique_number&& other) noexcept : number_(std::exchange(other.number_, most)) {}
    unique_number& operator=(unique_number&& other) noexcept {
        unique_number moved(std::move(other));
        std::swap(number_, moved.number_);
        return *this;
    }
    ~unique_number() {
        if (number_ != most)
            taken_.fetch_and(~(std::uint64_t{1} << number_));
    }

    [[nodiscard]] explicit operator bool() const noexcept { return number_ != most; }
    [[nodiscard]] unsigned value() const noexcept { return First + number_; }

    /// How many are taken.
    [[nodiscard]] static unsigned in_use() noexcept {
        return static_cast<unsigned>(std::popcount(taken_.load()));
    }

private:
    explicit unique_number(unsigned number) noexcept : number_(number) {}

    unsigned number_ = most;
    static inline constinit std::atomic<std::uint64_t> taken_{0};
};

}  // namespace vmd
