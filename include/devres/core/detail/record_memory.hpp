// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <devres/core/memory.hpp>

namespace devres::detail {

/// Memory for the data of records: a few small blocks of its own, so that a usual device asks for none, then the platform's.
class record_memory {
public:
    static constexpr std::size_t small = 56;
    static constexpr std::size_t blocks = 5;

    explicit record_memory(const memory_hooks& hooks) noexcept : hooks_(hooks) {}
    record_memory(const record_memory&) = delete;
    record_memory& operator=(const record_memory&) = delete;
    ~record_memory() = default;

    [[nodiscard]] const memory_hooks& hooks() const noexcept { return hooks_; }

    [[nodiscard]] void* get(std::size_t size, std::size_t alignment) noexcept {
        if (size <= small && alignment <= alignof(block)) {
            if (block* const first = free_; first != nullptr) {
                free_ = first->next;
                return first;
            }
            if (used_ != blocks)
                return &own_[used_++];
        }
        return hooks_.get(size, alignment);
    }
    void put(void* memory, std::size_t size, std::size_t alignment) noexcept {
        if (reinterpret_cast<std::uintptr_t>(memory) - reinterpret_cast<std::uintptr_t>(own_) >= sizeof(own_)) {
            hooks_.put(memory, size, alignment);
            return;
        }
        auto* const first = ::new (memory) block;
        first->next = free_;
        free_ = first;
    }

private:
    union block {
        block* next;
        std::byte bytes[small];
    };

    memory_hooks hooks_;
    block* free_ = nullptr;
    unsigned used_ = 0;
    block own_[blocks];
};

}  // namespace devres::detail
