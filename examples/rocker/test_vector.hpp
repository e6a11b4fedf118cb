// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include <devres/devres.hpp>

#include "registers.hpp"

namespace rocker {

/// What the handler of one vector counts, and what is waited for.
class test_vector {
public:
    explicit test_vector(devres::pci::vector_index index) noexcept : index_(index) {}

    /// Interrupt handler of one vector.
    devres::pci::irq_return on_irq(devres::pci::vector_index fired) noexcept {
        {
            const std::scoped_lock hold(lock_);
            ++received_;
            misdirected_ += fired == index_ ? 0U : 1U;
        }
        changed_.notify_all();
        return devres::pci::irq_return::handled;
    }

    /// How often the handler was called so far.
    [[nodiscard]] std::uint64_t received() noexcept {
        const std::scoped_lock hold(lock_);
        return received_;
    }
    /// How often it was called for another vector than its own: never, if all is well.
    [[nodiscard]] std::uint64_t misdirected() noexcept {
        const std::scoped_lock hold(lock_);
        return misdirected_;
    }

    /// Waits until the handler has been called more often than `before`.
    /// @returns false if it has not been when the time is over
    [[nodiscard]] bool wait_beyond(std::uint64_t before, std::chrono::milliseconds at_most) noexcept {
        std::unique_lock hold(lock_);
        return changed_.wait_for(hold, at_most, [&] { return received_ > before; });
    }

private:
    devres::pci::vector_index index_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::uint64_t received_ = 0;
    std::uint64_t misdirected_ = 0;
};

/// Of every vector that a device can have, the context of its handler.
using test_vectors = std::array<test_vector, vectors::count(vectors::max_ports)>;

[[nodiscard]] inline test_vectors one_for_each_vector() noexcept {
    return []<std::size_t... Index>(std::index_sequence<Index...>) noexcept {
        return test_vectors{{test_vector(Index)...}};
    }(std::make_index_sequence<std::tuple_size_v<test_vectors>>());
}

}  // namespace rocker
