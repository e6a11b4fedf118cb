// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <bit>
#include <utility>

#include <devres/devres.hpp>

namespace switchtec {

/// The number of a device among those of this driver: a resource that devres knows nothing of, so the driver
/// frees it itself. A guard: moved, not copied; the number is free again when it dies.
class device_number {
public:
    static constexpr unsigned max_devices = 16;

    /// Takes the lowest free number. @returns `enospc` if there is none.
    [[nodiscard]] static devres::result<device_number> take() noexcept {
        unsigned taken = taken_.load(std::memory_order_relaxed);
        for (;;) {
            const auto number = static_cast<unsigned>(std::countr_one(taken));
            if (number >= max_devices)
                return devres::fail(devres::errc::enospc);
            if (taken_.compare_exchange_weak(taken, taken | 1U << number, std::memory_order_acq_rel))
                return device_number(number);
        }
    }

    device_number() = default;
    device_number(device_number&& other) noexcept : number_(std::exchange(other.number_, none)) {}
    device_number& operator=(device_number&& other) noexcept {
        device_number moved(std::move(other));
        std::swap(number_, moved.number_);
        return *this;
    }
    ~device_number() {
        if (number_ != none)
            taken_.fetch_and(~(1U << number_), std::memory_order_acq_rel);
    }

    [[nodiscard]] explicit operator bool() const noexcept { return number_ != none; }
    [[nodiscard]] unsigned number() const noexcept { return number_; }

    /// How many numbers are taken, over all devices.
    [[nodiscard]] static unsigned in_use() noexcept {
        return static_cast<unsigned>(std::popcount(taken_.load(std::memory_order_acquire)));
    }

private:
    static constexpr unsigned none = ~0U;
    explicit device_number(unsigned number) noexcept : number_(number) {}

    unsigned number_ = none;
    static inline std::atomic<unsigned> taken_{0};
};

}  // namespace switchtec
