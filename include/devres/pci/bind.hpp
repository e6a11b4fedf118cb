// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <new>

#include <devres/core/attributes.hpp>
#include <devres/core/detail/errno_guard.hpp>
#include <devres/core/detail/stop.hpp>
#include <devres/pci/detail/bound_device.hpp>
#include <devres/pci/detail/diagnose.hpp>

/// Putting a driver on a function.
namespace devres::pci {

template <class Driver, class P>
class binding {};  // for what is not a driver or not a platform: `bind` says so

/// Puts a driver on a function: takes the function, and calls the driver's probe with a device whose release
/// list is empty.
/// @returns the binding, which unbinds when it dies; `ebusy` if the function has a driver, `enodev` if the device
/// is gone or the driver's `ids` do not mean it, `enomem`, `einval` if the state that probe returned is another device's or
/// has gone again (with a group that was not kept), or probe's error. In every error case what probe acquired has been
/// released as at an unbind, and the function is as before. So it is where probe throws: the exception goes on.
/// @par Linux
/// `really_probe()` and `pci_device_probe()`
///
/// The last argument is nothing: it has the compiler look at the driver's probe where `bind` is called, and not in it.
template <class Driver, class P>
[[nodiscard]] result<binding<Driver, P>>
bind(P& platform, typename detail::function_of<P>::reference function,
     detail::looked_at = detail::probe_of<Driver, P>(&detail::with_probe<Driver, P>::probe));

/// A driver on a function. It unbinds when it dies, which must not be inside one of the function's handlers, nor while this
/// thread has an access of the device open: the program stops then, where `unbind` answers `edeadlk`.
template <class Driver, class P>
    requires platform<P> && driver_on<Driver, P>
class DEVRES_CONSUMABLE binding<Driver, P> {
    using bound_device = detail::bound_device<Driver, P>;
    using state_type = typename bound_device::state_type;

public:
    /// A binding of nothing.
    DEVRES_EMPTY binding() noexcept = default;
    /// Takes the binding; the other is empty afterwards.
    binding(binding&& other) noexcept : bound_(other.bound_) { other.bound_ = nullptr; }
    /// As the constructor; the driver that this has is unbound first.
    binding& operator=(binding&& other) noexcept {
        if (this != &other) {
            end();
            bound_ = other.bound_;
            other.bound_ = nullptr;
        }
        return *this;
    }
    ~binding() { end(); }

    /// Takes the driver off: a device that sleeps is woken, and the driver's resume called; remove(), during which interrupts
    /// still arrive and which is called whatever resume said; then what devres owns is released from the outside in
    /// (`release_step`), and with the handlers those and the vectors that the driver itself has not freed; then the function
    /// is free for another driver. Nothing to do if the binding is empty. errno is kept.
    /// @returns `edeadlk` from inside one of the function's handlers or of a suspend or resume, or while this thread has an
    /// access of the device open: it would wait for itself, and the driver stays bound.
    /// @par Linux
    /// `device_release_driver()`
    [[nodiscard]] result<> unbind() noexcept {
        if (bound_ == nullptr)
            return {};
        if (waits_for_itself()) [[unlikely]]
            return fail(errc::edeadlk);
        end();
        return {};
    }

    /// What probe made. The program stops if the binding is empty, or a group has released the state since.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY auto& state() const noexcept
        requires(!std::is_void_v<state_type>)
    {
        if (bound_ == nullptr || !bound_->dev.resources().has(bound_->record)) [[unlikely]]
            detail::stop("binding::state: the driver is not bound, or a group has released the state of the driver");
        return *bound_->state;
    }

    /// The device the driver is on. The binding must not be empty.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY device<P, Driver>& dev() const noexcept { return bound_->dev; }

