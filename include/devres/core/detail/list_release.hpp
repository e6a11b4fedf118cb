// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/list.hpp>

/// How a release list is released: all of it, or a part of it before its turn.
namespace devres {

template <class Wanted>
list::handle list::newest(Wanted wanted) const noexcept {
    detail::list_node* found = nullptr;
    for (const detail::list_links& end : steps_) {
        for (detail::list_links* at = end.previous(); at != &end; at = at->previous()) {
            auto& node = static_cast<detail::list_node&>(*at);
            if (found != nullptr && node.older_than(found->serial))
                break;
            if (wanted(node)) {
                found = &node;
                break;
            }
        }
    }
    return found == nullptr ? handle() : handle(found, found->serial);
}

namespace detail {

/// A group as the list knows it: the records it has, and that it ends with the list.
class group_links : public list_links {
public:
    list* resources = nullptr;
    record_serial opened = 0;
    record_serial closed = 0;  ///< 0 while it is open

    void leave() noexcept {
        unlink();
        resources = nullptr;
    }
};

/// What one is built on, at the start of its memory: the nodes of their records, and a null.
[[nodiscard]] inline bool uses(const list_node& user, auto&& wanted) noexcept {
    if (!user.is(list_node::is_user))
        return false;
    for (list_node* const* used = static_cast<list_node* const*>(user.argument); *used != nullptr; ++used) {
        if (wanted(**used))
            return true;
    }
    return false;
}

}  // namespace detail

[[gnu::noinline]] inline std::size_t list::release_through(release_step last) noexcept {
    const detail::errno_guard keep;
    std::size_t released = 0;
    ++releasing_;
    detail::list_links* const stop = &steps_[static_cast<std::size_t>(last)] + 1;
    for (detail::list_links* end = steps_; end != stop;) {
        const serial newest = serial_;
        while (!end->alone()) {
            ++released;
            run_newest(*end);
            if (serial_ != newest) [[unlikely]]
                break;
        }
        end = serial_ == newest ? end + 1 : steps_;  // what was added may be of an earlier step
    }
    --releasing_;
    return released;
}

inline std::size_t list::release_all() noexcept {
    const std::size_t released = release_through(release_step::matter);
    dissolve_groups();
    return released;
}

inline void list::dissolve_groups() noexcept {
    while (!groups_.alone())
        static_cast<detail::group_links*>(groups_.next)->leave();
}

inline void list::pin_actions() noexcept {
    detail::list_links& code = end_of(release_step::code);
    detail::list_links* newest = code.previous();
    while (newest != &code && static_cast<detail::list_node*>(newest)->is(detail::list_node::is_object))
        newest = newest->previous();
    if (newest == &code)
        return;
    detail::list_links& matter = end_of(release_step::matter);
    detail::list_links* position = &matter;  // before which the next one belongs: none of them is younger
    for (detail::list_links* at = newest; at != &code;) {
        auto& pinned = static_cast<detail::list_node&>(*at);
        at = at->previous();
        while (position->previous() != &matter &&
               pinned.older_than(static_cast<detail::list_node*>(position->previous())->serial))
            position = position->previous();
        pinned.unlink();
        pinned.insert_before(*position);
        position = &pinned;
    }
}

inline result<> list::release(handle record) noexcept {
    if (!has(record)) [[unlikely]]
        return fail(why_not(record));
    const serial which = record.serial_ & ~detail::list_node::kinds;
    const auto released = release_range({which, which + detail::list_node::one_list});  // no record has this serial
    return released ? result<>() : fail(released.error());
}

/// Runs the records of a chain that `judge` wants, newest first, though each may add records and take others with it.
template <class Judge>
std::size_t list::run_chain(detail::list_links& end, Judge judge) noexcept {
    std::size_t released = 0;
    for (;; ++released) {  // those at the end, while there are any: the usual case
        if (end.alone())
            return released;
        const verdict what = judge(static_cast<detail::list_node&>(*end.previous()));
        if (what == verdict::stop)
            return released;
        if (what == verdict::pass)
            break;
        run_newest(end);
    }
    for (detail::list_links* at = end.previous(); at != &end;) {
        auto& node = static_cast<detail::list_node&>(*at);
        detail::list_links* const older = node.previous();
        const verdict what = judge(node);
        if (what == verdict::stop)
            break;
        if (what == verdict::pass) {
            at = older;
            continue;
        }
        const serial then = older == &end ? 0 : static_cast<detail::list_node*>(older)->serial;
        const serial newest = serial_;
        ++released;
        run(node);
        const bool there = older == &end || static_cast<detail::list_node*>(older)->serial == then;
        at = there && serial_ == newest ? older : end.previous();
    }
    return released;
}

/// Marks what is younger than the range and built on it, directly or not. @returns false if that has an object among it:
/// nothing is marked then.
inline bool list::doom_users(const range& which) noexcept {
    const auto goes = [&](const detail::list_node& used) {
        return (used.before & detail::list_links::doomed) != 0 || which.has(used);
    };
    for (bool more = true; more;) {
        more = false;
        for (detail::list_links& end : steps_) {
            for (detail::list_links* at = end.previous(); at != &end; at = at->previous()) {
                auto& node = static_cast<detail::list_node&>(*at);
                if (!which.is_before(node))
                    break;
                if ((node.before & detail::list_links::doomed) != 0 || !detail::uses(node, goes))
                    continue;
                if (node.is(detail::list_node::is_object)) {
                    spare_users();
                    return false;
                }
                node.before |= detail::list_links::doomed;
                more = true;
            }
        }
    }
    return true;
}

inline void list::spare_users() noexcept {
    ++spared_;
    for (detail::list_links& end : steps_) {
        for (detail::list_links* at = end.previous(); at != &end; at = at->previous())
            at->before &= ~detail::list_links::doomed;
    }
}

inline bool list::waits_for_itself(const range& which) const noexcept {
    return handlers_.here() || any_from(release_step::users, [&](const detail::list_node& node) {
               return ((node.before & detail::list_links::doomed) != 0 || which.has(node)) &&
                      detail::opened_here(node.argument);
           });
}

/// Weak references to the range's objects answer nothing from now on, and no handler is left that got an answer.
inline void list::announce_end_of_objects(const range& which) noexcept {
    bool any = false;
    for (const release_step step : {release_step::code, release_step::matter}) {
        detail::list_links& end = end_of(step);
        for (detail::list_links* at = end.previous(); at != &end; at = at->previous()) {
            auto& node = static_cast<detail::list_node&>(*at);
            if (which.is_after(node))
                break;
            if (which.is_before(node) || !node.is(detail::list_node::is_object) || node.is(detail::list_node::is_gone))
                continue;
            node.rename(node.serial | detail::list_node::is_gone);
            any = true;
        }
    }
    if (any)
        handlers_.wait();
}

inline void list::release_actions_on(const void* object, std::size_t size) noexcept {
    const auto is_on_object = [&](const detail::list_node& node) {
        return !node.is(detail::list_node::is_object) &&
               reinterpret_cast<std::uintptr_t>(node.argument) - reinterpret_cast<std::uintptr_t>(object) < size;
    };
    for (const release_step step : {release_step::code, release_step::matter}) {  // in the latter if it was pinned
        (void)run_chain(end_of(step), [&](const detail::list_node& node) {
            return is_on_object(node) ? verdict::run : verdict::pass;
        });
    }
}

inline result<std::size_t> list::release_range(const range& which) noexcept {
    const bool has_younger = which.closed != 0 && serial_ != which.closed;
    if (has_younger && !doom_users(which))
        return fail(errc::ebusy);
    if (waits_for_itself(which)) [[unlikely]] {
        if (has_younger)
            spare_users();
        return fail(errc::edeadlk);
    }
    const detail::errno_guard keep;
    std::size_t released = 0;
    ++releasing_;
    while (has_younger) {
        const serial newest = serial_;
        const unsigned spared = spared_;
        for (detail::list_links& end : steps_) {
            released += run_chain(end, [&](const detail::list_node& node) {
                if (!which.is_before(node))
                    return verdict::stop;
                return (node.before & detail::list_links::doomed) != 0 ? verdict::run : verdict::pass;
            });
        }
        // What has run may have added users, or lost the marks to a release of its own that was refused.
        if ((serial_ == newest && spared_ == spared) || !doom_users(which)) [[likely]]
            break;
    }
    for (std::size_t step = 0; step != steps;) {
        if (step == static_cast<std::size_t>(release_step::code))
            announce_end_of_objects(which);
        const serial newest = serial_;
        const auto has_more = [&] { return which.closed == 0 && serial_ != newest; };  // maybe of an earlier step
        released += run_chain(steps_[step], [&](const detail::list_node& node) {
            if (which.is_before(node))
                return verdict::pass;
            return which.is_after(node) || has_more() ? verdict::stop : verdict::run;
        });
        step = has_more() ? 0 : step + 1;
    }
    --releasing_;
    return released;
}

}  // namespace devres
