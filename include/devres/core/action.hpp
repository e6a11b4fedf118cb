// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/attributes.hpp>
#include <devres/core/event.hpp>
#include <devres/core/list.hpp>
#include <devres/core/ownership.hpp>

/// Actions: functions that devres calls at unbind.
namespace devres {

namespace detail {
struct action_access;
}

/// Names an action of a device. Once it has run or was removed, the name is of nothing: asking for it answers `enoent`.
class action {
public:
    constexpr action() noexcept = default;

private:
    explicit constexpr action(list::handle record) noexcept : record_(record) {}
    list::handle record_;

    friend struct detail::action_access;
};

namespace detail {

struct action_access {
    static constexpr action make(list::handle record) noexcept { return action(record); }
    static constexpr list::handle record(action named) noexcept { return named.record_; }
};

/// For an action that is not for a resource of the table.
struct no_resource {};

template <class Driver, class Resource>
inline constexpr bool can_add_action = owned_by<Driver, Resource, managed_t>;
template <class Driver>
inline constexpr bool can_add_action<Driver, no_resource> = !actions_are_named<Driver>;

}  // namespace detail

template <class Device, class Resource>
concept action_in_table = rule<
    detail::can_add_action<typename detail::driver_of<Device>::type, Resource>,
    text{"devres[D004] devm_add_action: the ownership table has managed resources of the driver: say which of them the "
         "action is for, devm_add_action<resource>(dev, ...)"}>;

/// Calls `function(argument)` when `dev`'s driver is unbound, after the handlers have ended and among the destructors of
/// managed objects, newest first. It gives something back and does not talk to the device: what does is a `devm_start`.
/// An action that is older than the enable is called after the function has been disabled. `Resource` is what of the
/// driver's own the action frees, as the ownership table names it. The same function and argument may be added many
/// times; each is an action of its own.
/// @returns a name for it; `enomem` if it cannot be recorded, `einval` for a null function, `edeadlk` from inside a handler
/// of the device: it is not called then.
/// @par Linux
/// `devm_add_action()`, which does not name it
template <auto Resource = detail::no_resource{}, class Device>
    requires action_in_table<Device, std::remove_const_t<decltype(Resource)>>
[[nodiscard]] DEVRES_INLINE result<action> devm_add_action(Device& dev, void (*function)(void*),
                                                           void* argument) noexcept {
    if (detail::in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    auto record = dev.resources().add(function, argument);
    if (!record) [[unlikely]]
        return fail(record.error());
    detail::note(dev, {.managed = true, .resource = &action_kind});
    return detail::action_access::make(*record);
}

/// As `devm_add_action`, but if the action cannot be recorded, `function(argument)` is called at once: what it
/// undoes is undone in either case (`devm_add_action_or_reset()`).
template <auto Resource = detail::no_resource{}, class Device>
    requires action_in_table<Device, std::remove_const_t<decltype(Resource)>>
[[nodiscard]] result<action> devm_add_action_or_reset(Device& dev, void (*function)(void*), void* argument) noexcept {
    auto added = devm_add_action<Resource>(dev, function, argument);
    if (!added && function != nullptr) [[unlikely]]
        function(argument);
    return added;
}

/// Drops an action without calling it, in constant time.
/// @returns `enoent` if it has run, was removed or was never added, `einval` if it is another device's, `edeadlk` from
/// inside a handler of the device.
template <class Device>
[[nodiscard]] result<> devm_remove_action(Device& dev, action added) noexcept {
    if (detail::in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    return dev.resources().remove(detail::action_access::record(added));
}

/// Drops the newest action with this function and argument without calling it.
/// @returns `enoent` if there is none, `edeadlk` from inside a handler of the device.
/// @par Linux
/// `devm_remove_action()`, which warns instead. It searches; keep the name of an action where that matters.
template <class Device>
[[nodiscard]] result<> devm_remove_action(Device& dev, void (*function)(void*), void* argument) noexcept {
    if (detail::in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    return dev.resources().remove(dev.resources().find(function, argument));
}

/// Calls an action now, and drops it, in constant time.
/// @returns `enoent` if it has run, was removed or was never added, `einval` if it is another device's, `edeadlk` from
/// inside a handler of the device: it is not called then.
template <class Device>
[[nodiscard]] DEVRES_INLINE result<> devm_release_action(Device& dev, action added) noexcept {
    if (detail::in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    return dev.resources().release_leaf(detail::action_access::record(added));
}

/// Calls the newest action with this function and argument now, and drops it.
/// @returns `enoent` if there is none, `edeadlk` from inside a handler of the device; nothing is called then.
/// @par Linux
/// `devm_release_action()`, which warns instead
template <class Device>
[[nodiscard]] result<> devm_release_action(Device& dev, void (*function)(void*), void* argument) noexcept {
    if (detail::in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    return dev.resources().release_leaf(dev.resources().find(function, argument));
}

}  // namespace devres
