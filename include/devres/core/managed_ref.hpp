// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <devres/core/attributes.hpp>
#include <devres/core/detail/stop.hpp>
#include <devres/core/detail/token.hpp>
#include <devres/core/detail/type_name.hpp>
#include <devres/core/event.hpp>
#include <devres/core/list.hpp>
#include <devres/core/ownership.hpp>
#include <devres/core/rule.hpp>

namespace devres {

/// A reference to an object that devres owns. Only `devm_emplace` makes one, so that a managed handler cannot be given an
/// object that goes before it does. Like the views of managed resources it has no empty state and is not assigned.
template <class T>
class managed_ref {
public:
    using object_type = T;  ///< what it refers to

    /// Not trivial, so that an object with a reference in it is not plain bytes for the device.
    DEVRES_INLINE constexpr managed_ref(const managed_ref& other) noexcept
        : object_(other.object_), record_(other.record_) {}
    managed_ref& operator=(const managed_ref&) = delete;
    ~managed_ref() = default;

    /// The same object as one of its base classes, or as const.
    template <class Other>
        requires(!std::same_as<T, Other> && std::convertible_to<Other*, T*> &&
                 (std::derived_from<Other, T> || std::same_as<std::remove_const_t<T>, Other>))
    constexpr managed_ref(const managed_ref<Other>& other) noexcept  // NOLINT: as a reference converts
        : object_(other.object_), record_(other.record_) {}

    /// The object. It is there until devres releases it; a reference that is kept for longer is a dangling one.
    /// @{
    [[nodiscard]] constexpr T& get() const noexcept { return *object_; }
    [[nodiscard]] constexpr T& operator*() const noexcept { return *object_; }
    [[nodiscard]] constexpr T* operator->() const noexcept { return object_; }
    [[nodiscard]] constexpr operator T&() const noexcept { return *object_; }  // NOLINT: it is a reference
    /// @}

    /// A part of the object, owned with it: `data.member(&state::queue)`.
    template <class Part, class Whole>
        requires std::derived_from<std::remove_const_t<T>, Whole>
    [[nodiscard]] constexpr auto member(Part Whole::* part) const noexcept {
        return managed_ref<std::remove_reference_t<decltype(object_->*part)>>(object_->*part, record_);
    }

    /// A part of the object that no pointer to member names, such as an element of an array:
    /// `data.part(data->vectors[i])`. The program stops if it is no part of the object.
    template <class Part>
    [[nodiscard]] managed_ref<Part> part(Part& inside) const noexcept {
        static_assert(sizeof(Part) <= sizeof(T));
        const auto offset = reinterpret_cast<std::uintptr_t>(&inside) - reinterpret_cast<std::uintptr_t>(object_);
        if (offset > sizeof(T) - sizeof(Part)) [[unlikely]]
            detail::stop("managed_ref::part: what is named is no part of the object");
        return managed_ref<Part>(inside, record_);
    }

private:
    DEVRES_INLINE constexpr managed_ref(T& object, list::handle record) noexcept : object_(&object), record_(record) {}

    T* object_;
    list::handle record_;

    template <class>
    friend class managed_ref;
    friend struct detail::token;
};

namespace detail {

template <class T, class... Parts>
inline constexpr bool can_be_made = requires(Parts&&... parts) { T(static_cast<Parts&&>(parts)...); };

template <class T>
concept has_init = requires(std::remove_const_t<T>& object) { object.init(); };
template <class T>
concept can_be_initialized = !has_init<T> || requires(std::remove_const_t<T>& object) {
    { object.init() } noexcept -> std::same_as<result<>>;
};

/// The record of an object: what it is built on, the device it goes with, and the object.
template <class Device, class T, unsigned Uses>
struct managed_box : users_of<Uses> {
    Device* dev;
    T object;

    // An aggregate may be given fewer values than it has members.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
    template <class... Parts>
    DEVRES_INLINE managed_box(const used_records<Uses>& used, Device& device, Parts&&... parts)
        : users_of<Uses>{used.links()}, dev(&device), object(static_cast<Parts&&>(parts)...) {}
#pragma GCC diagnostic pop

    static constexpr bool has_code = !std::is_trivially_destructible_v<T>;
    static constexpr release_step step = has_code ? release_step::code : release_step::matter;
    static constexpr record_serial kind = list_node::is_object | (Uses != 0 ? list_node::is_user : 0) |
                                          (has_code ? list_node::has_code : 0);

    /// Of an object whose constructor or `init` recorded something: an action on the object, which is older than it, comes
    /// first.
    [[gnu::cold]] static void release_after_its_actions(void* argument) noexcept {
        auto* const box = static_cast<managed_box*>(argument);
        record_access::release_actions_on(box->dev->resources(), &box->object, sizeof(T));
        release(argument);
    }
    static void release(void* argument) noexcept {
        auto* const box = static_cast<managed_box*>(argument);
        Device& dev = *box->dev;
        box->~managed_box();
        record_access::memory(dev.resources()).put(box, sizeof(managed_box), alignof(managed_box));
        note(dev, {.what = resource_event::step::released,
                   .managed = true,
                   .resource = &object_kind,
                   .name = type_name<T>.text});
    }
};

/// What a constructor acquires: released if the object does not come to be.
struct construction {
    list& resources;
    record_serial before = record_access::age(resources);
    bool done = false;

