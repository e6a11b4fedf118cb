// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <devres/core/memory.hpp>

/// The memory of a list, and of what belongs to it.

#if defined(__SANITIZE_ADDRESS__)
#define DEVRES_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DEVRES_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(DEVRES_ADDRESS_SANITIZER)
extern "C" void __asan_poison_memory_region(const volatile void* from, __SIZE_TYPE__ size);
extern "C" void __asan_unpoison_memory_region(const volatile void* from, __SIZE_TYPE__ size);
#endif

namespace devres::detail {

/// Tells the address sanitizer, where there is one, that a place is free: using it is a fault though a block of ours has it.
inline void hide_place([[maybe_unused]] void* from, [[maybe_unused]] std::size_t size) noexcept {
#if defined(DEVRES_ADDRESS_SANITIZER)
    __asan_poison_memory_region(from, size);
#endif
}
inline void show_place([[maybe_unused]] void* from, [[maybe_unused]] std::size_t size) noexcept {
#if defined(DEVRES_ADDRESS_SANITIZER)
    __asan_unpoison_memory_region(from, size);
#endif
}

/// Memory for the data of records. Small ones share blocks, the first of which is here, so that a usual device asks for
/// nothing; the blocks are given back when the device ends. Large ones, an object with its members, are the platform's.
class record_memory {
public:
    static constexpr std::size_t small = 56;
    static constexpr unsigned first_block = 5;
    static constexpr unsigned later_block = 16;

    explicit record_memory(const memory_hooks& hooks) noexcept : hooks_(hooks) {}
    record_memory(const record_memory&) = delete;
    record_memory& operator=(const record_memory&) = delete;
    ~record_memory() {
        show_place(first_, sizeof(first_));
        while (blocks_ != nullptr) [[unlikely]] {
            block* const next = blocks_->next;
            show_place(blocks_, sizeof(block));
            hooks_.put(blocks_, sizeof(block), alignof(block));
            blocks_ = next;
        }
    }

    [[nodiscard]] const memory_hooks& hooks() const noexcept { return hooks_; }

    /// Null if there is no memory.
    [[nodiscard]] void* get(std::size_t size, std::size_t alignment) noexcept {
        if (!shares_block(size, alignment))
            return hooks_.get(size, alignment);
        if (place* const first = free_; first != nullptr) {
            show_place(first, sizeof(place));
            free_ = first->next;
            return first;
        }
        return unused_ != unused_end_ ? unused_++ : unused();
    }
    void put(void* memory, std::size_t size, std::size_t alignment) noexcept {
        if (!shares_block(size, alignment)) {
            hooks_.put(memory, size, alignment);
            return;
        }
        auto* const first = ::new (memory) place;
        first->next = free_;
        free_ = first;
        hide_place(first, sizeof(place));
    }

private:
    union place {
        place* next;
        std::byte bytes[small];
    };
    struct block {
        block* next;
        place places[later_block];
    };

    static constexpr bool shares_block(std::size_t size, std::size_t alignment) noexcept {
        return size <= small && alignment <= alignof(place);
    }
    [[gnu::noinline]] void* unused() noexcept {
        void* const memory = hooks_.get(sizeof(block), alignof(block));
        if (memory == nullptr)
            return nullptr;
        auto* const more = ::new (memory) block;
        more->next = blocks_;
        blocks_ = more;
        unused_ = more->places;
        unused_end_ = unused_ + later_block;
        return unused_++;
    }

    memory_hooks hooks_;
    place* free_ = nullptr;
    place* unused_ = first_;
    place* unused_end_ = first_ + first_block;
    block* blocks_ = nullptr;
    place first_[first_block];
};

}  // namespace devres::detail
