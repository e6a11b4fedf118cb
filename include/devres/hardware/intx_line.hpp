// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace devres::hardware {

class function;

/// A line that INTx pins are wired to: asserted while any function on it asserts its pin. Whoever listens on it is asked, and
/// asked again until it is not asserted, as nobody knows which function it is.
///
/// Functions join while a machine is put together; any thread may service the line.
class intx_line {
public:
    static constexpr unsigned patience = 100'000;  ///< calls in a row, after which Linux says "nobody cared"

    /// Wires a function to it, behind those that are there.
    void join(function& added) noexcept;
    /// Calls whoever listens, until no function asserts its pin, or the line is dead.
    void service() noexcept;
    /// Undoes "nobody cared": somebody has come who may care.
    void revive() noexcept { dead_.store(false); }
    /// Calls since the machine began that no handler answered for.
    [[nodiscard]] std::uint64_t unhandled() const noexcept { return unhandled_.load(std::memory_order_relaxed); }

private:
    /// The first function that asserts its pin and is not held; null if none is.
    [[nodiscard]] function* asserting() const noexcept;

    std::atomic<function*> first_{nullptr};
    std::atomic<bool> dead_{false};  // after "nobody cared"
    std::atomic<std::uint64_t> unhandled_{0};
};

}  // namespace devres::hardware
