// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <devres/core/attributes.hpp>
#include <devres/core/detail/errno_guard.hpp>
#include <devres/core/detail/list_node.hpp>
#include <devres/core/detail/node_pool.hpp>
#include <devres/core/detail/open_access.hpp>
#include <devres/core/detail/record_memory.hpp>
#include <devres/core/memory.hpp>
#include <devres/core/release_step.hpp>
#include <devres/core/result.hpp>

namespace devres {

namespace detail {
struct record_access;
}

/// A device's release list: what to call when the device's driver is unbound, from the outside in (`release_step`), and
/// newest first in each step.
///
/// Adding, removing by handle and releasing take constant time and, once the list has grown to its largest
/// size, no memory. A record takes 40 bytes on a 64-bit machine; the blocks they come in add nothing to that.
/// One thread at a time uses a list.
///
/// @par Linux
/// The `devres_head` of a `struct device`, with the records of drivers/base/devres.c, which has no steps. There, a
/// record is an allocation of its own and is found by searching; here it is found by its handle. A record added by a
/// release function while everything is released is released too; Linux leaves it behind.
class list {
public:
    /// Names a record. Once the record has been removed or released, it names nothing, whatever is recorded since.
    class handle {
    public:
        constexpr handle() noexcept = default;
        /// True if it was given out by `add`, whether the record is there or not.
        [[nodiscard]] explicit constexpr operator bool() const noexcept { return node_ != nullptr; }

    private:
        friend class list;
        friend detail::record_access;
        constexpr handle(detail::list_node* node, detail::record_serial serial) noexcept
            : node_(node), serial_(serial) {}
        detail::list_node* node_ = nullptr;
        detail::record_serial serial_ = 0;
    };

    using release_function = void (*)(void* argument);  ///< what a record calls

    /// How many records fit before the list asks for memory.
    static constexpr std::size_t inline_records = detail::node_pool::nodes_of_block;

    /// An empty list that never grows beyond `inline_records`.
    [[nodiscard]] list() noexcept : list(memory_hooks{}) {}

    /// An empty list that grows through `memory`. `handlers` are those that may be running while it is used.
    [[nodiscard]] explicit list(const memory_hooks& memory, const handler_hooks& handlers = {}) noexcept
        : memory_(memory), handlers_(handlers) {
        for (detail::list_links& end : steps_)
            close(end);
        close(groups_);
        serial_ = new_identity();
    }

    list(const list&) = delete;
    list& operator=(const list&) = delete;

    /// Releases everything.
    ~list() {
        if (!empty())
            release_all();
    }

    /// Adds a record: `function(argument)` is called when it is released, in its step.
    /// @returns its handle; `enomem` if there is no memory for it, `einval` for a null `function`: nothing is
    /// added then.
    /// @par Linux
    /// `devres_add()`
    [[nodiscard]] DEVRES_INLINE result<handle> add(release_function function, void* argument,
                                                   release_step step = release_step::code) noexcept {
        if (function == nullptr)
            return fail(errc::einval);
        detail::list_node* const node = nodes_.take(memory());
        if (node == nullptr) [[unlikely]]
            return fail(errc::enomem);
        return put(*node, function, argument, step);
    }

    /// Drops a record without calling its release function.
    /// @returns `enoent` if there is none of this name any more, `einval` if it is another list's.
    /// @par Linux
    /// `devres_remove()`
    [[nodiscard]] result<> remove(handle record) noexcept {
        if (!has(record)) [[unlikely]]
            return fail(why_not(record));
        recycle(*record.node_);
        return {};
    }

    /// Drops a record and calls its release function. What is built on it goes first, newest first.
    /// @returns `enoent` if there is none of this name any more, `einval` if it is another list's, `ebusy` if an object is
    /// built on it, `edeadlk` if it would wait for this thread: it stays then.
    /// @par Linux
    /// `devres_release()`
    [[nodiscard]] result<> release(handle record) noexcept;

    /// As `release`, for a record that nothing can be built on: without a search.
    [[nodiscard]] result<> release_leaf(handle record) noexcept {
        if (!has(record)) [[unlikely]]
            return fail(why_not(record));
        run(*record.node_);
        return {};
    }

    /// True until the record is removed or released. The record may be another list's.
    [[nodiscard]] bool has(handle record) const noexcept {
        return ((record.serial_ ^ serial_) & identity) == 0 && record.node_->named() == record.serial_;
    }
    /// As `has`, for a name that is empty or of any list that still lives. Handlers may ask too.
    [[nodiscard]] static bool names(handle record) noexcept {
        return record.node_ != nullptr && record.node_->named() == record.serial_;
    }
    /// Why this list has no record of the name: `einval` if it is another list's, otherwise `enoent`.
    [[nodiscard, gnu::cold]] errc why_not(handle record) const noexcept {
        return record && ((record.serial_ ^ serial_) & identity) != 0 ? errc::einval : errc::enoent;
    }

    /// The newest record with this release function and argument; empty if there is none. It searches: keep
    /// the handle where that matters (`devres_find()`).
    [[nodiscard]] handle find(release_function function, const void* argument) const noexcept {
        return newest(
            [&](const detail::list_node& node) { return node.release == function && node.argument == argument; });
    }

    /// The newest record with this release function; empty if there is none. It searches.
    [[nodiscard]] handle find(release_function function) const noexcept {
        return newest([&](const detail::list_node& node) { return node.release == function; });
    }

