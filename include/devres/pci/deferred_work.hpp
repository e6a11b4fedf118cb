// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/irq_handler.hpp>

/// Deferred work: work items, delayed work and timers. devres ends them with the handlers, before anything that they may use.
namespace devres::pci {

/// A function that can be called later for a T: a member of T, or a function (a lambda too) that takes a T&, returning nothing.
template <auto Function, class T>
concept work_of_object = requires(T& context) {
    requires requires {
        { (context.*Function)() } -> std::same_as<void>;
    } || requires {
        { Function(context) } -> std::same_as<void>;
    };
};

template <class P>
concept platform_defers_work =
    rule<defers_work<P>, text{"devres[D007] this platform defers no work: add_work, schedule_work, cancel_work, "
                              "flush_work, remove_work"}>;
template <class Object>
concept work_on_managed_object =
    rule<detail::referred<Object>::is_managed,
         text{"devres[D002] deferred work needs a managed object (devm_emplace): a plain reference may be gone before "
              "devres ends the work"}>;
template <class Driver>
concept work_managed =
    rule<owned_by<Driver, deferred_work_t, managed_t>,
         text{"devres[D004] devm_work, devm_timer: the ownership table does not say deferred_work = managed"}>;
template <auto Function, class T>
concept work_form = rule<work_of_object<Function, T>,
                         text{"devres[D010] not work: a function of the object, or one that takes it, that returns "
                              "nothing"}>;

/// What is deferred: which functions take it.
enum class deferral : unsigned char { work, delayed_work, timer };

namespace detail {

struct work_kind : any_kind {
    static constexpr resource_kind about{"deferred_work"};
    template <class P>
    using value = work_id;

    template <class P, class Driver>
    static result<> release(device<P, Driver>& dev, work_id& id) noexcept {
        return dev.platform().remove_work(dev.function(), id);
    }
    template <class... Used>
    [[nodiscard]] static constexpr release_step step(const Used&...) noexcept {
        return release_step::handlers;
    }
};

struct deferrals;

}  // namespace detail

/// A name of work that devres ends at the unbind, for `schedule_work` and the like. It may be empty, copied and assigned, so that
/// an older state holds it: `work_of<Device>`. Handlers may schedule it as soon as it is there, and as late as they like: once it
/// has been ended, it is not called any more. Not to be used after the unbind.
template <deferral What, class P, class Driver = void>
class deferred {
public:
    using owner_type = managed_t;  ///< devres
    using platform_type = P;       ///< its device's
    using driver_type = Driver;    ///< its device's

    /// A name of nothing.
    deferred() noexcept = default;

    /// True until the work has been ended.
    [[nodiscard]] explicit operator bool() const noexcept { return list::names(record_); }

private:
    friend struct devres::detail::token;
    friend struct detail::deferrals;
    deferred(device<P, Driver>& dev, work_id id, const detail::label&, list::handle record) noexcept
        : dev_(&dev), id_(id), record_(record) {}

    device<P, Driver>* dev_ = nullptr;
    work_id id_ = work_id::none;
    list::handle record_;
};

/// For the members of a driver's state.
/// @{
template <class Device>
using work_of = deferred<deferral::work, typename Device::platform_type, typename Device::driver_type>;
template <class Device>
using delayed_work_of = deferred<deferral::delayed_work, typename Device::platform_type, typename Device::driver_type>;
template <class Device>
using timer_of = deferred<deferral::timer, typename Device::platform_type, typename Device::driver_type>;
/// @}

namespace detail {

struct deferrals {
    template <auto Function, class T>
    static void run(void* argument) noexcept {
        typename irq_object<Function, T>::type& context = *static_cast<T*>(argument);
        if constexpr (requires { (context.*Function)(); })
            (context.*Function)();
        else
            Function(context);
    }

