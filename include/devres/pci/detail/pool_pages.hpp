// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <devres/core/result.hpp>
#include <devres/pci/platform.hpp>

namespace devres::pci::detail {

/// Where the elements of a pool are in its blocks.
struct pool_layout {
    std::size_t size = 0;      // of an element
    std::size_t stride = 0;    // from one to the next
    std::size_t boundary = 0;  // which no element crosses
    std::size_t block = 0;     // of memory, with elements in it
    unsigned per_boundary = 0;
    unsigned count = 0;

    /// @returns false if there are no such elements.
    constexpr bool set(std::size_t bytes, std::size_t alignment, std::size_t not_crossed) noexcept {
        constexpr std::size_t page = 4096;
        if (alignment == 0)
            alignment = 1;
        if (bytes == 0 || bytes > std::size_t{0x7fff'ffff} || (alignment & (alignment - 1)) != 0 || alignment > page ||
            (not_crossed & (not_crossed - 1)) != 0)
            return false;
        size = bytes;
        stride = (bytes + alignment - 1) & ~(alignment - 1);
        block = stride > page ? stride : page;
        if (not_crossed != 0 && (not_crossed < stride || block > page))  // blocks are aligned to a page
            return false;
        boundary = not_crossed == 0 || not_crossed > block ? block : not_crossed;
        per_boundary = static_cast<unsigned>(boundary / stride);
        count = per_boundary * static_cast<unsigned>(block / boundary);
        return true;
    }
    [[nodiscard]] constexpr std::size_t offset(unsigned element) const noexcept {
        return element / per_boundary * boundary + element % per_boundary * stride;
    }
};

/// The blocks of a pool, and which elements are out. It lasts until the pool has ended and no element is out any more.
template <class P>
class pool_pages {
public:
    using function_type = typename P::function_type;
    struct block {
        block* next;
        dma_block memory;
        unsigned free;        // elements
        std::uint16_t first;  // of the free ones; each names the next, behind this

        [[nodiscard]] std::uint16_t* links() noexcept { return reinterpret_cast<std::uint16_t*>(this + 1); }
    };
    /// An element that is out.
    struct element {
        pool_pages* pool = nullptr;
        block* in = nullptr;
        unsigned number = 0;
    };

    [[nodiscard]] static result<pool_pages*> make(P& platform, function_type& function,
                                                  const pool_layout& layout) noexcept {
        void* const memory = platform.allocate(sizeof(pool_pages), alignof(pool_pages));
        if (memory == nullptr) [[unlikely]]
            return fail(errc::enomem);
        return ::new (memory) pool_pages(platform, function, layout);
    }

    [[nodiscard]] result<element> take() noexcept {
        block* in = blocks_;
        while (in != nullptr && in->free == 0)
            in = in->next;
        if (in == nullptr) {
            auto added = add();
            if (!added) [[unlikely]]
                return fail(added.error());
            in = *added;
        }
        const unsigned number = in->first;
        in->first = in->links()[number];
        --in->free;
        ++out_;
        return element{this, in, number};
    }
    static void give(const element& back) noexcept {
        pool_pages& pool = *back.pool;
        back.in->links()[back.number] = back.in->first;
        back.in->first = static_cast<std::uint16_t>(back.number);
        ++back.in->free;
        if (--pool.out_ == 0 && pool.ended_)
            pool.free();
    }
    /// The pool ends, now or with the last element.
    void end() noexcept {
        ended_ = true;
        if (out_ == 0)
            free();
    }

    [[nodiscard]] dma_block at(const element& of) const noexcept {
        const std::size_t offset = layout_.offset(of.number);
        return {static_cast<char*>(of.in->memory.cpu) + offset,
                bus_address{static_cast<std::uint64_t>(of.in->memory.bus) + offset}, layout_.size};
    }

private:
    pool_pages(P& platform, function_type& function, const pool_layout& layout) noexcept
        : platform_(&platform), function_(&function), layout_(layout) {}

    [[nodiscard]] std::size_t bytes() const noexcept { return sizeof(block) + layout_.count * sizeof(std::uint16_t); }

    [[nodiscard]] result<block*> add() noexcept {
        void* const memory = platform_->allocate(bytes(), alignof(block));
        if (memory == nullptr) [[unlikely]]
            return fail(errc::enomem);
        const auto shared = platform_->allocate_dma(*function_, layout_.block);
        if (!shared) [[unlikely]] {
            platform_->deallocate(memory, bytes(), alignof(block));
            return fail(shared.error());
        }
        blocks_ = ::new (memory) block{blocks_, *shared, layout_.count, 0};
        for (unsigned i = 0; i != layout_.count; ++i)
            ::new (blocks_->links() + i) std::uint16_t(static_cast<std::uint16_t>(i + 1));
        return blocks_;
    }
    void free() noexcept {
        while (blocks_ != nullptr) {
            block* const last = blocks_;
            blocks_ = last->next;
            platform_->free_dma(*function_, last->memory);
            platform_->deallocate(last, bytes(), alignof(block));
        }
        P& platform = *platform_;
        this->~pool_pages();
        platform.deallocate(this, sizeof(pool_pages), alignof(pool_pages));
    }

    P* platform_;
    function_type* function_;
    pool_layout layout_;
    block* blocks_ = nullptr;
    std::size_t out_ = 0;
    bool ended_ = false;
};

}  // namespace devres::pci::detail
