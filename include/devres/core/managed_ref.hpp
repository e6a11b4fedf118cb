// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <new>
#include <type_traits>

#include <devres/core/attributes.hpp>
#include <devres/core/event.hpp>
#include <devres/core/list.hpp>
#include <devres/core/ownership.hpp>
#include <devres/core/rule.hpp>

namespace devres {

template <class T>
class managed_ref;

namespace detail {

class managed_object;

/// Something managed that uses a managed object: a handler whose context it is, access to it from open files.
/// When the object goes first (in a group of its own, say), its users are ended before it.
class managed_user {
public:
    managed_user() noexcept = default;
    managed_user(const managed_user&) = delete;
    managed_user& operator=(const managed_user&) = delete;
    ~managed_user() { leave(); }

    void leave() noexcept {
        if (link_ == nullptr)
            return;
        *link_ = next_;
        if (next_ != nullptr)
            next_->link_ = link_;
        link_ = nullptr;
    }

private:
    friend class managed_object;
    void (*end_)(managed_user&) noexcept = nullptr;
    managed_user** link_ = nullptr;  // what points here; null while it uses nothing
    managed_user* next_ = nullptr;
};

/// The part of an object's record that does not depend on its type.
class managed_object {
public:
    /// `end(user)` is called, and the use over, before the object goes.
    void used_by(managed_user& user, void (*end)(managed_user&) noexcept) noexcept {
        user.leave();
        user.end_ = end;
        user.next_ = users_;
        user.link_ = &users_;
        if (users_ != nullptr)
            users_->link_ = &user.next_;
        users_ = &user;
    }

    void end_users() noexcept {
        while (users_ != nullptr) {
            managed_user& newest = *users_;
            newest.leave();
            newest.end_(newest);
        }
    }

    template <class T>
    static managed_object& of(const managed_ref<T>& reference) noexcept {
        return *reference.record_;
    }
    template <class T>
    static managed_ref<T> reference(T& object, managed_object& record) noexcept {
        return managed_ref<T>(object, record);
    }

private:
    managed_user* users_ = nullptr;
};

/// The record of an object: the object, and the device it goes with.
template <class Device, class T>
struct managed_box : managed_object {
    Device* dev;
    T object;

    // An aggregate may be given fewer values than it has members.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
    template <class... Args>
    explicit managed_box(Device& device, Args&&... args) : dev(&device), object(static_cast<Args&&>(args)...) {}
#pragma GCC diagnostic pop

    static void release(void* argument) noexcept {
        auto* const box = static_cast<managed_box*>(argument);
        Device& dev = *box->dev;
        box->end_users();
        box->~managed_box();
        dev.resources().memory().put(box, sizeof(managed_box), alignof(managed_box));
        note(dev, {.what = resource_event::step::released, .managed = true, .resource = "driver_data"});
    }
};

/// Memory and a record for an object that is being made: given back if that fails.
template <class Box>
struct pending_object {
    list& resources;
    void* block = resources.memory().get(sizeof(Box), alignof(Box));
    list::handle record;

    explicit pending_object(list& of_device) noexcept : resources(of_device) {}
    pending_object(const pending_object&) = delete;
    pending_object& operator=(const pending_object&) = delete;
    ~pending_object() {
        if (record)
            resources.remove(record);
        if (block != nullptr)
            resources.memory().put(block, sizeof(Box), alignof(Box));
    }
    void done() noexcept {
        record = {};
        block = nullptr;
    }
};

template <class Device>
struct driver_of {
    using type = void;
};
template <class Device>
    requires requires { typename Device::driver_type; }
struct driver_of<Device> {
    using type = typename Device::driver_type;
};

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

/// A reference to an object that devres owns: it is destroyed at unbind, after everything that was acquired
/// later and after everything managed that uses it. Only `devm_emplace` makes one, so that a managed handler
/// cannot be given an object that goes before it does.
template <class T>
class managed_ref {
public:
    /// The same object as one of its base classes.
    template <std::derived_from<T> Derived>
        requires(!std::same_as<T, Derived>)
    constexpr managed_ref(const managed_ref<Derived>& other) noexcept  // NOLINT: as a reference converts
        : object_(other.object_), record_(other.record_) {}

    [[nodiscard]] constexpr T& get() const noexcept { return *object_; }
    [[nodiscard]] constexpr T& operator*() const noexcept { return *object_; }
    [[nodiscard]] constexpr T* operator->() const noexcept { return object_; }
    [[nodiscard]] constexpr operator T&() const noexcept { return *object_; }  // NOLINT: it is a reference

    /// A part of the object, owned with it: `data.member(&state::queue)`.
    template <class Part, class Whole>
        requires std::derived_from<T, Whole>
    [[nodiscard]] constexpr managed_ref<Part> member(Part Whole::*part) const noexcept {
        return managed_ref<Part>(object_->*part, *record_);
    }

private:
    constexpr managed_ref(T& object, detail::managed_object& record) noexcept : object_(&object), record_(&record) {}

    T* object_;
    detail::managed_object* record_;

    template <class>
    friend class managed_ref;
    friend class detail::managed_object;
};

/// Makes a T from `args` that lives until `dev`'s driver is unbound: a driver's state, the context of its
/// managed handlers. It is the resource `driver_data` of an ownership table.
/// @returns a reference to it; `enomem` if there is no memory or it cannot be recorded: no T is made then.
/// @par Linux
/// `devm_kzalloc()`, with a constructor and a destructor. What managed resources still use when a group
/// releases the object is ended first.
template <class T, class Device, class... Args>
    requires rule<owned_by<typename detail::driver_of<Device>::type, driver_data_t, managed_t>,
                  "devres[D004] devm_emplace: the ownership table does not say driver_data = managed">
[[nodiscard]] result<managed_ref<T>> devm_emplace(Device& dev, Args&&... args) {
    using box_type = detail::managed_box<Device, T>;
    detail::pending_object<box_type> pending(dev.resources());
    if (pending.block == nullptr) [[unlikely]]
        return fail(errc::enomem);
    const auto record = dev.resources().add(&box_type::release, pending.block);
    if (!record) [[unlikely]]
        return fail(record.error());
    pending.record = *record;
    box_type* const box = ::new (pending.block) box_type(dev, static_cast<Args&&>(args)...);
    pending.done();
    detail::note(dev, {.managed = true, .resource = "driver_data"});
    return detail::managed_object::reference(box->object, *box);
}

}  // namespace devres
