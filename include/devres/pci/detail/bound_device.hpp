// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/start.hpp>
#include <devres/pci/driver.hpp>

namespace devres::pci::detail {

/// A device and what its driver made of it, in memory of the platform, from before probe to after the unbind.
template <class Driver, class P>
struct bound_device {
    using function_type = typename P::function_type;
    using state_type = state_of<Driver, P>;

    device_id id;  // for a driver without `ids`
    device<P, Driver> dev;
    state_type* state = nullptr;
    list::handle record;
    bool suspended = false;
    bool changing = false;  // a suspend or resume is under way

    bound_device(P& platform, function_type& function, const device_id& of) noexcept
        : id(of), dev(platform, function) {}

    /// While a suspend or resume is under way, nothing may take the driver off.
    class change {
    public:
        explicit change(bound_device& of) noexcept : of_(of) { of_.changing = true; }
        change(const change&) = delete;
        change& operator=(const change&) = delete;
        ~change() { of_.changing = false; }

    private:
        bound_device& of_;
    };

    /// @returns `einval` if the state has gone, or is another device's
    result<> keep(const managed_ref<state_type>& probed) noexcept {
        state = &probed.get();
        record = detail::token::record(probed);
        return dev.resources().has(record) ? result<>() : fail(errc::einval);
    }

    /// Calls a hook of the driver with what it takes: the state, a managed_ref to it, or, for a driver without state,
    /// nothing. A hook that returns nothing succeeds.
    /// @returns what the hook does, `enoent` if the state has gone since with a group: it is not called then.
    template <class Hook>
    result<> call(Hook hook) noexcept(!may_throw<Hook, state_type>) {
        if constexpr (std::is_void_v<state_type>) {
            return outcome_of(hook);
        } else if (!dev.resources().has(record)) [[unlikely]] {
            return fail(errc::enoent);
        } else if constexpr (requires { hook(*state); }) {
            return outcome_of(hook, *state);
        } else {
            auto reference = detail::token::make<managed_ref<state_type>>(*state, record);
            return outcome_of(hook, reference);
        }
    }

    void remove() noexcept {
        if constexpr (takes_state<remove_of<Driver>, state_type>)
            (void)call(remove_of<Driver>{});
    }

    // What was started is stopped and started by the driver's own hooks, if it has any.
    static constexpr bool has_hooks = takes_state<suspend_of<Driver>, state_type> ||
                                      takes_state<resume_of<Driver>, state_type>;

    result<> quiesce() {
        if constexpr (takes_state<suspend_of<Driver>, state_type>)
            return call(suspend_of<Driver>{});
        else if constexpr (!has_hooks)
            detail::halt_started(dev.resources());
        return {};
    }
    result<> restart() noexcept {
        if constexpr (takes_state<resume_of<Driver>, state_type>)
            return call(resume_of<Driver>{});
        else if constexpr (!has_hooks)
            return detail::start_again(dev.resources());
        else
            return {};
    }

private:
    template <class Hook, class... State>
    static result<> outcome_of(Hook hook, State&... of_driver) noexcept(noexcept(hook(of_driver...))) {
        if constexpr (std::is_void_v<decltype(hook(of_driver...))>) {
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
    bound->~bound_device();
    platform.detach(function);
    platform.deallocate(bound, sizeof(*bound), alignof(bound_device<Driver, P>));
}

}  // namespace devres::pci::detail
