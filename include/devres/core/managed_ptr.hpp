// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/managed_ref.hpp>

namespace devres {

/// A weak reference to a managed object, from an older object to a younger one: the controller's to its queues. It answers
/// nothing once devres has released the object, and may be empty, copied and assigned.
///
/// It is assigned on the device's thread, and read there and in the device's handlers, which may run meanwhile: they see the
/// object of before, the new one complete, or nothing. A group that releases the object empties it, waits for the handlers
/// that are running, and then destroys the object. Every other thread holds a `revocable`. After the unbind only an empty
/// one may be asked.
template <class T>
class managed_ptr {
public:
    /// A reference to nothing.
    constexpr managed_ptr() noexcept = default;
    /// To that object, for as long as it is there.
    managed_ptr(const managed_ref<T>& object) noexcept  // NOLINT: as a pointer is made from a reference
        : serial_(detail::record_access::serial_of(detail::token::record(object))),
          node_(detail::record_access::node(detail::token::record(object))), object_(&object.get()) {}
    /// A reference to the same object, or to nothing.
    managed_ptr(const managed_ptr& other) noexcept
        : serial_(other.serial_), node_(other.node_), object_(other.object_) {}
    /// Refers to what the other refers to, from one moment to the next for who reads meanwhile.
    managed_ptr& operator=(const managed_ptr& other) noexcept {
        if (this != &other) {
            store(serial_, 0);  // who reads meanwhile finds nothing
            store(node_, other.node_);
            store(object_, other.object_);
            store(serial_, other.serial_);
        }
        return *this;
    }
    ~managed_ptr() = default;

    /// The object, or null.
    [[nodiscard]] T* get() const noexcept { return find(0); }
    [[nodiscard]] explicit operator bool() const noexcept { return get() != nullptr; }  ///< has an object

    /// The object, which must be there: the program stops otherwise. A handler that has asked has it until it returns, though
    /// the device's thread may be about to release it.
    [[nodiscard]] T* operator->() const noexcept { return there(); }
    [[nodiscard]] T& operator*() const noexcept { return *there(); }  ///< as `->`

private:
    template <class Value>
    static Value load(const Value& from) noexcept {
        return __atomic_load_n(&from, __ATOMIC_ACQUIRE);
    }
    template <class Value>
    static void store(Value& to, std::type_identity_t<Value> value) noexcept {
        __atomic_store_n(&to, value, __ATOMIC_RELEASE);
    }

    /// The object whose record has the serial, but for the bits of `ignored`; null if there is none any more, or if it is
    /// being replaced.
    [[nodiscard]] T* find(detail::record_serial ignored) const noexcept {
        const detail::record_serial serial = load(serial_);
        if (serial == 0)
            return nullptr;
        const detail::list_node* const node = load(node_);
        T* const object = load(object_);
        return (node->named() & ~ignored) == serial && load(serial_) == serial ? object : nullptr;
    }
    [[nodiscard]] T* there() const noexcept {
        T* const object = find(detail::list_node::is_gone);
        if (object == nullptr) [[unlikely]]
            detail::stop("a managed_ptr is used whose object devres has released, or that never had one");
        return object;
    }

    detail::record_serial serial_ = 0;
    detail::list_node* node_ = nullptr;
    T* object_ = nullptr;
};

}  // namespace devres
