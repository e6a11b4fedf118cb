// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <new>

#include <devres/core/errno_guard.hpp>
#include <devres/pci/driver.hpp>

namespace devres::pci {

namespace detail {

/// A device and what its driver made of it, in memory of the platform.
template <class Driver, class P>
struct bound_device {
    using function_type = typename P::function_type;
    using state_type = state_of<Driver, P>;

    device<P, Driver> dev;
    state_type* state = nullptr;
    bool suspended = false;

    bound_device(P& platform, function_type& function) noexcept : dev(platform, function) {}

    /// Calls `hook` with the state, or with nothing if there is none; what it returns, if it returns a result.
    template <class Hook>
    result<> call(Hook hook) {
        if constexpr (std::is_void_v<decltype(hook(*this))>) {
            hook(*this);
            return {};
        } else {
            return hook(*this);
        }
    }
};

/// Owns a bound_device from before probe to after the unbind.
template <class Driver, class P>
void destroy(bound_device<Driver, P>* bound) noexcept {
    P& platform = bound->dev.platform();
    auto& function = bound->dev.function();
    bound->~bound_device();  // releases the list, newest first
    platform.detach(function);
    platform.deallocate(bound, sizeof(*bound), alignof(bound_device<Driver, P>));
}

}  // namespace detail

template <class Driver, class P>
class binding;

/// Puts a driver on a function: takes the function, and calls the driver's probe with a device whose release
/// list is empty.
/// @returns the binding, which unbinds when it dies; `ebusy` if the function has a driver, `enodev` if the device
/// is gone or the driver's `ids` do not mean it, `enomem`, or probe's error. In every error case what probe
/// acquired has been released, newest first, and the function is as before.
/// @par Linux
/// `really_probe()` and `pci_device_probe()`
template <class Driver, class P>
[[nodiscard]] result<binding<Driver, P>> bind(P& platform, typename P::function_type& function);

/// A driver on a function. It unbinds when it dies.
template <class Driver, class P>
class binding {
    using bound_device = detail::bound_device<Driver, P>;
    using state_type = typename bound_device::state_type;

public:
    /// A binding of nothing.
    binding() noexcept = default;
    binding(binding&& other) noexcept : bound_(other.bound_) { other.bound_ = nullptr; }
    binding& operator=(binding&& other) noexcept {
        if (this != &other) {
            end();
            bound_ = other.bound_;
            other.bound_ = nullptr;
        }
        return *this;
    }
    ~binding() { end(); }

    /// Takes the driver off: remove(), during which interrupts still arrive, then everything devres owns, newest
    /// first, the driver's state last; then the function is free for another driver. Nothing to do if the
    /// binding is empty. errno is kept.
    /// @returns `edeadlk` from inside one of the function's handlers, which would wait for itself: the driver
    /// stays bound then.
    /// @par Linux
    /// `device_release_driver()`
    result<> unbind() noexcept {
        if (bound_ == nullptr)
            return {};
        if (bound_->dev.platform().in_handler(bound_->dev.function())) [[unlikely]]
            return fail(errc::edeadlk);
        end();
        return {};
    }

    /// What probe made. The binding must not be empty.
    [[nodiscard]] auto& state() const noexcept
        requires(!std::is_void_v<state_type>)
    {
        return *bound_->state;
    }

    /// The device the driver is on. The binding must not be empty.
    [[nodiscard]] device<P, Driver>& dev() const noexcept { return bound_->dev; }

    /// Puts the device to sleep: the driver's suspend, then D3hot, with its state saved.
    /// @returns `einval` if the binding is empty or the device sleeps already, the driver's error, or the
    /// platform's: the device is awake then, as the driver left it.
    /// @par Linux
    /// `pci_pm_suspend()`
    result<> suspend() {
        if (bound_ == nullptr || bound_->suspended)
            return fail(errc::einval);
        if (const auto asked = ask_to_suspend(); !asked)
            return asked;
        if (const auto asleep = bound_->dev.platform().suspend(bound_->dev.function()); !asleep)
            return asleep;
        bound_->suspended = true;
        return {};
    }

