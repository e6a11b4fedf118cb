// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <string>

#include <devres/linux_model/detail/release_node.hpp>
#include <devres/linux_model/event_log.hpp>
#include <devres/linux_model/negative.hpp>

/// Linux's device resource list as it is (drivers/base/devres.c), with the kernel's names and answers: to show what it does,
/// next to `devres::list`, which does it better.
namespace devres::linux_model {

/// Whether a node is the one that is looked for (`dr_match_t`).
using dr_match = bool (*)(device& dev, void* res, const void* match_data);

/// A device and its release list. Errors are negative errno numbers, as in the kernel.
///
/// A node is memory of the caller's size, zeroed, that is released by a function; its name is what the log calls it. It
/// is freed with the device at the latest.
class device {
public:
    /// A device without resources, which tells `log`.
    explicit device(event_log& log, bool empty_release_is_silent = true) noexcept
        : log_(&log), empty_release_is_silent_(empty_release_is_silent) {}
    device(const device&) = delete;
    device& operator=(const device&) = delete;
    ~device() {
        for (node* each = all_; each != nullptr;) {
            node* const next = each->next_of_all;
            ::operator delete(each);
            each = next;
        }
    }

    [[nodiscard]] event_log& log() const noexcept { return *log_; }                     ///< where it tells
    [[nodiscard]] bool has_resources() const noexcept { return head_.next != &head_; }  ///< something is on the list

    /// A node that is on no list yet (`devres_alloc`). `name` is not copied; a `number` from 0 is part of it.
    /// @throws std::bad_alloc if there is no memory
    void* devres_alloc(dr_release release, std::size_t size, const char* name, int number = -1) {
        node* const made = make_node(release, size, name, number);
        return made->payload();
    }

    /// Frees a node that is on no list; a BUG for one that is.
    void devres_free(void* res) {
        if (res == nullptr)
            return;
        node* const freed = node::of(res);
        if (freed->linked())
            log_->stop("devres_free");
        destroy(freed);
    }

    /// Adds a node, as the newest; a BUG for one that is on the list.
    void devres_add(void* res) { append(node::of(res)); }

    /// The newest node with that release function, which `match` agrees to unless it is null; null if there is none.
    [[nodiscard]] void* devres_find(dr_release release, dr_match match, const void* match_data) {
        node* const found = find(release, match, match_data);
        return found == nullptr ? nullptr : found->payload();
    }

    /// The newest node that matches, or else `fresh`, which is added; freed if it is not. `match_data` as in devres_find.
    void* devres_get(void* fresh, dr_match match, const void* match_data) {
        node* const added = node::of(fresh);
        if (node* const found = find(added->release, match, match_data)) {
            devres_free(fresh);
            return found->payload();
        }
        append(added);
        return fresh;
    }

    /// Takes a node off the list without releasing it; the caller frees it. Null if there is none.
    void* devres_remove(dr_release release, dr_match match, const void* match_data) {
        node* const found = find(release, match, match_data);
        if (found == nullptr)
            return nullptr;
        found->unlink();
        log_->add(event_kind::remove, found->text());
        return found->payload();
    }

    /// Takes a node off the list and frees it; its release function is not called. -ENOENT if there is none.
    int devres_destroy(dr_release release, dr_match match, const void* match_data) {
        void* const removed = devres_remove(release, match, match_data);
        if (removed == nullptr)
            return negative(errc::enoent);
        devres_free(removed);
        return 0;
    }

    /// Takes a node off the list, releases and frees it. -ENOENT if there is none.
    int devres_release(dr_release release, dr_match match, const void* match_data) {
        void* const removed = devres_remove(release, match, match_data);
        if (removed == nullptr)
            return negative(errc::enoent);
        release(*this, removed);
        devres_free(removed);
        return 0;
    }

    /// Releases all nodes, newest first. @returns how many there were, groups not counted. What a release function
    /// adds is left on the list; what it looks for is not found, as the whole list was taken off first.
    int devres_release_all() {
        if (!initialized_) {
            log_->warn_in(warning_kind::devres_warn, "devres_release_all");
            return negative(errc::enodev);
        }
        return has_resources() ? release_range(head_.next, &head_) : 0;
    }

    /// Opens a group: what is added from now on is in it. @param id null for an id of its own
    /// @returns the id
    const void* devres_open_group(const void* id = nullptr) {
        node* const open = make_node(nullptr, 0, "grp<", -1);
        node* const close = make_node(nullptr, 0, "grp>", -1);
        open->partner = close;
        close->partner = open;
        open->id = id == nullptr ? open->payload() : id;
        append(open);
        return open->id;
    }

    /// Closes a group, the newest that is open for null. A warning if there is none; a BUG if it is closed.
    void devres_close_group(const void* id = nullptr) {
        node* const open = find_group(id);
        if (open == nullptr) {
            log_->warn_in(warning_kind::devres_warn, "devres_close_group");
            return;
        }
        append(open->partner);
    }

    /// Takes the group away, and leaves its resources where they are. A warning if there is none.
    void devres_remove_group(const void* id = nullptr) {
        node* const open = find_group(id);
        if (open == nullptr) {
            log_->warn_in(warning_kind::devres_warn, "devres_remove_group");
            return;
        }
        open->unlink();
        open->partner->unlink();
        log_->add(event_kind::remove, open->text());
        destroy(open->partner);
        destroy(open);
    }

