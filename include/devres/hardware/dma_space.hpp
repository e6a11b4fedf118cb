// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <shared_mutex>
#include <vector>

#include <devres/pci/platform.hpp>

namespace devres::hardware {

/// The memory that one function may reach by DMA: an IOMMU with a page table per function.
///
/// Blocks are zeroed pages, mappings the driver's own memory, of which the device reaches just the bytes that were mapped.
/// There is an unmapped page between any two. An address is not used again before those behind it in the first 4 GiB have all been
/// used, so that a device that still writes to memory that was taken from it is found out.
class dma_space {
public:
    static constexpr std::size_t page_size = 4096;  ///< sizes of blocks are rounded up to it

    dma_space() noexcept = default;
    dma_space(const dma_space&) = delete;
    dma_space& operator=(const dma_space&) = delete;
    ~dma_space() {
        for (const auto& [page, each] : entries_)
            release(each);
    }

    /// Where addresses begin, whole pages: 256 MiB unless said otherwise. What is there already stays where it is.
    void set_base(pci::bus_address base) {
        const std::scoped_lock hold(lock_);
        next_ = first_ = whole_pages(static_cast<std::uint64_t>(base));
    }
    /// Has blocks, mappings, or both at addresses up to `mask` only, which 32 bits are at first.
    /// @returns false, and nothing is changed, if there are no such addresses.
    bool set_mask(pci::dma_use use, std::uint64_t mask) noexcept {
        const std::scoped_lock hold(lock_);
        if (mask < page_size || mask - page_size < first_ - 1)
            return false;
        if ((static_cast<unsigned>(use) & static_cast<unsigned>(pci::dma_use::streaming)) != 0)
            streaming_mask_ = mask;
        if ((static_cast<unsigned>(use) & static_cast<unsigned>(pci::dma_use::coherent)) != 0)
            coherent_mask_ = mask;
        return true;
    }
    /// Of 32 bits, for the next driver.
    void reset_masks() noexcept {
        const std::scoped_lock hold(lock_);
        streaming_mask_ = coherent_mask_ = pci::dma_bit_mask(32);
    }
    /// The mask of blocks, or of mappings.
    [[nodiscard]] std::uint64_t mask(pci::dma_use use) const noexcept {
        const std::shared_lock hold(lock_);
        return use == pci::dma_use::streaming ? streaming_mask_ : coherent_mask_;
    }
    /// The smallest mask that every address is within as long as those of the first 4 GiB last.
    [[nodiscard]] std::uint64_t required_mask() const noexcept {
        const std::shared_lock hold(lock_);
        return pci::dma_bit_mask(static_cast<unsigned>(std::bit_width(low_end() - 1)));
    }

    /// @returns the block; nothing if there is no memory, or no addresses within the mask.
    [[nodiscard]] std::optional<pci::dma_block> allocate(std::size_t size) {
        if (size > most)
            return std::nullopt;
        const std::size_t bytes = whole_pages(size);
        void* const memory = ::operator new(bytes, std::align_val_t{page_size}, std::nothrow);
        if (memory == nullptr)
            return std::nullopt;
        std::memset(memory, 0, bytes);
        const std::scoped_lock hold(lock_);
        const auto at = place(bytes, coherent_mask_);
        if (!at) {
            ::operator delete(memory, std::align_val_t{page_size});
            return std::nullopt;
        }
        return insert({{memory, static_cast<pci::bus_address>(*at), bytes}, true});
    }

    /// Lets the device reach `size` bytes at `memory`, at an address with the same offset in its page.
    /// @returns the mapping; nothing if there are no addresses for it within the mask.
    [[nodiscard]] std::optional<pci::dma_block> map(void* memory, std::size_t size) {
        if (size > most)
            return std::nullopt;
        const std::size_t offset = reinterpret_cast<std::uintptr_t>(memory) % page_size;
        const std::scoped_lock hold(lock_);
        const auto at = place(whole_pages(offset + size), streaming_mask_);
        if (!at)
            return std::nullopt;
        return insert({{memory, static_cast<pci::bus_address>(*at + offset), size}, false});
    }

    /// @returns false if there is no such block.
    bool free(const pci::dma_block& block) noexcept { return remove(block, true); }
    /// @returns false if there is no such mapping.
    bool unmap(const pci::dma_block& mapping) noexcept { return remove(mapping, false); }

