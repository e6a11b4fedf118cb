// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <shared_mutex>
#include <vector>

#include <devres/pci/platform.hpp>

namespace devres::sim {

/// The memory that one function may reach by DMA: an IOMMU with a page table per function.
///
/// Blocks are zeroed pages, with an unmapped page between any two. An address is not used again before the
/// addresses below 4 GiB have all been used, so that a device that still writes to freed memory is found out.
class dma_space {
public:
    static constexpr std::size_t page_size = 4096;

    dma_space() noexcept = default;
    dma_space(const dma_space&) = delete;
    dma_space& operator=(const dma_space&) = delete;
    ~dma_space() {
        for (const pci::dma_block& block : blocks_)
            release(block);
    }

    /// @returns the block; nothing if there is no memory.
    [[nodiscard]] std::optional<pci::dma_block> allocate(std::size_t size) {
        if (size > most)
            return std::nullopt;
        const std::size_t bytes = std::max(size + page_size - 1, page_size) / page_size * page_size;
        void* const memory = ::operator new (bytes, std::align_val_t{page_size}, std::nothrow);
        if (memory == nullptr)
            return std::nullopt;
        std::memset(memory, 0, bytes);
        const std::scoped_lock hold(lock_);
        const pci::dma_block block{memory, static_cast<pci::bus_address>(place(bytes)), bytes};
        blocks_.insert(std::upper_bound(blocks_.begin(), blocks_.end(), block, below), block);
        return block;
    }

    /// @returns false if there is no such block.
    bool free(const pci::dma_block& block) noexcept {
        const std::scoped_lock hold(lock_);
        const auto found = std::find_if(blocks_.begin(), blocks_.end(), [&](const pci::dma_block& b) {
            return b.bus == block.bus && b.cpu == block.cpu;
        });
        if (found == blocks_.end())
            return false;
        release(*found);
        blocks_.erase(found);
        return true;
    }

    /// The device reads or writes `size` bytes at `at`, all of which must be in one block. Words that are
    /// aligned are transferred whole.
    /// @returns false, and nothing is transferred, if they are not.
    [[nodiscard]] bool read(pci::bus_address at, void* to, std::size_t size) const noexcept {
        return transfer(at, size, [&](std::byte* from) { copy<false>(from, static_cast<std::byte*>(to), size); });
    }
    [[nodiscard]] bool write(pci::bus_address at, const void* from, std::size_t size) noexcept {
        return transfer(at, size, [&](std::byte* to) {
            copy<true>(to, const_cast<std::byte*>(static_cast<const std::byte*>(from)), size);
        });
    }

    [[nodiscard]] std::vector<pci::dma_block> blocks() const {
        const std::shared_lock hold(lock_);
        return blocks_;
    }

private:
    static bool below(const pci::dma_block& a, const pci::dma_block& b) noexcept { return a.bus < b.bus; }

    static void release(const pci::dma_block& block) noexcept {
        ::operator delete (block.cpu, std::align_val_t{page_size});
    }

    [[nodiscard]] std::uint64_t place(std::size_t bytes) noexcept {
        const std::uint64_t low_end = 0x1'0000'0000;
        if (next_ < low_end && next_ + bytes > low_end)
            next_ = first;
        for (const pci::dma_block& block : blocks_) {  // in the order of addresses
            const auto begin = static_cast<std::uint64_t>(block.bus);
            if (next_ < begin + block.size + page_size && begin < next_ + bytes + page_size)
                next_ = begin + block.size + page_size;
        }
        const std::uint64_t at = next_;
        next_ += bytes + page_size;
        return at;
    }

    template <class Transfer>
    bool transfer(pci::bus_address at, std::size_t size, Transfer copy_with) const noexcept {
        const std::shared_lock hold(lock_);
        const auto above =
            std::upper_bound(blocks_.begin(), blocks_.end(), pci::dma_block{.cpu = nullptr, .bus = at}, below);
        if (above == blocks_.begin())
            return false;
        const pci::dma_block& block = *std::prev(above);
        const std::uint64_t offset = static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(block.bus);
        if (offset > block.size || size > block.size - offset)
            return false;
        copy_with(static_cast<std::byte*>(block.cpu) + offset);
        return true;
    }

    /// Copies to or from `shared`, whose aligned words other threads may be looking at.
    template <bool ToShared>
    static void copy(std::byte* shared, std::byte* own, std::size_t size) noexcept {
        while (size != 0) {
            const bool whole = size >= 8 && reinterpret_cast<std::uintptr_t>(shared) % 8 == 0;
            const bool half = size >= 4 && reinterpret_cast<std::uintptr_t>(shared) % 4 == 0;
            const std::size_t part = whole  ? one<ToShared, std::uint64_t>(shared, own)
                                     : half ? one<ToShared, std::uint32_t>(shared, own)
                                            : one<ToShared, std::uint8_t>(shared, own);
            shared += part;
            own += part;
            size -= part;
        }
    }

    template <bool ToShared, class T>
    static std::size_t one(std::byte* shared, std::byte* own) noexcept {
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

    static constexpr std::uint64_t first = 0x1000'0000;
    static constexpr std::uint64_t most = std::uint64_t{1} << 38U;  // sanitizers end the program for more
    mutable std::shared_mutex lock_;
    std::vector<pci::dma_block> blocks_;
    std::uint64_t next_ = first;
};

}  // namespace devres::sim