    DEVRES_INLINE explicit construction(list& of_device) noexcept : resources(of_device) {}
    construction(const construction&) = delete;
    construction& operator=(const construction&) = delete;
    [[nodiscard]] DEVRES_INLINE bool recorded_any() const noexcept { return record_access::age(resources) != before; }
    DEVRES_INLINE ~construction() {
        if (!done) [[unlikely]]
            record_access::release_since(resources, before);
    }
    /// For an object that is there, and is not to be.
    template <class Box>
    [[nodiscard, gnu::cold]] errc undo(Box& box, errc why) noexcept {
        record_access::release_since(resources, before);
        done = true;
        box.~Box();
        return why;
    }
};

}  // namespace detail

template <class Driver, class Resource>
concept data_managed =
    rule<owned_by<Driver, Resource, managed_t>,
         text{"devres[D004] devm_emplace: the ownership table does not say driver_data = managed, or the "
              "resource that the object is for"}>;
template <class T, class... Parts>
concept made_from =
    rule<detail::can_be_made<T, Parts...>,
         text{"devres[D012] devm_emplace: the object cannot be made from these parts; a managed view has no empty "
              "state, so acquire what the object holds first and hand it over (and DEVRES_TRY what is a result)"}>;
template <class T>
concept initialized = rule<detail::can_be_initialized<T>,
                           text{"devres[D012] devm_emplace: init() of the object is no `result<> init() noexcept`"}>;

/// Makes a T from `parts` that lives until `dev`'s driver is unbound: a driver's state, the context of its managed handlers.
/// It is the resource `driver_data` of an ownership table, or the driver's own that is named: `devm_emplace<zone,
/// thermal_zone>(dev)`. If T has `result<> init() noexcept`, that is called before anyone has a reference to the object.
/// `devm_emplace<const T>` shares it as const: what a handler and a thread both see is then changed through atomics and
/// locks only.
///
/// An object with a destructor is destroyed after the handlers have ended and before any BAR, vector or memory has gone; one
/// without goes with these. Its place among them is where `init` ended; an action that its constructor or `init` added on
/// the object itself is called before its destructor all the same. Every part that is a view of something managed, a
/// `managed_ref`, or an optional of one is something the object is built on: a group that releases the part is refused.
/// @returns a reference to it; `enomem` if there is no memory for it or its record, `enoent` if a part has gone, `einval` if
/// a part is another device's, `edeadlk` from inside a handler of the device: no T is made then; or the error of `init`. What
/// the constructor and `init` acquired is then released, and also where the constructor throws.
/// @par Linux
/// `devm_kzalloc()`, with a constructor and a destructor
template <class T, auto Resource = driver_data, class Device, class... Parts>
    requires data_managed<typename detail::driver_of<Device>::type, std::remove_const_t<decltype(Resource)>> &&
             made_from<T, Parts...> && initialized<T>
[[nodiscard]] DEVRES_INLINE result<managed_ref<T>> devm_emplace(Device& dev, Parts&&... parts) {
    constexpr unsigned uses = (0U + ... + unsigned{detail::is_part<Parts>});
    using box_type = detail::managed_box<Device, T, uses>;
    list& resources = dev.resources();
    if (detail::in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    const detail::used_records<uses> used(parts...);
    if (!used.are_in(resources)) [[unlikely]]
        return fail(used.why_not(resources, used));
    detail::pending_record<box_type> pending(resources);
    if (!pending) [[unlikely]]
        return fail(errc::enomem);
    detail::construction made(resources);
    auto* const box = ::new (pending.block()) box_type(used, dev, static_cast<Parts&&>(parts)...);
    if (!used.are_in(resources)) [[unlikely]]  // the constructor may have released a part
        return fail(made.undo(*box, used.why_not(resources, used)));
    if constexpr (detail::has_init<T>) {
        if (auto ready = const_cast<std::remove_const_t<T>&>(box->object).init(); !ready) [[unlikely]]
            return fail(made.undo(*box, ready.error()));
        if (!used.are_in(resources)) [[unlikely]]  // as may init
            return fail(made.undo(*box, used.why_not(resources, used)));
    }
    made.done = true;
    const list::handle record = pending.record(made.recorded_any() ? &box_type::release_after_its_actions
                                                                   : &box_type::release,
                                               box_type::step, box_type::kind);
    detail::note(dev, {.managed = true, .resource = &object_kind, .name = detail::type_name<T>.text});
    return detail::token::make<managed_ref<T>>(box->object, record);
}

namespace detail {

/// What a T& or a managed_ref<T> refers to, and whether devres owns it.
template <class Reference>
struct referred {
    using type = Reference;
    static constexpr bool is_managed = false;
};
template <class T>
struct referred<managed_ref<T>> {
    using type = T;
    static constexpr bool is_managed = true;
};
template <class T>
struct referred<const managed_ref<T>> : referred<managed_ref<T>> {};

}  // namespace detail
}  // namespace devres