    /// The device reads or writes `size` bytes at `at`, all of which must be in one block or mapping. Words that are
    /// aligned are transferred whole.
    /// @returns false, and nothing is transferred, if they are not.
    [[nodiscard]] bool read(pci::bus_address at, void* to, std::size_t size) const noexcept {
        return transfer(at, size, [&](std::byte* from) { copy<false>(from, static_cast<std::byte*>(to), size); });
    }
    /// As `read`, the other way.
    [[nodiscard]] bool write(pci::bus_address at, const void* from, std::size_t size) noexcept {
        return transfer(at, size, [&](std::byte* to) {
            copy<true>(to, const_cast<std::byte*>(static_cast<const std::byte*>(from)), size);
        });
    }

    /// What is allocated, by address.
    [[nodiscard]] std::vector<pci::dma_block> blocks() const { return list(true); }
    /// What is mapped, by address.
    [[nodiscard]] std::vector<pci::dma_block> mappings() const { return list(false); }

private:
    struct entry : pci::dma_block {
        bool allocated = false;  // here; else it is mapped memory of the driver's
    };
    using entries = std::map<std::uint64_t, entry>;  // by the page that they begin in

    static std::uint64_t page_of(pci::bus_address at) noexcept {
        return static_cast<std::uint64_t>(at) / page_size * page_size;
    }
    static std::size_t whole_pages(std::size_t bytes) noexcept {
        return std::max(bytes + page_size - 1, page_size) / page_size * page_size;
    }
    /// The first address that is not next to a block or mapping.
    static std::uint64_t behind(const entry& each) noexcept {
        return (static_cast<std::uint64_t>(each.bus) + each.size + 2 * page_size - 1) / page_size * page_size;
    }

    static void release(const entry& each) noexcept {
        if (each.allocated)
            ::operator delete(each.cpu, std::align_val_t{page_size});
    }

    pci::dma_block insert(const entry& each) {
        entries_.emplace(page_of(each.bus), each);
        return each;
    }

    bool remove(const pci::dma_block& block, bool allocated) noexcept {
        const std::scoped_lock hold(lock_);
        const auto found = entries_.find(page_of(block.bus));
        if (found == entries_.end() || found->second.bus != block.bus || found->second.cpu != block.cpu ||
            found->second.allocated != allocated)
            return false;
        release(found->second);
        entries_.erase(found);
        return true;
    }

    [[nodiscard]] std::vector<pci::dma_block> list(bool allocated) const {
        const std::shared_lock hold(lock_);
        std::vector<pci::dma_block> found;
        for (const auto& [page, each] : entries_) {
            if (each.allocated == allocated)
                found.push_back(each);
        }
        return found;
    }

    /// The first room for `bytes`, whole pages, at or above `from`, all of it up to `last`.
    [[nodiscard]] std::optional<std::uint64_t> room(std::uint64_t from, std::size_t bytes,
                                                    std::uint64_t last) const noexcept {
        std::uint64_t at = from;
        auto above = entries_.upper_bound(at);
        if (above != entries_.begin())
            at = std::max(at, behind(std::prev(above)->second));
        for (; above != entries_.end() && above->first < at + bytes + page_size; ++above)
            at = behind(above->second);
        if (at > last || bytes - 1 > last - at)
            return std::nullopt;
        return at;
    }

    /// Room for `bytes`, whole pages, up to `last`: behind where the last was found, and beyond the first 4 GiB only when
    /// these have no more.
    [[nodiscard]] std::optional<std::uint64_t> place(std::size_t bytes, std::uint64_t last) noexcept {
        const std::uint64_t low = std::min(last, low_end() - 1);
        auto at = room(next_, bytes, low);
        if (!at)
            at = room(first_, bytes, low);
        if (at)
            next_ = *at + bytes + page_size;
        else
            at = room(std::max(first_, low + 1), bytes, last);
        return at;
    }
    /// The end of the 4 GiB that are used first.
    [[nodiscard]] std::uint64_t low_end() const noexcept { return first_ / four_gib * four_gib + four_gib; }

    template <class Transfer>
    bool transfer(pci::bus_address at, std::size_t size, Transfer copy_with) const noexcept {
        const std::shared_lock hold(lock_);
        const auto above = entries_.upper_bound(page_of(at));
        if (above == entries_.begin())
            return false;
        const pci::dma_block& block = std::prev(above)->second;
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

    static constexpr std::uint64_t four_gib = 0x1'0000'0000;
    static constexpr std::uint64_t most = std::uint64_t{1} << 38U;  // sanitizers end the program for more
    mutable std::shared_mutex lock_;
    entries entries_;
    std::uint64_t first_ = 0x1000'0000;
    std::uint64_t next_ = first_;
    std::uint64_t streaming_mask_ = pci::dma_bit_mask(32);
    std::uint64_t coherent_mask_ = pci::dma_bit_mask(32);
};

}  // namespace devres::hardware
