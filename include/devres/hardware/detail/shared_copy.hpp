// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// How a device copies to and from memory.
namespace devres::hardware::detail {

template <bool ToShared, class T>
std::size_t copy_word(std::byte* shared, std::byte* own) noexcept {
    const std::atomic_ref<T> word(*reinterpret_cast<T*>(shared));
    T value{};
    if constexpr (ToShared) {
        std::memcpy(&value, own, sizeof(T));
        word.store(value, std::memory_order_release);
    } else {
        value = word.load(std::memory_order_acquire);
        std::memcpy(own, &value, sizeof(T));
    }
    return sizeof(T);
}

/// Copies to or from `shared`, whose aligned words other threads may be looking at.
template <bool ToShared>
void copy_shared(std::byte* shared, std::byte* own, std::size_t size) noexcept {
    while (size != 0) {
        const bool whole = size >= 8 && reinterpret_cast<std::uintptr_t>(shared) % 8 == 0;
        const bool half = size >= 4 && reinterpret_cast<std::uintptr_t>(shared) % 4 == 0;
        const std::size_t part = whole  ? copy_word<ToShared, std::uint64_t>(shared, own)
                                 : half ? copy_word<ToShared, std::uint32_t>(shared, own)
                                        : copy_word<ToShared, std::uint8_t>(shared, own);
        shared += part;
        own += part;
        size -= part;
    }
}

}  // namespace devres::hardware::detail