    /// Releases every record, those included that release functions add meanwhile, and ends every group. Afterwards the
    /// list is empty and can be used again. errno is kept.
    /// @returns how many records were released.
    /// @par Linux
    /// `devres_release_all()`, which is newest first throughout
    std::size_t release_all() noexcept;

    /// As `release_all`, but stops after a step, for what its owner has to do before the next one.
    std::size_t release_through(release_step last) noexcept;

    /// Pins the actions that there are: they, and all that is older than the newest of them, will be released with the
    /// matter, at their places. Called before the first enable: a clock that was switched on before it goes off after it.
    void pin_actions() noexcept;

    /// Whether releasing everything would wait for an access that this thread has open.
    [[nodiscard]] bool would_wait_for_itself() const noexcept {
        return any_from(release_step::users,
                        [](const detail::list_node& node) { return detail::opened_here(node.argument); });
    }

    /// True if there is neither a record nor a group.
    [[nodiscard]] bool empty() const noexcept {
        if (!groups_.alone())
            return false;
        for (const detail::list_links& end : steps_) {
            if (!end.alone())
                return false;
        }
        return true;
    }

    /// Where the list, and objects that belong to it, take memory from.
    [[nodiscard]] const memory_hooks& memory() const noexcept { return memory_.hooks(); }

private:
    friend class group;
    friend detail::record_access;

    using serial = detail::record_serial;
    static constexpr std::size_t steps = static_cast<std::size_t>(release_step::matter) + 1;
    static constexpr serial identity = detail::list_node::lists * detail::list_node::one_list;

    static void close(detail::list_links& end) noexcept {
        end.before = end.address();
        end.next = &end;
    }
    static inline constinit unsigned identities = 0;
    /// A serial without records before it, and an identity that no other list has that lives: 0 is that of no name.
    static serial new_identity() noexcept {
        for (;;) {
            const serial number = __atomic_add_fetch(&identities, 1, __ATOMIC_RELAXED) & detail::list_node::lists;
            if (number != 0)
                return detail::list_node::one_record + number * detail::list_node::one_list;
        }
    }
    [[nodiscard]] serial next_serial() noexcept { return serial_ += detail::list_node::one_record; }

    [[nodiscard]] detail::list_links& end_of(release_step step) noexcept {
        return steps_[static_cast<std::size_t>(step)];
    }

    DEVRES_INLINE handle put(detail::list_node& node, release_function function, void* argument, release_step step,
                             serial kind = 0) noexcept {
        const serial which = next_serial() | kind;
        node.release = function;
        node.argument = argument;
        node.rename(which);
        node.insert_before(end_of(step));
        return handle(&node, which);
    }

    void recycle(detail::list_node& node) noexcept {
        node.unlink();
        node.before &= detail::list_links::first_of_block;
        node.rename(0);
        nodes_.give(node);
    }
    /// Takes out the newest of a chain that is not empty, and runs it: without a look at the neighbour that there is not.
    void run_newest(detail::list_links& end) noexcept {
        auto& node = static_cast<detail::list_node&>(*end.previous());
        detail::list_links* const older = node.previous();
        const release_function function = node.release;
        void* const argument = node.argument;
        older->next = &end;
        end.before = older->address();
        node.before &= detail::list_links::first_of_block;
        node.rename(0);
        nodes_.give(node);
        function(argument);
    }
    void run(detail::list_node& node) noexcept {
        const release_function function = node.release;
        void* const argument = node.argument;
        recycle(node);
        function(argument);
    }

    template <class Wanted>
    [[nodiscard]] handle newest(Wanted wanted) const noexcept;
    template <class Wanted>
    [[nodiscard]] bool any_from(release_step step, Wanted wanted) const noexcept {
        const detail::list_links& end = steps_[static_cast<std::size_t>(step)];
        for (detail::list_links* at = end.previous(); at != &end; at = at->previous()) {
            if (wanted(static_cast<detail::list_node&>(*at)))
                return true;
        }
        return false;
    }

    /// The records of a group: younger than `opened`, and older than `closed` unless that is 0.
    struct range {
        serial opened = 0;
        serial closed = 0;

        [[nodiscard]] bool is_before(const detail::list_node& node) const noexcept {
            return closed != 0 && !node.older_than(closed);
        }
        [[nodiscard]] bool is_after(const detail::list_node& node) const noexcept { return node.older_than(opened); }
        [[nodiscard]] bool has(const detail::list_node& node) const noexcept {
            return node.serial != 0 && !is_before(node) && !is_after(node);
        }
    };

    result<std::size_t> release_range(const range& which) noexcept;
    bool doom_users(const range& which) noexcept;
    void spare_users() noexcept;
    bool waits_for_itself(const range& which) const noexcept;
    void announce_end_of_objects(const range& which) noexcept;
    void release_actions_on(const void* object, std::size_t size) noexcept;
    enum class verdict { pass, run, stop };
    template <class Judge>
    std::size_t run_chain(detail::list_links& end, Judge judge) noexcept;
    void dissolve_groups() noexcept;

    detail::record_memory memory_;
    detail::node_pool nodes_;  // after what gives it memory
    serial serial_ = 0;
    detail::list_links steps_[steps];
    unsigned releasing_ = 0;  // a group that dies meanwhile dissolves
    unsigned spared_ = 0;     // how often the marks of what is to go were taken back
    detail::list_links groups_;
    handler_hooks handlers_;
};

}  // namespace devres

#include <devres/core/detail/list_release.hpp>