    /// Releases what is between the ends of a group, to the end of the list if it is open; groups that are wholly in it go,
    /// those that overlap stay. @returns how many resources it released; 0, with a warning, if there is no such group
    int devres_release_group(const void* id = nullptr) {
        node* const open = find_group(id);
        if (open == nullptr) {
            if (has_resources() || !empty_release_is_silent_)
                log_->warn_in(warning_kind::devres_warn, "devres_release_group");
            return 0;
        }
        return release_range(open, open->partner->linked() ? open->partner->next : &head_);
    }

    /// Has `action(data)` called when the list is released (`devm_add_action`).
    int devm_add_action(void (*action)(void*), void* data, const char* name = "devm_action_release", int number = -1) {
        void* const made = devres_alloc(release_action, sizeof(action_node), name, number);
        new (made) action_node{action, data};
        devres_add(made);
        return 0;
    }

    /// Forgets the newest such action; a warning if there is none.
    void devm_remove_action(void (*action)(void*), void* data) {
        const action_node wanted{action, data};
        if (devres_destroy(release_action, same_action, &wanted) != 0)
            log_->warn_in(warning_kind::devres_warn, "devm_remove_action");
    }

    /// Calls the newest such action now, and forgets it; a warning, and it is not called, if there is none.
    void devm_release_action(void (*action)(void*), void* data) {
        const action_node wanted{action, data};
        if (devres_release(release_action, same_action, &wanted) != 0)
            log_->warn_in(warning_kind::devres_warn, "devm_release_action");
    }

    /// Before `device_initialize()` there is no list, which only devres_release_all notices.
    void uninitialize() noexcept { initialized_ = false; }

private:
    struct action_node {
        void (*action)(void*);
        void* data;
    };
    using node = detail::release_node;

    static void release_action(device&, void* res) {
        const auto* const which = static_cast<action_node*>(res);
        which->action(which->data);
    }
    static bool same_action(device&, void* res, const void* match_data) {
        const auto* const one = static_cast<const action_node*>(res);
        const auto* const other = static_cast<const action_node*>(match_data);
        return one->action == other->action && one->data == other->data;
    }

    node* make_node(dr_release release, std::size_t size, const char* name, int number) {
        void* const memory = ::operator new(sizeof(node) + size);
        node* const made = new (memory) node{.next_of_all = all_, .release = release, .name = name, .number = number};
        std::memset(made->payload(), 0, size);
        if (all_ != nullptr)
            all_->previous_of_all = made;
        return all_ = made;
    }

    void destroy(node* freed) noexcept {
        (freed->previous_of_all == nullptr ? all_ : freed->previous_of_all->next_of_all) = freed->next_of_all;
        if (freed->next_of_all != nullptr)
            freed->next_of_all->previous_of_all = freed->previous_of_all;
        ::operator delete(freed);
    }

    void append(node* added) {
        log_->add(event_kind::add, added->text());
        if (added->linked())
            log_->stop("add_dr");
        added->link_before(head_);
    }

    node* find(dr_release release, dr_match match, const void* match_data) {
        for (node* each = head_.previous; each != &head_; each = each->previous) {
            if (!each->is_group() && each->release == release &&
                (match == nullptr || match(*this, each->payload(), match_data)))
                return each;
        }
        return nullptr;
    }

    /// The group whose beginning is the newest: of that id, or for null of those that are open.
    node* find_group(const void* id) noexcept {
        for (node* each = head_.previous; each != &head_; each = each->previous) {
            if (each->id != nullptr && (id == nullptr ? !each->partner->linked() : each->id == id))
                return each;
        }
        return nullptr;
    }

    /// Releases what is in [first, end): takes it off the list first, then releases it from the newest on.
    int release_range(node* first, node* end) {
        node released;
        released.previous = released.next = &released;
        int count = 0;
        node* before = first->previous;
        for (node* each = first; each != end;) {
            node* const next = each->next;
            if (each->is_group()) {
                (each->id != nullptr ? each : each->partner)->colour = 0;
            } else {
                each->unlink();
                each->link_before(released);
                ++count;
            }
            each = next;
        }
        // A group goes if both its ends were seen, or its beginning and it has no end.
        for (node* each = before->next; each != end;) {
            node* const next = each->next;
            node* const open = each->id != nullptr ? each : each->partner;
            open->colour += open->partner->linked() ? 1 : 2;
            if (open->colour == 2) {
                open->unlink();
                open->link_before(released);
                open->partner->unlink();
            }
            each = next;
        }
        while (released.previous != &released) {
            node* const each = released.previous;
            log_->add(event_kind::release, each->text());
            if (each->is_group()) {
                each->unlink();
                destroy(each->partner);
            } else {
                each->release(*this, each->payload());
                each->unlink();
            }
            destroy(each);
        }
        return count;
    }

    event_log* log_;
    node head_ = {.previous = &head_, .next = &head_};
    node* all_ = nullptr;
    bool initialized_ = true;
    bool empty_release_is_silent_;
};

}  // namespace devres::linux_model
