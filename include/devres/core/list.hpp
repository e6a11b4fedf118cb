// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <devres/core/errno_guard.hpp>
#include <devres/core/memory.hpp>
#include <devres/core/result.hpp>

namespace devres {

class group;

namespace detail {

/// A place in a release list: a resource, or (release == nullptr) a marker of the group that `argument` names.
struct list_node {
    /// The address of the node before this one, plus 1 in the first node of a block of the list's memory, which
    /// so needs no header. It is changed by differences, which leave the 1 alone.
    std::uintptr_t before = 0;
    list_node* next = nullptr;
    void (*release)(void*) = nullptr;
    void* argument = nullptr;

    [[nodiscard]] list_node* previous() const noexcept {
        return reinterpret_cast<list_node*>(before & ~std::uintptr_t{1});
    }
    [[nodiscard]] std::uintptr_t address() const noexcept { return reinterpret_cast<std::uintptr_t>(this); }
    [[nodiscard]] bool is_marker() const noexcept { return release == nullptr; }
    [[nodiscard]] bool starts_block() const noexcept { return (before & 1) != 0; }

    void insert_before(list_node& position) noexcept {
        list_node& last = *position.previous();
        before += last.address();
        next = &position;
        last.next = this;
        position.before += address() - last.address();
    }
    void unlink() noexcept {
        list_node& last = *previous();
        last.next = next;
        next->before -= address() - last.address();
        before -= last.address();
    }
};

}  // namespace detail

/// A device's release list: what to call when the device's driver is unbound, newest first.
///
/// Adding, removing by handle and releasing take constant time and, once the list has grown to its largest
/// size, no memory. A record takes 32 bytes on a 64-bit machine; the blocks they come in add nothing to that.
/// One thread at a time uses a list.
///
/// @par Linux
/// The `devres_head` of a `struct device`, with the records of drivers/base/devres.c. There, a record is an
/// allocation of its own and is found by searching; here it is found by its handle. A record added by a
/// release function while everything is released is released too; Linux leaves it behind.
class list {
public:
    /// Names a record until it is removed or released; after that it must not be used.
    class handle {
    public:
        constexpr handle() noexcept = default;
        /// True if it names a record.
        [[nodiscard]] explicit constexpr operator bool() const noexcept { return node_ != nullptr; }

    private:
        friend class list;
        explicit constexpr handle(detail::list_node* node) noexcept : node_(node) {}
        detail::list_node* node_ = nullptr;
    };

    using release_function = void (*)(void* argument);

    /// How many records fit before the list asks for memory.
    static constexpr std::size_t inline_records = 16;

    /// An empty list that never grows beyond `inline_records`.
    [[nodiscard]] list() noexcept : list(memory_hooks{}) {}

    /// An empty list that grows through `memory`.
    [[nodiscard]] explicit list(memory_hooks memory) noexcept : memory_(memory) {
        head_.before = head_.address();
        head_.next = &head_;
    }

    list(const list&) = delete;
    list& operator=(const list&) = delete;

    /// Releases everything.
    ~list() {
        release_all();
        if (blocks_ != 0)
            give_back();
    }

    /// Adds a record at the end: `function(argument)` is called when it is released.
    /// @returns its handle; `enomem` if there is no memory for it, `einval` for a null `function`: nothing is
    /// added then.
    /// @par Linux
    /// `devres_add()`
    [[nodiscard]] result<handle> add(release_function function, void* argument) noexcept {
        if (function == nullptr)
            return fail(errc::einval);
        detail::list_node* node = free_;
        if (node != nullptr) [[likely]] {
            free_ = node->next;
        } else {
            node = unused();
            if (node == nullptr) [[unlikely]]
                return fail(errc::enomem);
        }
        node->release = function;
        node->argument = argument;
        node->insert_before(head_);
        return handle(node);
    }

    /// Drops a record without calling its release function (`devres_remove()`).
    void remove(handle record) noexcept { recycle(*record.node_); }

    /// Drops a record and calls its release function (`devres_release()`).
    void release(handle record) noexcept { run(*record.node_); }

    /// The newest record with this release function and argument; empty if there is none. It searches: keep
    /// the handle where that matters (`devres_find()`).
    [[nodiscard]] handle find(release_function function, const void* argument) const noexcept {
        for (detail::list_node* node = head_.previous(); node != &head_; node = node->previous()) {
            if (node->release == function && node->argument == argument)
                return handle(node);
        }
        return handle();
    }

    /// The newest record with this release function; empty if there is none. It searches.
    [[nodiscard]] handle find(release_function function) const noexcept {
        for (detail::list_node* node = head_.previous(); node != &head_; node = node->previous()) {
            if (node->release == function)
                return handle(node);
        }
        return handle();
    }

    /// Releases every record, newest first, those included that release functions add meanwhile, and ends
    /// every group. Afterwards the list is empty and can be used again. errno is kept.
    /// @returns how many records were released.
    /// @par Linux
    /// `devres_release_all()`
    std::size_t release_all() noexcept;

    /// True if there is neither a record nor a group.
    [[nodiscard]] bool empty() const noexcept { return head_.next == &head_; }

    /// Where the list, and objects that belong to it, take memory from.
    [[nodiscard]] const memory_hooks& memory() const noexcept { return memory_; }

private:
    friend class group;

    // As many records as are inline, so that a list of n records never has more than 32 n bytes of memory.
    static constexpr std::size_t block_records = inline_records;
    static constexpr std::size_t block_size = block_records * sizeof(detail::list_node);

    /// A node that was never in the list; null if there is no memory.
    [[gnu::noinline]] detail::list_node* unused() noexcept {
        if (unused_ != unused_end_)
            return ::new (unused_++) detail::list_node;
        void* const block = memory_.get(block_size, alignof(detail::list_node));
        if (block == nullptr)
            return nullptr;
        auto* const first = ::new (block) detail::list_node{.before = 1};
        unused_ = first + 1;
        unused_end_ = first + block_records;
        ++blocks_;
        return first;
    }

    /// Gives the memory back. The list is empty, so all its nodes are free ones.
    void give_back() noexcept {
        const detail::errno_guard keep;
        detail::list_node* blocks = nullptr;
        for (detail::list_node* node = free_; blocks_ != 0;) {
            detail::list_node* const next = node->next;
            if (node->starts_block()) {
                --blocks_;
                node->next = blocks;
                blocks = node;
            }
            node = next;
        }
        while (blocks != nullptr) {
            detail::list_node* const next = blocks->next;
            memory_.put(blocks, block_size, alignof(detail::list_node));
            blocks = next;
        }
    }

    void recycle(detail::list_node& node) noexcept {
        node.unlink();
        node.next = free_;
        free_ = &node;
    }

    void run(detail::list_node& node) noexcept {
        const release_function function = node.release;
        void* const argument = node.argument;
        recycle(node);
        function(argument);
    }

    detail::list_node head_;
    detail::list_node* free_ = nullptr;
    detail::list_node* unused_ = reinterpret_cast<detail::list_node*>(inline_);
    detail::list_node* unused_end_ = unused_ + inline_records;
    std::size_t blocks_ = 0;
    memory_hooks memory_;
    std::size_t walk_ = 0;  // numbers the group releases: see group::release
    alignas(detail::list_node) std::byte inline_[block_size];
};

}  // namespace devres

#include <devres/core/group.hpp>  // list::release_all ends groups
