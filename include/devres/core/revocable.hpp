// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <new>

#include <devres/core/attributes.hpp>
#include <devres/core/managed_ref.hpp>

namespace devres {

/// Access to a managed object for code that may outlive the device: open files, user handles, timers.
///
/// Copies share the access. While the device is bound, `try_access` opens the object; from the moment devres
/// revokes it, which is in its place among the managed resources and before the object goes, `try_access`
/// answers nothing. Revoking waits until the accesses that are open have been closed: a driver that lets
/// its users wait inside an access wakes them in remove(). Any thread may copy, destroy and access; the
/// memory hooks of the device's platform must outlive every copy and be callable from those threads.
///
/// @par Linux
/// What drivers build from a kref, a lock and an "alive" flag for their character devices; in Rust for Linux,
/// `Revocable` and `Devres`.
///
/// @par Example
/// @code
/// DEVRES_TRY(auto file, devm_revocable(dev, data));  // in probe
/// ...
/// if (auto data = file.try_access())                  // in read(), any time later
///     return data->read(buffer);
/// return fail(errc::enodev);
/// @endcode
template <class T>
class revocable {
    struct control : detail::managed_user {
        // Bit 0: revoked. The rest: open accesses, in steps of 2.
        unsigned long accesses = 0;
        unsigned long references = 1;
        T* object;
        memory_hooks memory;

        control(T& target, const memory_hooks& hooks) noexcept
            : object(&target), memory(hooks) {}

        void revoke() noexcept {
            __atomic_or_fetch(&accesses, 1UL, __ATOMIC_ACQ_REL);
            while (__atomic_load_n(&accesses, __ATOMIC_ACQUIRE) != 1UL)
                memory.wait();
        }
        void get() noexcept { __atomic_add_fetch(&references, 1UL, __ATOMIC_RELAXED); }
        void put() noexcept {
            if (__atomic_sub_fetch(&references, 1UL, __ATOMIC_ACQ_REL) != 0)
                return;
            const memory_hooks hooks = memory;
            this->~control();
            hooks.put(this, sizeof(control), alignof(control));
        }
        static void release(void* argument) noexcept {
            auto* const self = static_cast<control*>(argument);
            self->leave();
            self->revoke();
            self->put();
        }
    };

public:
    /// An open access: the object cannot go while it lives. Close it before waiting for the device to go.
    class DEVRES_CONSUMABLE access {
    public:
        access(access&& other) noexcept : control_(other.control_) { other.control_ = nullptr; }
        access& operator=(access&& other) noexcept {
            access taken(static_cast<access&&>(other));
            control* const mine = control_;
            control_ = taken.control_;
            taken.control_ = mine;
            return *this;
        }
        ~access() {
            if (control_ != nullptr)
                __atomic_sub_fetch(&control_->accesses, 2UL, __ATOMIC_RELEASE);
        }

        /// True if the object can be used; false if it was revoked.
        [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return control_ != nullptr; }
        [[nodiscard]] DEVRES_NOT_WHEN_EMPTY T& operator*() const noexcept { return *control_->object; }
        [[nodiscard]] DEVRES_NOT_WHEN_EMPTY T* operator->() const noexcept { return control_->object; }

    private:
        friend class revocable;
        explicit access(control* opened) noexcept : control_(opened) {}
        control* control_;
    };

    /// Access to nothing.
    revocable() noexcept = default;
    revocable(const revocable& other) noexcept : control_(other.control_) {
        if (control_ != nullptr)
            control_->get();
    }
    revocable(revocable&& other) noexcept : control_(other.control_) { other.control_ = nullptr; }
    revocable& operator=(revocable other) noexcept {
        control* const mine = control_;
        control_ = other.control_;
        other.control_ = mine;
        return *this;
    }
    ~revocable() {
        if (control_ != nullptr)
            control_->put();
    }

    /// Opens the object, if it has not been revoked. It never waits.
    [[nodiscard]] DEVRES_MAY_BE_EMPTY access try_access() const noexcept {
        if (control_ == nullptr)
            return access(nullptr);
        unsigned long seen = __atomic_load_n(&control_->accesses, __ATOMIC_RELAXED);
        do {
            if ((seen & 1UL) != 0)
                return access(nullptr);
        } while (!__atomic_compare_exchange_n(&control_->accesses, &seen, seen + 2, true, __ATOMIC_ACQUIRE,
                                              __ATOMIC_RELAXED));
        return access(control_);
    }

private:
    explicit revocable(control* shared) noexcept : control_(shared) {}
    control* control_ = nullptr;

    template <class Device, class Object>
        requires rule<detail::referred<Object>::is_managed,
                      "devres[D002] devm_revocable needs a managed object (devm_emplace): a plain reference may be gone "
                      "before devres revokes the access">
    friend result<revocable<typename detail::referred<Object>::type>> devm_revocable(Device& dev,
                                                                                     const Object& object) noexcept;
};

/// Makes `object` accessible to code that may outlive the device. devres revokes the access at unbind, in its
/// place among the managed resources: everything acquired later is gone by then, everything older still there.
/// @returns the access; `enomem` if there is no memory or it cannot be recorded: nothing is left then.
template <class Device, class Object>
    requires rule<detail::referred<Object>::is_managed,
                  "devres[D002] devm_revocable needs a managed object (devm_emplace): a plain reference may be gone "
                  "before devres revokes the access">
[[nodiscard]] result<revocable<typename detail::referred<Object>::type>> devm_revocable(Device& dev,
                                                                                        const Object& object) noexcept {
    using T = typename detail::referred<Object>::type;
    using control = typename revocable<T>::control;
    const memory_hooks& memory = dev.resources().memory();
    void* const block = memory.get(sizeof(control), alignof(control));
    if (block == nullptr) [[unlikely]]
        return fail(errc::enomem);
    const auto record = dev.resources().add(&control::release, block);
    if (!record) [[unlikely]] {
        memory.put(block, sizeof(control), alignof(control));
        return fail(record.error());
    }
    auto* const shared = ::new (block) control(object.get(), memory);
    detail::managed_object::of(object).used_by(
        *shared, [](detail::managed_user& user) noexcept { static_cast<control&>(user).revoke(); });
    shared->get();
    return revocable<T>(shared);
}

}  // namespace devres
