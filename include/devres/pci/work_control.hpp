// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/deferred_work.hpp>

/// Scheduling deferred work, cancelling it, and waiting for it: on any thread, and in handlers.
namespace devres::pci {

/// A length of time: std::chrono's, or another with a `count()` and a `period`.
template <class Time>
concept time_span = requires(const Time& time) {
    { time.count() } -> std::convertible_to<double>;
    Time::period::num / Time::period::den;
};

namespace detail {

template <class Time>
[[nodiscard]] constexpr std::uint64_t nanoseconds(const Time& time) noexcept {
    constexpr std::uint64_t second = 1'000'000'000;
    constexpr auto num = static_cast<std::uint64_t>(Time::period::num);
    constexpr auto den = static_cast<std::uint64_t>(Time::period::den);
    if (!(time.count() > 0))
        return 0;
    const auto count = static_cast<std::uint64_t>(time.count());
    std::uint64_t product = 0;
    if constexpr (den > second)
        return count / (den / second) * num;
    else if constexpr (!std::is_integral_v<decltype(time.count())>)
        return static_cast<std::uint64_t>(static_cast<double>(time.count()) * static_cast<double>(num * second / den));
    else
        return __builtin_mul_overflow(count, num * second / den, &product) ? ~std::uint64_t{0} : product;
}

}  // namespace detail

/// Has the work called once, soon. Any thread, and any handler, may. @returns false if it is to be called already, or has been ended.
/// @par Linux
/// `schedule_work()`
template <class P, class Driver>
bool schedule_work(const deferred<deferral::work, P, Driver>& work) noexcept {
    const auto was = detail::deferrals::schedule(work, 0, false);
    return was && !*was;
}

/// Has the work called once, `delay` from now. @returns false if it is to be called already, and is when it would have been, or
/// if it has been ended.
/// @par Linux
/// `schedule_delayed_work()`, whose delay is in jiffies
template <class P, class Driver, time_span Time>
bool schedule_delayed_work(const deferred<deferral::delayed_work, P, Driver>& work, const Time& delay) noexcept {
    const auto was = detail::deferrals::schedule(work, detail::nanoseconds(delay), false);
    return was && !*was;
}

/// Has the work called once, `delay` from now, whether it was to be called or not. @returns whether it was; false too if it has
/// been ended.
/// @par Linux
/// `mod_delayed_work(system_wq, ...)`
template <class P, class Driver, time_span Time>
bool mod_delayed_work(const deferred<deferral::delayed_work, P, Driver>& work, const Time& delay) noexcept {
    return detail::deferrals::schedule(work, detail::nanoseconds(delay), true).value_or(false);
}

/// Has the timer go off once, `delay` from now, whether it was to go off or not. @returns whether it was; false too if it has been
/// ended.
/// @par Linux
/// `mod_timer()`, which is given a time, not a delay
template <class P, class Driver, time_span Time>
bool mod_timer(const deferred<deferral::timer, P, Driver>& timer, const Time& delay) noexcept {
    return detail::deferrals::schedule(timer, detail::nanoseconds(delay), true).value_or(false);
}

/// The work is not called unless it is scheduled again; it may be running. @returns whether it was to be called.
/// @par Linux
/// The function of the same name.
/// @{
template <class P, class Driver>
bool cancel_work(const deferred<deferral::work, P, Driver>& work) noexcept {
    return detail::deferrals::cancel(work, false).value_or(false);
}
template <class P, class Driver>
bool cancel_delayed_work(const deferred<deferral::delayed_work, P, Driver>& work) noexcept {
    return detail::deferrals::cancel(work, false).value_or(false);
}
template <class P, class Driver>
bool timer_delete(const deferred<deferral::timer, P, Driver>& timer) noexcept {
    return detail::deferrals::cancel(timer, false).value_or(false);
}
/// @}

/// The same, and it does not run when this returns, nor has it scheduled itself. It may be scheduled later.
/// @returns whether it was to be called; `edeadlk` from inside it, where nothing changes.
/// @par Linux
/// The function of the same name, which waits for itself there.
/// @{
template <class P, class Driver>
[[nodiscard]] result_in<bool, P> cancel_work_sync(const deferred<deferral::work, P, Driver>& work) noexcept {
    return detail::deferrals::cancel(work, true);
}
template <class P, class Driver>
[[nodiscard]] result_in<bool, P>
cancel_delayed_work_sync(const deferred<deferral::delayed_work, P, Driver>& work) noexcept {
    return detail::deferrals::cancel(work, true);
}
template <class P, class Driver>
[[nodiscard]] result_in<bool, P> timer_delete_sync(const deferred<deferral::timer, P, Driver>& timer) noexcept {
    return detail::deferrals::cancel(timer, true);
}
/// @}

/// The work has been called, if it was to be, without its delay, when this returns. @returns whether it was to be called, or ran;
/// `edeadlk` from inside a handler or work of the device.
/// @par Linux
/// `flush_work()`, `flush_delayed_work()`
/// @{
template <class P, class Driver>
[[nodiscard]] result_in<bool, P> flush_work(const deferred<deferral::work, P, Driver>& work) noexcept {
    return detail::deferrals::flush(work);
}
template <class P, class Driver>
[[nodiscard]] result_in<bool, P> flush_delayed_work(const deferred<deferral::delayed_work, P, Driver>& work) noexcept {
    return detail::deferrals::flush(work);
}
/// @}

}  // namespace devres::pci
