// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

#include <devres/core/managed_ref.hpp>
#include <devres/pci/device.hpp>

/// What a driver is, besides a type with a static probe:
///
/// @code
/// struct my_driver {
///     static constexpr devres::pci::device_id ids[] = {{.vendor = 0x11f8, .device = 0x8531}};  // none: any function
///     static constexpr auto ownership = devres::own(...);                                      // none: unchecked
///     static devres::result<devres::managed_ref<state>> probe(auto& dev, const devres::pci::device_id& id);
///     static void remove(state& data);                // optional: what the driver itself has to end
///     static devres::result<> suspend(state& data);   // optional
///     static devres::result<> resume(state& data);    // optional
/// };
/// @endcode
///
/// A probe that returns a plain `result<>` makes a driver without state; remove, suspend and resume then take
/// no argument.
namespace devres::pci {

namespace detail {

template <class Probed>
struct probed_state;
template <>
struct probed_state<result<>> {
    using type = void;
};
template <class State>
struct probed_state<result<managed_ref<State>>> {
    using type = State;
};

template <class Driver, class P>
concept has_probe = requires(device<P, Driver>& dev, const device_id& id) { Driver::probe(dev, id); };

template <class Driver, class P>
using probe_result =
    decltype(Driver::probe(std::declval<device<P, Driver>&>(), std::declval<const device_id&>()));

template <class Driver, class P>
concept has_probe_result = requires { typename probed_state<probe_result<Driver, P>>::type; };

}  // namespace detail

/// A driver that can be bound on platform `P`.
template <class Driver, class P>
concept driver = detail::has_probe<Driver, P> && detail::has_probe_result<Driver, P>;

/// What the driver's probe makes, or void.
template <class Driver, class P>
using state_of = typename detail::probed_state<detail::probe_result<Driver, P>>::type;

/// The entry of the driver's `ids` that means this function, null if none does; any function will do for a
/// driver without `ids`, and is its own entry.
template <class Driver>
[[nodiscard]] constexpr const device_id* match(const device_id& function) noexcept {
    if constexpr (requires { Driver::ids; }) {
        for (const device_id& id : Driver::ids) {
            if (id.matches(function))
                return &id;
        }
        return nullptr;
    } else {
        return &function;
    }
}

}  // namespace devres::pci
