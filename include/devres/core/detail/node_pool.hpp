// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <new>

#include <devres/core/attributes.hpp>
#include <devres/core/detail/errno_guard.hpp>
#include <devres/core/detail/list_node.hpp>
#include <devres/core/memory.hpp>

namespace devres::detail {

/// The nodes of a release list: a few here, then blocks of as many, so that n nodes never take more than their own size in
/// memory asked for. The blocks are given back when the pool ends, so that the name of a node can be asked until then.
class node_pool {
public:
    static constexpr std::size_t nodes_of_block = 10;

    node_pool() noexcept = default;
    node_pool(const node_pool&) = delete;
    node_pool& operator=(const node_pool&) = delete;
    ~node_pool() {
        if (blocks_ != 0) [[unlikely]]
            give_back();
    }

    /// A node that is in no chain; null if there is no memory. Every call is given the same `memory`.
    [[nodiscard]] DEVRES_INLINE list_node* take(const memory_hooks& memory) noexcept {
        list_node* const node = free_;
        if (node == nullptr) [[unlikely]]
            return unused(memory);
        free_ = static_cast<list_node*>(node->next);
        return node;
    }
    /// Takes back a node that is in no chain.
    void give(list_node& node) noexcept {
        node.next = free_;
        free_ = &node;
    }

private:
    static constexpr std::size_t block_size = nodes_of_block * sizeof(list_node);

    /// A node that was never in use; null if there is no memory. What it names is written where it is put into a chain.
    [[gnu::noinline]] list_node* unused(const memory_hooks& memory) noexcept {
        if (unused_ != unused_end_)
            return ::new (unused_++) list_node;
        void* const block = memory.get(block_size, alignof(list_node));
        if (block == nullptr)
            return nullptr;
        auto* const first = ::new (block) list_node;
        first->before = list_links::first_of_block;
        unused_ = first + 1;
        unused_end_ = first + nodes_of_block;
        memory_ = &memory;
        ++blocks_;
        return first;
    }

    /// All nodes are free ones.
    void give_back() noexcept {
        const errno_guard keep;
        list_links* blocks = nullptr;
        for (list_links* node = free_; blocks_ != 0;) {
            list_links* const next = node->next;
            if ((node->before & list_links::first_of_block) != 0) {
                --blocks_;
                node->next = blocks;
                blocks = node;
            }
            node = next;
        }
        while (blocks != nullptr) {
            list_links* const next = blocks->next;
            memory_->put(static_cast<list_node*>(blocks), block_size, alignof(list_node));
            blocks = next;
        }
    }

    list_node* free_ = nullptr;
    list_node* unused_ = reinterpret_cast<list_node*>(first_);
    list_node* unused_end_ = unused_ + nodes_of_block;
    const memory_hooks* memory_ = nullptr;  // where the blocks are from
    std::size_t blocks_ = 0;
    alignas(list_node) std::byte first_[block_size];
};

}  // namespace devres::detail
