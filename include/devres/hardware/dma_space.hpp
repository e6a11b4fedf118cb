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
#include <utility>
#include <vector>

#include <devres/hardware/detail/dma_shadow.hpp>
#include <devres/hardware/detail/shared_copy.hpp>
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
        return insert({{memory, static_cast<pci::bus_address>(*at), bytes}, true, {}, {}});
    }

    /// Lets the device reach `size` bytes at `memory`, at an address with the same offset in its page. If it is not `coherent`,
    /// what one side writes reaches the other when it is synced.
    /// @returns the mapping; nothing if there are no addresses for it within the mask.
    [[nodiscard]] std::optional<pci::dma_block> map(void* memory, std::size_t size,
                                                    pci::dma_direction direction = pci::dma_direction::bidirectional,
                                                    bool coherent = true) {
        if (size > most)
            return std::nullopt;
        const std::size_t offset = reinterpret_cast<std::uintptr_t>(memory) % page_size;
        const std::scoped_lock hold(lock_);
        const auto at = place(whole_pages(offset + size), streaming_mask_);
        if (!at)
            return std::nullopt;
        std::optional<detail::dma_shadow> shadow;
        if (!coherent)
            shadow.emplace(memory, size);
        return insert(
            {{memory, static_cast<pci::bus_address>(*at + offset), size}, false, direction, std::move(shadow)});
    }

    /// @returns false if there is no such block.
    bool free(const pci::dma_block& block) noexcept { return remove(block, true); }
    /// The driver sees what the device wrote. @returns false if there is no such mapping.
    bool unmap(const pci::dma_block& mapping) noexcept { return remove(mapping, false); }

    /// What became of a sync.
    enum class synced {
        done,        ///< both sides see the same
        not_mapped,  ///< there is no such mapping
        clash,       ///< both sides have written the same bytes: those of one are lost
    };
    /// The driver sees what the device wrote of `part` of a mapping.
    synced sync_for_cpu(const pci::dma_block& part) noexcept {
        return sync(part, [](entry& each, std::size_t offset, std::size_t size) {
            return each.direction == pci::dma_direction::to_device || each.shadow->to_cpu(offset, size);
        });
    }
    /// The device sees what the driver wrote of it.
    synced sync_for_device(const pci::dma_block& part) noexcept {
        return sync(part, [](entry& each, std::size_t offset, std::size_t size) {
            return each.shadow->to_device(offset, size);
        });
    }
    /// Whether the driver has written some of these bytes and not synced them for the device.
    [[nodiscard]] bool is_stale(pci::bus_address at, std::size_t size) const noexcept {
        if (shadows_.load(std::memory_order_relaxed) == 0)
            return false;
        const std::shared_lock hold(lock_);
        const entry* const found = find(at, size);
        return found != nullptr && found->shadow && found->shadow->written_by_driver(offset_in(*found, at), size);
    }

    /// The device reads or writes `size` bytes at `at`, all of which must be in one block, or in one mapping of a direction
    /// that lets it. Words that are
    /// aligned are transferred whole.
    /// @returns false, and nothing is transferred, if they are not.
    [[nodiscard]] bool read(pci::bus_address at, void* to, std::size_t size) const noexcept {
        return transfer(at, size, pci::dma_direction::from_device,
                        [&](std::byte* from) { detail::copy_shared<false>(from, static_cast<std::byte*>(to), size); });
    }
    /// As `read`, the other way.
    [[nodiscard]] bool write(pci::bus_address at, const void* from, std::size_t size) noexcept {
        return transfer(at, size, pci::dma_direction::to_device, [&](std::byte* to) {
            detail::copy_shared<true>(to, const_cast<std::byte*>(static_cast<const std::byte*>(from)), size);
        });
    }

    /// What is allocated, by address.
    [[nodiscard]] std::vector<pci::dma_block> blocks() const { return list(true); }
    /// What is mapped, by address.
    [[nodiscard]] std::vector<pci::dma_block> mappings() const { return list(false); }

