// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/attributes.hpp>
#include <devres/core/list.hpp>

namespace devres {

/// The managed resources that are acquired while the group is open, to be released together, before the rest.
///
/// A group that is neither kept nor dissolved is released when the guard dies: a step of probe that fails
/// half-way rolls back what it acquired. A group takes no memory and opening it cannot fail, because its
/// marks in the device's list are part of the guard; moving the guard moves them. It may outlive the
/// release of the whole list, which ends it.
///
/// @par Linux
/// `devres_open_group()`, `devres_close_group()`, `devres_remove_group()`, `devres_release_group()`. The
/// misuses that warn or halt there (closing twice, an unknown id) have no spelling here.
///
/// @par Example
/// @code
/// group queues{dev};
/// DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(device, 2, 9, irq_type::msix));
/// DEVRES_TRY(devm_request_irq<&queue::on_irq>(vectors[1], "queue", io_queue));
/// queues.keep();  // without this line, an error above or here frees handler and vectors
/// @endcode
class DEVRES_CONSUMABLE group {
public:
    /// A guard without a group.
    DEVRES_EMPTY group() noexcept = default;

    /// Opens a group at the end of `dev`'s release list.
    template <class Device>
        requires requires(Device& dev) { dev.resources(); }
    [[nodiscard]] explicit group(Device& dev DEVRES_LIFETIMEBOUND) noexcept : group(dev.resources()) {}

    /// Opens a group at the end of `resources`.
    [[nodiscard]] explicit group(list& resources DEVRES_LIFETIMEBOUND) noexcept : list_(&resources) {
        opening_.insert_before(resources.head_);
    }

    group(group&& other) noexcept { take(other); }

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
        if (list_ != nullptr && !kept_) {
            kept_ = true;
            closing_.insert_before(list_->head_);
        }
    }

    /// Releases the group's resources now, newest first, groups inside it included, and ends the group. Of a
    /// group that overlaps this one, the resources that are in both are released and the group stays.
    /// errno is kept.
    /// @returns how many resources were released; 0 if the group has ended.
    /// @par Linux
    /// `devres_release_group()`. What a release function adds to a closed group's device is not in the group.
    DEVRES_NOT_WHEN_EMPTY DEVRES_EMPTIES std::size_t release() noexcept;

    /// Ends the group and leaves its resources where they are, as if it had never been opened.
    DEVRES_NOT_WHEN_EMPTY DEVRES_EMPTIES void dissolve() noexcept {
        if (list_ == nullptr)
            return;
        opening_.unlink();
        if (kept_)
            closing_.unlink();
        list_ = nullptr;
    }

    /// True until the group is released, dissolved or moved from, or the whole list is released.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return list_ != nullptr; }

private:
    friend class list;

    std::size_t release_contents() noexcept;

    void end() noexcept {
        if (!kept_)
            release();
        else
            dissolve();
    }

    void take(group& other) noexcept {
        list_ = other.list_;
        kept_ = other.kept_;
        walk_ = other.walk_;
        if (list_ == nullptr)
            return;
        opening_.insert_before(other.opening_);
        other.opening_.unlink();
        if (kept_) {
            closing_.insert_before(other.closing_);
            other.closing_.unlink();
        }
        other.list_ = nullptr;
    }

    list* list_ = nullptr;
    bool kept_ = false;
    std::size_t walk_ = 0;  // the last release that passed this group's closing mark
    detail::list_node opening_{.argument = this};
    detail::list_node closing_{.argument = this};
};

inline std::size_t group::release() noexcept {
    if (list_ == nullptr)
        return 0;
    const detail::errno_guard keep_errno;
    group here(static_cast<group&&>(*this));  // so that a release function may end the life of this guard
    return here.release_contents();
}

inline std::size_t group::release_contents() noexcept {
    list& resources = *list_;
    detail::list_node& head = resources.head_;
    // The closing mark is the cursor: what is behind it is done, and what is before it may change while a
    // release function runs. An open group has none yet, and reaches to the end of the list.
    const bool open = !kept_;
    if (open) {
        kept_ = true;
        closing_.insert_before(head);
    }
    const std::size_t walk = ++resources.walk_;
    std::size_t released = 0;
    while (list_ != nullptr) {
        detail::list_node& node = *closing_.previous();
        if (&node == &opening_)
            break;
        if (!node.is_marker()) {
            const detail::list_node* const newest = head.previous();
            ++released;
            resources.run(node);
            if (open && list_ != nullptr && head.previous() != newest) {  // what it added is in the group
                closing_.unlink();
                closing_.insert_before(head);
            }
            continue;
        }
        group& other = *static_cast<group*>(node.argument);
        if (&node == &other.closing_) {
            other.walk_ = walk;
        } else if (!other.kept_ || other.walk_ == walk) {  // wholly inside this group
            other.dissolve();
            continue;
        }
        closing_.unlink();
        closing_.insert_before(node);
    }
    dissolve();
    return released;
}

inline std::size_t list::release_all() noexcept {
    const detail::errno_guard keep;
    std::size_t released = 0;
    while (!empty()) {
        detail::list_node& node = *head_.previous();
        if (node.is_marker()) {
            static_cast<group*>(node.argument)->dissolve();
            continue;
        }
        ++released;
        run(node);
    }
    return released;
}

}  // namespace devres
