// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/attributes.hpp>
#include <devres/core/event.hpp>
#include <devres/core/list.hpp>

namespace devres {

/// Names an action of a device until it has run or was removed; after that it must not be used.
class action {
public:
    constexpr action() noexcept = default;

private:
    explicit constexpr action(list::handle record) noexcept : record_(record) {}
    list::handle record_;

    template <class Device>
    friend result<action> devm_add_action(Device& dev, void (*function)(void*), void* argument) noexcept;
    template <class Device>
    friend void devm_remove_action(Device& dev, action added) noexcept;
    template <class Device>
    friend void devm_release_action(Device& dev, action added) noexcept;
};

/// Calls `function(argument)` when `dev`'s driver is unbound, in its place among the managed resources. The
/// same function and argument may be added many times; each is an action of its own.
/// @returns a name for it; `enomem` if it cannot be recorded, `einval` for a null function: it is not called then.
/// @par Linux
/// `devm_add_action()`, which does not name it.
template <class Device>
DEVRES_INLINE result<action> devm_add_action(Device& dev, void (*function)(void*), void* argument) noexcept {
    auto record = dev.resources().add(function, argument);
    if (!record) [[unlikely]]
        return fail(record.error());
    detail::note(dev, {.managed = true, .resource = "action"});
    return action(*record);
}

/// As `devm_add_action`, but if the action cannot be recorded, `function(argument)` is called at once: what it
/// undoes is undone in either case (`devm_add_action_or_reset()`).
template <class Device>
result<action> devm_add_action_or_reset(Device& dev, void (*function)(void*), void* argument) noexcept {
    auto added = devm_add_action(dev, function, argument);
    if (!added && function != nullptr) [[unlikely]]
        function(argument);
    return added;
}

/// Drops an action without calling it, in constant time.
template <class Device>
void devm_remove_action(Device& dev, action added) noexcept {
    dev.resources().remove(added.record_);
}

/// Drops the newest action with this function and argument without calling it.
/// @returns `enoent` if there is none.
/// @par Linux
/// `devm_remove_action()`, which warns instead. It searches; keep the name of an action where that matters.
template <class Device>
result<> devm_remove_action(Device& dev, void (*function)(void*), void* argument) noexcept {
    const auto record = dev.resources().find(function, argument);
    if (!record)
        return fail(errc::enoent);
    dev.resources().remove(record);
    return {};
}

/// Calls an action now, and drops it, in constant time.
template <class Device>
void devm_release_action(Device& dev, action added) noexcept {
    dev.resources().release(added.record_);
}

/// Calls the newest action with this function and argument now, and drops it.
/// @returns `enoent` if there is none; nothing is called then.
/// @par Linux
/// `devm_release_action()`, which warns instead.
template <class Device>
result<> devm_release_action(Device& dev, void (*function)(void*), void* argument) noexcept {
    const auto record = dev.resources().find(function, argument);
    if (!record)
        return fail(errc::enoent);
    dev.resources().release(record);
    return {};
}

}  // namespace devres
