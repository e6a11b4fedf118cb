// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <new>

#include <devres/core/errno_guard.hpp>
#include <devres/core/memory.hpp>
#include <devres/core/result.hpp>

namespace devres {

class group;

namespace detail {

/// A place in a release list: a resource, or (release == nullptr) a marker of the group that `argument` names.
struct list_node {
    list_node* previous = nullptr;
    list_node* next = nullptr;
    void (*release)(void*) = nullptr;
    void* argument = nullptr;

    void insert_before(list_node& position) noexcept {
        previous = position.previous;
        next = &position;
        previous->next = this;
        position.previous = this;
    }
    void unlink() noexcept {
        previous->next = next;
        next->previous = previous;
    }
    [[nodiscard]] bool is_marker() const noexcept { return release == nullptr; }
};

}  // namespace detail

/// A device's release list: what to call when the device's driver is unbound, newest first.
///
/// Adding, removing by handle and releasing take constant time and, once the list has grown to its largest
/// size, no memory. A record takes 32 bytes on a 64-bit machine. One thread at a time uses a list.
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
        head_.previous = head_.next = &head_;
        give(first_, inline_records);
    }

    list(const list&) = delete;
    list& operator=(const list&) = delete;

    /// Releases everything.
    ~list() {
        release_all();
        const detail::errno_guard keep;
        while (chunks_ != nullptr) {
            chunk* const next = chunks_->next;
            memory_.put(chunks_, sizeof(chunk), alignof(chunk));
            chunks_ = next;
        }
    }

    /// Adds a record at the end: `function(argument)` is called when it is released.
    /// @returns its handle; `enomem` if there is no memory for it, `einval` for a null `function`: nothing is
    /// added then.
    /// @par Linux
    /// `devres_add()`
    [[nodiscard]] result<handle> add(release_function function, void* argument) noexcept {
        if (function == nullptr)
            return fail(errc::einval);
        if (free_ == nullptr && !grow()) [[unlikely]]
            return fail(errc::enomem);
        detail::list_node* const node = free_;
        free_ = node->next;
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
        for (detail::list_node* node = head_.previous; node != &head_; node = node->previous) {
            if (node->release == function && node->argument == argument)
                return handle(node);
        }
        return handle();
    }

    /// The newest record with this release function; empty if there is none. It searches.
    [[nodiscard]] handle find(release_function function) const noexcept {
        for (detail::list_node* node = head_.previous; node != &head_; node = node->previous) {
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

    static constexpr std::size_t chunk_records = 31;
    struct chunk {
        chunk* next = nullptr;
        detail::list_node nodes[chunk_records];
    };

    void give(detail::list_node* nodes, std::size_t count) noexcept {
        for (std::size_t i = count; i != 0; --i) {
            nodes[i - 1].next = free_;
            free_ = &nodes[i - 1];
        }
    }

    [[gnu::noinline]] bool grow() noexcept {
        void* const block = memory_.get(sizeof(chunk), alignof(chunk));
        if (block == nullptr)
            return false;
        chunk* const fresh = ::new (block) chunk;
        fresh->next = chunks_;
        chunks_ = fresh;
        give(fresh->nodes, chunk_records);
        return true;
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
    chunk* chunks_ = nullptr;
    memory_hooks memory_;
    std::size_t walk_ = 0;  // numbers the group releases: see group::release
    detail::list_node first_[inline_records];
};

}  // namespace devres

#include <devres/core/group.hpp>  // list::release_all ends groups