private:
    struct entry : pci::dma_block {
        bool allocated = false;  // here; else it is mapped memory of the driver's
        pci::dma_direction direction{};
        std::optional<detail::dma_shadow> shadow;  // of a mapping that is not coherent
    };
    using entries = std::map<std::uint64_t, entry>;  // by the page that they begin in

    static std::uint64_t page_of(pci::bus_address at) noexcept {
        return static_cast<std::uint64_t>(at) / page_size * page_size;
    }
    template <class Bytes>
    static Bytes whole_pages(Bytes bytes) noexcept {
        return std::max<Bytes>(bytes + page_size - 1, page_size) / page_size * page_size;
    }
    /// The first address that is not next to a block or mapping.
    static std::uint64_t behind(const entry& each) noexcept {
        return (static_cast<std::uint64_t>(each.bus) + each.size + 2 * page_size - 1) / page_size * page_size;
    }

    static void release(const entry& each) noexcept {
        if (each.allocated)
            ::operator delete(each.cpu, std::align_val_t{page_size});
    }

    pci::dma_block insert(entry&& each) {
        const std::uint64_t page = page_of(each.bus);
        const entry& inserted = entries_.emplace(page, std::move(each)).first->second;
        if (inserted.shadow)
            shadows_.fetch_add(1, std::memory_order_relaxed);
        return inserted;
    }

    bool remove(const pci::dma_block& block, bool allocated) noexcept {
        const std::scoped_lock hold(lock_);
        const auto found = entries_.find(page_of(block.bus));
        if (found == entries_.end() || found->second.bus != block.bus || found->second.cpu != block.cpu ||
            found->second.allocated != allocated)
            return false;
        if (found->second.shadow && found->second.direction != pci::dma_direction::to_device)
            (void)found->second.shadow->to_cpu(0, found->second.size);
        if (found->second.shadow)
            shadows_.fetch_sub(1, std::memory_order_relaxed);
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

    /// The block or mapping that all of these bytes are in, or null.
    [[nodiscard]] const entry* find(pci::bus_address at, std::size_t size) const noexcept {
        const auto above = entries_.upper_bound(page_of(at));
        if (above == entries_.begin())
            return nullptr;
        const entry& each = std::prev(above)->second;
        const std::uint64_t offset = static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(each.bus);
        return offset > each.size || size > each.size - offset ? nullptr : &each;
    }
    static std::size_t offset_in(const entry& each, pci::bus_address at) noexcept {
        return static_cast<std::size_t>(at) - static_cast<std::size_t>(each.bus);
    }

    template <class Sync>
    synced sync(const pci::dma_block& part, Sync sync_with) noexcept {
        const std::scoped_lock hold(lock_);
        auto* const found = const_cast<entry*>(find(part.bus, part.size));
        if (found == nullptr || found->allocated)
            return synced::not_mapped;
        if (!found->shadow)
            return synced::done;
        return sync_with(*found, offset_in(*found, part.bus), part.size) ? synced::done : synced::clash;
    }

    template <class Transfer>
    bool transfer(pci::bus_address at, std::size_t size, pci::dma_direction against,
                  Transfer copy_with) const noexcept {
        const std::shared_lock hold(lock_);
        const entry* const found = find(at, size);
        if (found == nullptr || found->direction == against)
            return false;
        std::byte* const bytes = found->shadow ? found->shadow->device() : static_cast<std::byte*>(found->cpu);
        copy_with(bytes + offset_in(*found, at));
        return true;
    }

    static constexpr std::uint64_t four_gib = 0x1'0000'0000;
    static constexpr std::uint64_t most = std::uint64_t{1} << 38U;  // sanitizers end the program for more
    mutable std::shared_mutex lock_;
    entries entries_;
    std::atomic<unsigned> shadows_{0};
    std::uint64_t first_ = 0x1000'0000;
    std::uint64_t next_ = first_;
    std::uint64_t streaming_mask_ = pci::dma_bit_mask(32);
    std::uint64_t coherent_mask_ = pci::dma_bit_mask(32);
};

}  // namespace devres::hardware
