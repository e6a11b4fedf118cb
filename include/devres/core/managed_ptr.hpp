// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/managed_ref.hpp>

namespace devres {

/// A weak reference to a managed object, from an older object to a younger one: the controller's to its queues. It answers
/// nothing once devres has released the object, and may be empty, copied and assigned.
///
/// It is read on the device's thread and in the device's handlers: a group that releases the object empties it, waits for
/// the handlers that are running, and then destroys the object. Every other thread holds a `revocable`. After the unbind
/// only an empty one may be asked.
template <class T>
class managed_ptr {
public:
    /// A reference to nothing.
    constexpr managed_ptr() noexcept = default;
    constexpr managed_ptr(const managed_ref<T>& object) noexcept  // NOLINT: as a pointer is made from a reference
        : object_(&object.get()), record_(detail::token::record(object)) {}

    /// The object, or null.
    [[nodiscard]] T* get() const noexcept { return list::names(record_) ? object_ : nullptr; }
    [[nodiscard]] explicit operator bool() const noexcept { return list::names(record_); }

    /// The object, which must be there: the program stops otherwise. A handler that has asked has it until it returns, though
    /// the device's thread may be about to release it.
    [[nodiscard]] T* operator->() const noexcept { return there(); }
    [[nodiscard]] T& operator*() const noexcept { return *there(); }

private:
    [[nodiscard]] T* there() const noexcept {
        if (!list::still_names(record_)) [[unlikely]]
            detail::stop("a managed_ptr is used whose object devres has released, or that never had one");
        return object_;
    }

    T* object_ = nullptr;
    list::handle record_;
};

}  // namespace devres
