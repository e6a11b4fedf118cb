// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/managed_ref.hpp>

/// Starting an object: its stop() comes before its handlers, and whatever they use, go.
namespace devres {

namespace detail {

template <class T>
concept has_start = requires(T& object) {
    { object.start() } -> std::same_as<void>;
} || requires(T& object) {
    { object.start() } -> std::same_as<result<>>;
};
template <class T>
inline constexpr bool startable = has_start<T> && requires(T& object) {
    { object.stop() } noexcept -> std::same_as<void>;
};

/// The record of what was started: what the list knows of it, whatever its type.
struct started : users_of<1> {
    result<> (*start)(void* object) = nullptr;
    void (*stop)(void* object) noexcept = nullptr;
    void* object = nullptr;
    bool running = true;

    void halt() noexcept {
        if (!running)
            return;
        running = false;  // before stop(), which may release what it is in
        stop(object);
    }
    [[nodiscard]] result<> start_again() {
        running = true;  // before start(), which may release what it is in
        auto again = start(object);
        if (!again)
            running = false;
        return again;
    }
};

template <class Device, class T>
struct started_object : started {
    Device* dev;

    started_object(const users_of<1>& links, Device& device, T& target) noexcept
        : started{links, &start_object, &stop_object, const_cast<std::remove_const_t<T>*>(&target)}, dev(&device) {}

    static result<> start_object(void* object) {
        T& target = *static_cast<T*>(object);
        if constexpr (std::same_as<decltype(target.start()), void>) {
            target.start();
            return {};
        } else {
            return target.start();
        }
    }
    static void stop_object(void* object) noexcept { static_cast<T*>(object)->stop(); }

    static void release(void* argument) noexcept {
        auto* const record = static_cast<started_object*>(argument);
        Device& dev = *record->dev;
        record->halt();
        record->~started_object();
        record_access::memory(dev.resources()).put(record, sizeof(started_object), alignof(started_object));
        note(dev, {.what = resource_event::step::released,
                   .managed = true,
                   .resource = &start_kind,
                   .name = type_name<T>.text});
    }
};

}  // namespace detail

template <class Object>
concept starts_managed =
    rule<detail::referred<Object>::is_managed,
         text{"devres[D002] devm_start needs a managed object (devm_emplace): a plain reference may be gone "
              "before devres stops it"}>;
template <class T>
concept can_start = rule<detail::startable<T>,
                         text{"devres[D010] devm_start: the object needs `void start()` or `result<> start()`, and "
                              "`void stop() noexcept`, which the unbind cannot do without"}>;

/// Starts what `object` drives: `object->start()` now, and `object->stop()` as the first thing of the unbind after remove()
/// and the closing of accesses, while handlers, DMA and everything managed are still there. A device interrupts and masters
/// only between the two: no constructor starts it, and no destructor needs its interrupts.
///
/// A driver without suspend and resume has what it started stopped when the device is put to sleep, newest first, and
/// started when it wakes, oldest first.
/// @returns the error of `start`, `enomem` if it cannot be recorded, `enoent` if the object has gone, `einval` if it is
/// another device's, `edeadlk` from inside a handler of the device: then `stop` is not called, nor `start` but in the first
/// case, or where it was `start` that released the object.
/// @par Linux
/// What drivers do in `probe` and undo first thing in `remove`, or by a `devm_add_action()` that quiesces the device
template <class Device, class Object>
    requires unwrapped<Object> && starts_managed<Object> && can_start<typename detail::referred<Object>::type>
[[nodiscard]] result<> devm_start(Device& dev, const Object& object) {
    using T = typename detail::referred<Object>::type;
    using record_type = detail::started_object<Device, T>;
    if (detail::in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    const detail::used_records<1> used(object);
    if (auto there = used.check(dev.resources()); !there) [[unlikely]]
        return there;
    detail::pending_record<record_type> pending(dev.resources());
    if (!pending) [[unlikely]]
        return fail(errc::enomem);
    if (auto begun = record_type::start_object(const_cast<std::remove_const_t<T>*>(&object.get())); !begun) [[unlikely]]
        return begun;
    if (!used.are_in(dev.resources())) [[unlikely]]  // start() may have released the object
        return fail(errc::enoent);
    ::new (pending.block()) record_type(used.links(), dev, object.get());
    (void)pending.record(&record_type::release, release_step::stop,
                         detail::list_node::is_user | detail::list_node::is_started);
    detail::note(dev, {.managed = true, .resource = &start_kind, .name = detail::type_name<T>.text});
    return {};
}

namespace detail {

/// Stops what was started and runs, newest first. A `stop()` may release what it is in, so each is looked for anew.
inline void halt_started(list& resources) noexcept {
    for (started* next = nullptr;; next->halt()) {
        next = nullptr;
        record_access::each(resources, release_step::stop, [&](list_node& node) {
            auto* const record = node.is(list_node::is_started) ? static_cast<started*>(node.argument) : nullptr;
            if (record != nullptr && record->running)
                next = record;
            return next == nullptr;
        });
        if (next == nullptr)
            return;
    }
}

/// Starts what does not run, oldest first, up to the first that fails.
[[nodiscard]] inline result<> start_again(list& resources) {
    for (;;) {
        started* next = nullptr;
        record_access::each_oldest_first(resources, release_step::stop, [&](list_node& node) {
            auto* const record = node.is(list_node::is_started) ? static_cast<started*>(node.argument) : nullptr;
            if (record != nullptr && !record->running)
                next = record;
            return next == nullptr;
        });
        if (next == nullptr)
            return {};
        if (auto again = next->start_again(); !again)
            return again;
    }
}

}  // namespace detail
}  // namespace devres
