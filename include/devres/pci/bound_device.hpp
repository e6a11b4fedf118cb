// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/driver.hpp>

namespace devres::pci::detail {

/// A device and what its driver made of it, in memory of the platform, from before probe to after the unbind.
template <class Driver, class P>
struct bound_device {
    using function_type = typename P::function_type;
    using state_type = state_of<Driver, P>;

    device<P, Driver> dev;
    state_type* state = nullptr;
    devres::detail::managed_object* record = nullptr;
    bool suspended = false;

    bound_device(P& platform, function_type& function) noexcept : dev(platform, function) {}

    void keep(const managed_ref<state_type>& probed) noexcept {
        state = &probed.get();
        record = &devres::detail::managed_object::of(probed);
    }

    /// Calls a hook of the driver with what it takes: the state, a managed_ref to it, or, for a driver without state,
    /// nothing. A hook that the driver does not have succeeds, and so does one that returns nothing.
    template <class Hook>
    result<> call(Hook hook) {
        if constexpr (std::is_void_v<state_type>)
            return outcome_of(hook);
        else if constexpr (requires { hook(*state); })
            return outcome_of(hook, *state);
        else
            return outcome_of(hook, devres::detail::managed_object::reference(*state, *record));
    }

private:
    template <class Hook, class... State>
    static result<> outcome_of(Hook hook, State&&... of_driver) {
        if constexpr (!requires { hook(of_driver...); }) {
            return {};
        } else if constexpr (std::is_void_v<decltype(hook(of_driver...))>) {
            hook(of_driver...);
            return {};
        } else {
            return hook(of_driver...);
        }
    }
};

/// Ends what is left after remove(), or after a probe that failed, and the bound_device with it.
template <class Driver, class P>
void destroy(bound_device<Driver, P>* bound) noexcept {
    P& platform = bound->dev.platform();
    auto& function = bound->dev.function();
    // The driver's own vectors end here at the latest. Guards that a failed probe has moved into its state would free
    // them with the state: last, after the function has been disabled.
    if (!device_records<P, Driver>::of(bound->dev).vectors.record)
        or_stop(platform.free_vectors(function));
    bound->~bound_device();  // releases the list, newest first
    platform.detach(function);
    platform.deallocate(bound, sizeof(*bound), alignof(bound_device<Driver, P>));
}

}  // namespace devres::pci::detail