    /// Puts the device to sleep: the driver's suspend, or, for a driver with neither suspend nor resume, the `stop()` of what
    /// was started; then D3hot, with its state saved. Handlers stay registered.
    /// @returns `einval` if the binding is empty or the device sleeps already, `edeadlk` inside a hook of this driver,
    /// `enoent` if the state has gone since with a group, the driver's error (the device is awake, as the driver left it), or
    /// the platform's: the device is awake then, and the driver's resume has been called. Where the driver's suspend throws,
    /// the exception goes on, and the device is awake.
    /// @par Linux
    /// `pci_pm_suspend()`
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY result<> suspend() {
        if (bound_ == nullptr || bound_->suspended)
            return fail(errc::einval);
        if (bound_->changing) [[unlikely]]
            return fail(errc::edeadlk);
        const typename bound_device::change under_way(*bound_);
        if (const auto asked = bound_->quiesce(); !asked)
            return asked;
        if (const auto asleep = bound_->dev.platform().suspend(bound_->dev.function()); !asleep) {
            (void)bound_->restart();
            return asleep;
        }
        bound_->suspended = true;
        return {};
    }

    /// Wakes the device: D0, its state restored, then the driver's resume, or the `start()` of what was started.
    /// @returns `einval` if the binding is empty or the device is awake, `edeadlk` inside a hook of this driver, the
    /// platform's error (the device sleeps on), or the driver's: the device is awake then, and the driver bound.
    /// @par Linux
    /// `pci_pm_resume()`
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY result<> resume() noexcept {
        if (bound_ == nullptr || !bound_->suspended)
            return fail(errc::einval);
        if (bound_->changing) [[unlikely]]
            return fail(errc::edeadlk);
        const typename bound_device::change under_way(*bound_);
        if (const auto awake = bound_->dev.platform().resume(bound_->dev.function()); !awake)
            return awake;
        bound_->suspended = false;
        return bound_->restart();
    }

    /// True until the driver is unbound.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return bound_ != nullptr; }

private:
    friend result<binding> bind<Driver, P>(P& platform, typename detail::function_of<P>::reference function,
                                           detail::looked_at);

    explicit binding(bound_device* bound) noexcept : bound_(bound) {}

    [[nodiscard]] bool waits_for_itself() const noexcept {
        return bound_->changing || bound_->dev.platform().in_handler(bound_->dev.function()) ||
               bound_->dev.resources().would_wait_for_itself();
    }

    void end() noexcept {
        if (bound_ == nullptr)
            return;
        if (waits_for_itself()) [[unlikely]]
            detail::stop(
                "a binding dies inside a handler, a suspend or a resume of its device, or on a thread that has "
                "one of its accesses open: the unbind would wait for itself");
        const detail::errno_guard keep;
        bound_device* const bound = bound_;
        bound_ = nullptr;
        if (bound->suspended) {  // remove() finds a device that is awake
            if (bound->dev.platform().resume(bound->dev.function()))
                (void)bound->restart();
        }
        bound->remove();
        detail::destroy(bound);
    }

    bound_device* bound_ = nullptr;
};

template <class Driver, class P>
result<binding<Driver, P>> bind(P& platform, typename detail::function_of<P>::reference function, detail::looked_at) {
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
        } started{::new (memory) bound_device(platform, function, id)};

        auto probed = Driver::probe(started.bound->dev, entry == &id ? started.bound->id : *entry);
        if (!probed)
            return fail(probed.error());
        if (false) {  // what is wrong in a hook that is a template is found here, near what the driver's writer knows
            if constexpr (requires { Driver::remove(**probed); })
                (void)Driver::remove(**probed);
            else if constexpr (requires { Driver::remove(*probed); })
                (void)Driver::remove(*probed);
            if constexpr (requires { Driver::suspend(**probed); })
                (void)Driver::suspend(**probed);
            else if constexpr (requires { Driver::suspend(*probed); })
                (void)Driver::suspend(*probed);
            if constexpr (requires { Driver::resume(**probed); })
                (void)Driver::resume(**probed);
            else if constexpr (requires { Driver::resume(*probed); })
                (void)Driver::resume(*probed);
        }
        if constexpr (!std::is_void_v<typename bound_device::state_type>) {
            if (auto there = started.bound->keep(*probed); !there)
                return fail(there.error());
        }
        bound_device* const bound = started.bound;
        started.bound = nullptr;
        return binding<Driver, P>(bound);
    } else if constexpr (detail::has_unread_table<Driver>) {  // here, as the error of the table itself is long enough
        static_assert(!detail::has_unread_table<Driver>,
                      "devres[D007] not a driver: its ownership table is private, or in error, and would go unchecked");
        return fail(errc::einval);
    } else {
        detail::say_what_is_missing<Driver, P>();
        return fail(errc::einval);
    }
}

}  // namespace devres::pci
