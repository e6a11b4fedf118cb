// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <new>

#include <devres/core/attributes.hpp>
#include <devres/core/errno_guard.hpp>
#include <devres/pci/bound_device.hpp>
#include <devres/pci/diagnose.hpp>

namespace devres::pci {

template <class Driver, class P>
class binding {};  // for what is not a driver or not a platform: `bind` says so

/// Puts a driver on a function: takes the function, and calls the driver's probe with a device whose release
/// list is empty.
/// @returns the binding, which unbinds when it dies; `ebusy` if the function has a driver, `enodev` if the device
/// is gone or the driver's `ids` do not mean it, `enomem`, or probe's error. In every error case what probe
/// acquired has been released, newest first, and the function is as before.
/// @par Linux
/// `really_probe()` and `pci_device_probe()`
template <class Driver, class P>
[[nodiscard]] result<binding<Driver, P>> bind(P& platform, typename detail::function_of<P>::reference function);

/// A driver on a function. It unbinds when it dies, which must not be inside one of the function's handlers: the program
/// stops then, where `unbind` answers `edeadlk`.
template <class Driver, class P>
    requires platform<P> && driver_on<Driver, P>
class DEVRES_CONSUMABLE binding<Driver, P> {
    using bound_device = detail::bound_device<Driver, P>;
    using state_type = typename bound_device::state_type;

public:
    /// A binding of nothing.
    DEVRES_EMPTY binding() noexcept = default;
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

    /// Takes the driver off: remove(), during which interrupts still arrive, then vectors of the driver's own that it
    /// has not freed, with the handlers on them, then everything devres owns, newest first, the driver's state last;
    /// then the function is free for another driver. Nothing to do if the binding is empty. errno is kept.
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
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY auto& state() const noexcept
        requires(!std::is_void_v<state_type>)
    {
        return *bound_->state;
    }

    /// The device the driver is on. The binding must not be empty.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY device<P, Driver>& dev() const noexcept { return bound_->dev; }

    /// Puts the device to sleep: the driver's suspend, then D3hot, with its state saved.
    /// @returns `einval` if the binding is empty or the device sleeps already, the driver's error (the device is awake, as
    /// the driver left it), or the platform's: the device is awake then, and the driver's resume has been called.
    /// @par Linux
    /// `pci_pm_suspend()`
    DEVRES_NOT_WHEN_EMPTY result<> suspend() {
        if (bound_ == nullptr || bound_->suspended)
            return fail(errc::einval);
        if (const auto asked = bound_->call(detail::suspend_of<Driver>{}); !asked)
            return asked;
        if (const auto asleep = bound_->dev.platform().suspend(bound_->dev.function()); !asleep) {
            (void)bound_->call(detail::resume_of<Driver>{});
            return asleep;
        }
        bound_->suspended = true;
        return {};
    }

    /// Wakes the device: D0, its state restored, then the driver's resume.
    /// @returns `einval` if the binding is empty or the device is awake, the platform's error (the device sleeps
    /// on), or the driver's: the device is awake then, and the driver bound.
    /// @par Linux
    /// `pci_pm_resume()`
    DEVRES_NOT_WHEN_EMPTY result<> resume() {
        if (bound_ == nullptr || !bound_->suspended)
            return fail(errc::einval);
        if (const auto awake = bound_->dev.platform().resume(bound_->dev.function()); !awake)
            return awake;
        bound_->suspended = false;
        return bound_->call(detail::resume_of<Driver>{});
    }

    /// True until the driver is unbound.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return bound_ != nullptr; }

private:
    friend result<binding> bind<Driver, P>(P& platform, typename detail::function_of<P>::reference function);

    explicit binding(bound_device* bound) noexcept : bound_(bound) {}

    void end() noexcept {
        if (bound_ == nullptr)
            return;
        if (bound_->dev.platform().in_handler(bound_->dev.function())) [[unlikely]]
            __builtin_trap();  // it would wait for itself, or free what the handler is using
        const devres::detail::errno_guard keep;
        bound_device* const bound = bound_;
        bound_ = nullptr;
        if (bound->suspended)  // remove() finds a device that is awake
            (void)bound->dev.platform().resume(bound->dev.function());
        (void)bound->call(detail::remove_of<Driver>{});
        detail::destroy(bound);
    }

    bound_device* bound_ = nullptr;
};

template <class Driver, class P>
result<binding<Driver, P>> bind(P& platform, typename detail::function_of<P>::reference function) {
    if constexpr (pci::platform<P> && driver_on<Driver, P>) {
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
            started.bound->keep(*probed);
        bound_device* const bound = started.bound;
        started.bound = nullptr;
        return binding<Driver, P>(bound);
    } else {
        detail::say_what_is_missing<Driver, P>();
        return fail(errc::einval);
    }
}

}  // namespace devres::pci
