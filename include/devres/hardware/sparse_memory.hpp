// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace devres::hardware {

/// Plain memory behind a BAR, of any size: it takes space only where it was written, and is zero elsewhere.
///
/// Any number of threads may read and write; accesses are aligned and of 1, 2, 4 or 8 bytes, each one atomic.
class sparse_memory {
public:
    /// Memory of that many bytes, all zero.
    explicit sparse_memory(std::uint64_t size = 0) noexcept {
        for (std::uint64_t pages = (size + page_size - 1) / page_size; pages > 1; pages = (pages + fan - 1) / fan)
            ++levels_;
    }
    sparse_memory(const sparse_memory&) = delete;
    sparse_memory& operator=(const sparse_memory&) = delete;
    ~sparse_memory() { clear(); }

    /// What is at `offset`, which is within it and a multiple of `width`.
    [[nodiscard]] std::uint64_t read(std::uint64_t offset, unsigned width) const noexcept {
        const std::byte* const page = find(offset);
        if (page == nullptr)
            return 0;
        std::byte* const at = const_cast<std::byte*>(page) + offset % page_size;
        switch (width) {
        case 1: return load<std::uint8_t>(at);
        case 2: return load<std::uint16_t>(at);
        case 4: return load<std::uint32_t>(at);
        default: return load<std::uint64_t>(at);
        }
    }

    /// As for reading. @throws std::bad_alloc if there is no memory for the page
    void write(std::uint64_t offset, unsigned width, std::uint64_t value) {
        std::byte* const at = page(offset) + offset % page_size;
        switch (width) {
        case 1: return store<std::uint8_t>(at, value);
        case 2: return store<std::uint16_t>(at, value);
        case 4: return store<std::uint32_t>(at, value);
        default: return store<std::uint64_t>(at, value);
        }
    }

    /// All zero again, and no space taken. No other thread may use the memory meanwhile.
    void clear() noexcept {
        destroy(root_.exchange(nullptr), levels_);
        pages_.store(0, std::memory_order_relaxed);
    }

    /// How many bytes of pages are there.
    [[nodiscard]] std::size_t resident() const noexcept { return pages_.load(std::memory_order_relaxed) * page_size; }

    static constexpr std::size_t page_size = 4096;  ///< what it takes space by

private:
    static constexpr std::size_t fan = 512;
    struct alignas(64) leaf {
        std::byte bytes[page_size]{};
    };
    struct node {
        std::atomic<void*> below[fan]{};
    };

    /// Little-endian, as PCI is, on any processor.
    template <class T>
    static constexpr T in_order(T value) noexcept {
        return std::endian::native == std::endian::big ? std::byteswap(value) : value;
    }
    template <class T>
    static T load(std::byte* at) noexcept {
        return in_order(std::atomic_ref<T>(*reinterpret_cast<T*>(at)).load(std::memory_order_acquire));
    }
    template <class T>
    static void store(std::byte* at, std::uint64_t value) noexcept {
        std::atomic_ref<T>(*reinterpret_cast<T*>(at)).store(in_order(static_cast<T>(value)), std::memory_order_release);
    }

    static unsigned step(std::uint64_t offset, unsigned level) noexcept {
        return static_cast<unsigned>(offset / page_size >> 9 * (level - 1) & (fan - 1));
    }

    [[nodiscard]] const std::byte* find(std::uint64_t offset) const noexcept {
        void* at = root_.load(std::memory_order_acquire);
        for (unsigned level = levels_; level != 0 && at != nullptr; --level)
            at = static_cast<node*>(at)->below[step(offset, level)].load(std::memory_order_acquire);
        return at == nullptr ? nullptr : static_cast<leaf*>(at)->bytes;
    }

    std::byte* page(std::uint64_t offset) {
        std::atomic<void*>* link = &root_;
        for (unsigned level = levels_; level != 0; --level)
            link = &static_cast<node*>(grown<node>(*link))->below[step(offset, level)];
        return static_cast<leaf*>(grown<leaf>(*link))->bytes;
    }

    template <class T>
    void* grown(std::atomic<void*>& link) {
        void* at = link.load(std::memory_order_acquire);
        if (at != nullptr)
            return at;
        auto fresh = std::make_unique<T>();
        if (link.compare_exchange_strong(at, fresh.get())) {
            if constexpr (sizeof(T) == page_size && std::is_same_v<T, leaf>)
                pages_.fetch_add(1, std::memory_order_relaxed);
            return fresh.release();
        }
        return at;
    }

    static void destroy(void* at, unsigned level) noexcept {
        if (at == nullptr)
            return;
        if (level == 0) {
            delete static_cast<leaf*>(at);
            return;
        }
        const auto* const inner = static_cast<node*>(at);
        for (const auto& below : inner->below)
            destroy(below.load(std::memory_order_relaxed), level - 1);
        delete inner;
    }

    unsigned levels_ = 0;
    std::atomic<void*> root_{nullptr};
    std::atomic<std::size_t> pages_{0};
};

}  // namespace devres::hardware
