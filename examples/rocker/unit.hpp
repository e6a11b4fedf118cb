// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <devres/core/result.hpp>

#include "registers.hpp"
#include "test_vector.hpp"

namespace rocker {

/// What may be done with a rocker that has its driver on it, whatever it was compiled for. One thread at a time uses it.
class unit {
public:
    /// How many vectors there are, each with a handler.
    [[nodiscard]] virtual unsigned vectors() const noexcept = 0;
    /// What the handler of a vector has counted.
    [[nodiscard]] virtual test_vector& vector(unsigned index) noexcept = 0;
    [[nodiscard]] virtual std::span<std::byte> buffer() const noexcept = 0;

    /// What the device makes of a value: twice that.
    [[nodiscard]] virtual std::uint32_t doubled(std::uint32_t value) const noexcept = 0;
    [[nodiscard]] virtual std::uint64_t doubled64(std::uint64_t value) const noexcept = 0;

    /// Has the device interrupt with a vector, and waits until its handler has been called.
    /// @returns `einval` if there is no such vector, `etimedout` if the handler is not called, `enodev` if the device
    /// is gone
    virtual devres::result<> raise(unsigned index) noexcept = 0;

    /// Has the device work on the first `size` bytes of the buffer, and waits until it says that it is done.
    /// @returns `einval` if the buffer is not that large, otherwise as `raise`
    virtual devres::result<> transfer(dma_operation what, std::size_t size) noexcept = 0;

protected:
    ~unit() = default;
};

}  // namespace rocker
