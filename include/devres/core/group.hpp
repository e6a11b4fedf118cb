// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/attributes.hpp>
#include <devres/core/detail/stop.hpp>
#include <devres/core/list.hpp>

namespace devres {

/// The managed resources that are acquired while the group is open, to be released together, before the rest.
///
/// A group that is neither kept nor dissolved is released when the guard dies: a step of probe that fails
/// half-way rolls back what it acquired. A group takes no memory and opening it cannot fail. It may outlive the
/// release of the whole list, which ends it; one that dies while everything is being released dissolves.
///
/// @par Linux
/// `devres_open_group()`, `devres_close_group()`, `devres_remove_group()`, `devres_release_group()`. The
/// misuses that warn or halt there (closing twice, an unknown id) have no spelling here.
///
/// Example:
/// @code
/// group queues{dev};
/// DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(device, 2, 9, irq_type::msix));
/// DEVRES_TRY(devm_request_irq(vectors[1], "queue", io_queue));
/// queues.keep();  // without this line, an error above or here frees handler and vectors
/// @endcode
class DEVRES_CONSUMABLE group : detail::group_links {
public:
    /// A guard without a group.
    DEVRES_EMPTY group() noexcept = default;

    /// Opens a group: what is recorded for `dev` from now on is in it.
    template <class Device>
        requires requires(Device& dev) { dev.resources(); }
    [[nodiscard]] explicit group(Device& dev DEVRES_LIFETIMEBOUND) noexcept : group(dev.resources()) {}

    /// Opens a group of what is recorded in `resources` from now on.
    [[nodiscard]] explicit group(list& of DEVRES_LIFETIMEBOUND) noexcept {
        resources = &of;
        opened = of.next_serial();
        insert_before(of.groups_);
    }

    /// Takes the other's group, with its place; the other has none afterwards.
    group(group&& other) noexcept { take(other); }

    /// As the constructor; the group that this had is released first if it is open, and left where it is if it was kept.
    group& operator=(group&& other) noexcept {
        if (this != &other) {
            end();
            take(other);
        }
        return *this;
    }

    ~group() { end(); }

    /// Closes the group and leaves its resources to the device: what is acquired from now on is not in it,
    /// and the guard's death releases nothing. While the guard lives, `release` still does.
    DEVRES_NOT_WHEN_EMPTY void keep() noexcept {
        if (resources != nullptr && closed == 0)
            closed = resources->next_serial();
    }

    /// Releases the group's resources now, from the outside in, and ends the group and those that are wholly inside it. Of
    /// a group that overlaps this one, the resources that are in both are released and the group stays. Handlers, mappings
    /// and accesses outside that are built on its contents end before them. errno is kept.
    /// @returns how many resources were released, 0 if the group has ended; `ebusy` if an object outside is built on its
    /// contents, `edeadlk` from inside a handler of the device, or while this thread has an access open that would be
    /// closed: nothing is released then, and the group stays.
    /// @par Linux
    /// `devres_release_group()`, which is newest first and knows of nothing outside. What a release function adds to a
    /// closed group's device is not in the group.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY result<std::size_t> release() noexcept {
        if (resources == nullptr)
            return std::size_t{0};
        list& of = *resources;
        const list::range contents{opened, closed};
        const bool was_open = closed == 0;
        group held(static_cast<group&&>(*this));  // so that a release function may end the life of this guard
        const auto released = of.release_range(contents);
        if (!released) [[unlikely]] {
            take(held);
            return released;
        }
        held.dissolve_inner(was_open);
        held.dissolve();
        return released;
    }

    /// Ends the group and leaves its resources where they are, as if it had never been opened.
    DEVRES_NOT_WHEN_EMPTY DEVRES_EMPTIES void dissolve() noexcept {
        if (resources != nullptr)
            leave();
    }

    /// True until the group is released, dissolved or moved from, or the whole list is released.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return resources != nullptr; }

private:
    void end() noexcept {
        if (resources == nullptr)
            return;
        if (closed == 0 && resources->releasing_ == 0) {
            if (!release()) [[unlikely]]
                detail::stop(
                    "a group dies that cannot be released here: inside a handler of its device, while this thread "
                    "has one of its accesses open, or under an object that is built on it");
            return;
        }
        leave();
    }

    void dissolve_inner(bool was_open) noexcept {
        if (resources == nullptr)
            return;
        list& of = *resources;
        for (detail::list_links* at = next; at != &of.groups_;) {
            auto& other = static_cast<detail::group_links&>(*at);
            at = at->next;
            if (is_inside(other, was_open))
                other.leave();
        }
    }
    [[nodiscard]] bool is_inside(const detail::group_links& other, bool was_open) const noexcept {
        if (!detail::older(opened, other.opened))
            return false;
        return was_open ||
               (detail::older(other.opened, closed) && (other.closed == 0 || detail::older(other.closed, closed)));
    }

    void take(group& other) noexcept {
        resources = other.resources;
        opened = other.opened;
        closed = other.closed;
        if (resources == nullptr)
            return;
        insert_before(other);
        other.leave();
    }
};

}  // namespace devres