    template <auto Function, deferral What, class P, class Driver, class Object>
    static result<deferred<What, P, Driver>> add(device<P, Driver>& dev, const Object& object) noexcept {
        using T = typename referred<Object>::type;
        constexpr const char* name = type_name<T>.text;
        return acquire<deferred<What, P, Driver>, work_kind>(
            dev, {0, name},
            [&]() noexcept {
                return dev.platform().add_work(dev.function(),
                                               {.entry = &run<Function, T>,
                                                .context = const_cast<std::remove_const_t<T>*>(&object.get()),
                                                .name = name,
                                                .keeps_off_bars = kept_off_bars<Driver, deferred_work_t>,
                                                .timer = What == deferral::timer});
            },
            object);
    }

    template <class Work>
    [[nodiscard]] static result_in<bool, Work> schedule(const Work& work, std::uint64_t nanoseconds,
                                                        bool again) noexcept {
        if (work.dev_ == nullptr) [[unlikely]]
            return fail(errc::enoent);
        return work.dev_->platform().schedule_work(work.dev_->function(), work.id_, nanoseconds, again);
    }
    template <class Work>
    [[nodiscard]] static result_in<bool, Work> cancel(const Work& work, bool wait) noexcept {
        if (work.dev_ == nullptr) [[unlikely]]
            return false;
        return work.dev_->platform().cancel_work(work.dev_->function(), work.id_, wait);
    }
    template <class Work>
    [[nodiscard]] static result_in<bool, Work> flush(const Work& work) noexcept {
        if (work.dev_ == nullptr) [[unlikely]]
            return false;
        return work.dev_->platform().flush_work(work.dev_->function(), work.id_);
    }
};

}  // namespace detail

/// Work for `schedule_work`: `Function` is called on `object`, a managed one, on a thread where it may wait. At the unbind devres
/// ends it with the handlers, newest first: it does not run and is not called any more, also where it schedules itself, before
/// any object, vector or BAR goes. As in a handler, nothing is acquired in it.
/// @returns a name of it; `enomem`, `enoent` if the object has gone, `einval` if it is another device's, `edeadlk` from inside a
/// handler or work of the device: there is no work then.
/// @par Linux
/// `devm_work_autocancel()`; `INIT_WORK()`, with a `cancel_work_sync()` at the right place
template <auto Function, class P, class Driver, class Object>
    requires platform_defers_work<P> && unwrapped<Object> && work_on_managed_object<Object> && work_managed<Driver> &&
             work_form<Function, typename detail::referred<Object>::type>
[[nodiscard]] result<deferred<deferral::work, P, Driver>> devm_work(device<P, Driver>& dev,
                                                                    const Object& object) noexcept {
    return detail::deferrals::add<Function, deferral::work>(dev, object);
}

/// As `devm_work`, for `schedule_delayed_work`.
/// @par Linux
/// `devm_delayed_work_autocancel()`; `INIT_DELAYED_WORK()`
template <auto Function, class P, class Driver, class Object>
    requires platform_defers_work<P> && unwrapped<Object> && work_on_managed_object<Object> && work_managed<Driver> &&
             work_form<Function, typename detail::referred<Object>::type>
[[nodiscard]] result<deferred<deferral::delayed_work, P, Driver>> devm_delayed_work(device<P, Driver>& dev,
                                                                                    const Object& object) noexcept {
    return detail::deferrals::add<Function, deferral::delayed_work>(dev, object);
}

/// As `devm_work`, a timer for `mod_timer`: its function may not wait.
/// @par Linux
/// `timer_setup()`, with a `timer_shutdown_sync()` at the right place
template <auto Function, class P, class Driver, class Object>
    requires platform_defers_work<P> && unwrapped<Object> && work_on_managed_object<Object> && work_managed<Driver> &&
             work_form<Function, typename detail::referred<Object>::type>
[[nodiscard]] result<deferred<deferral::timer, P, Driver>> devm_timer(device<P, Driver>& dev,
                                                                      const Object& object) noexcept {
    return detail::deferrals::add<Function, deferral::timer>(dev, object);
}

}  // namespace devres::pci