    /// Wakes the device: D0, its state restored, then the driver's resume.
    /// @returns `einval` if the binding is empty or the device is awake, the platform's error (the device sleeps
    /// on), or the driver's: the device is awake then, and the driver bound.
    /// @par Linux
    /// `pci_pm_resume()`
    result<> resume() {
        if (bound_ == nullptr || !bound_->suspended)
            return fail(errc::einval);
        if (const auto awake = bound_->dev.platform().resume(bound_->dev.function()); !awake)
            return awake;
        bound_->suspended = false;
        if constexpr (requires(state_type& state) { Driver::resume(state); })
            return bound_->call([](auto& bound) { return Driver::resume(*bound.state); });
        else if constexpr (requires { Driver::resume(); })
            return bound_->call([](auto&) { return Driver::resume(); });
        else
            return {};
    }

    /// True until the driver is unbound.
    [[nodiscard]] explicit operator bool() const noexcept { return bound_ != nullptr; }

private:
    friend result<binding> bind<Driver, P>(P& platform, typename P::function_type& function);

    explicit binding(bound_device* bound) noexcept : bound_(bound) {}

    result<> ask_to_suspend() {
        if constexpr (requires(state_type& state) { Driver::suspend(state); })
            return bound_->call([](auto& bound) { return Driver::suspend(*bound.state); });
        else if constexpr (requires { Driver::suspend(); })
            return bound_->call([](auto&) { return Driver::suspend(); });
        else
            return {};
    }

    void end() noexcept {
        if (bound_ == nullptr)
            return;
        const devres::detail::errno_guard keep;
        bound_device* const bound = bound_;
        bound_ = nullptr;
        if (bound->suspended)  // remove() finds a device that is awake
            (void)bound->dev.platform().resume(bound->dev.function());
        if constexpr (requires(state_type& state) { Driver::remove(state); })
            Driver::remove(*bound->state);
        else if constexpr (requires { Driver::remove(); })
            Driver::remove();
        detail::destroy(bound);
    }

    bound_device* bound_ = nullptr;
};

template <class Driver, class P>
result<binding<Driver, P>> bind(P& platform, typename P::function_type& function) {
    static_assert(pci::platform<P>,
                  "devres[D007] not a platform: the concepts of <devres/pci/platform.hpp> say what is missing");
    static_assert(detail::has_probe<Driver, P>,
                  "devres[D007] not a driver: it has no `static result<...> probe(auto& dev, const device_id& id)`");
    static_assert(detail::has_probe_result<Driver, P>,
                  "devres[D007] not a driver: its probe returns neither result<> nor result<managed_ref<State>>");
    using bound_device = detail::bound_device<Driver, P>;

    const device_id id = platform.id(function);
    const device_id* const entry = match<Driver>(id);
    if (entry == nullptr)
        return fail(errc::enodev);
    void* const memory = platform.allocate(sizeof(bound_device), alignof(bound_device));
    if (memory == nullptr) [[unlikely]]
        return fail(errc::enomem);
    if (const auto attached = platform.attach(function); !attached) {
        platform.deallocate(memory, sizeof(bound_device), alignof(bound_device));
        return fail(attached.error());
    }
    struct destroyer {
        bound_device* bound;
        ~destroyer() {
            if (bound != nullptr)
                detail::destroy(bound);
        }
    } started{::new (memory) bound_device(platform, function)};

    auto probed = Driver::probe(started.bound->dev, *entry);
    if (!probed)
        return fail(probed.error());
    if constexpr (!std::is_void_v<typename bound_device::state_type>)
        started.bound->state = &probed->get();
    bound_device* const bound = started.bound;
    started.bound = nullptr;
    return binding<Driver, P>(bound);
}

}  // namespace devres::pci
