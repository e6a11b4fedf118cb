// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <new>

#include <devres/core/attributes.hpp>
#include <devres/core/managed_ref.hpp>

namespace devres {

namespace detail {

/// What all copies of an access share, in memory that outlives the device.
struct revocable_control : users_of<1> {
    // Bit 0: revoked. The rest: open accesses, in steps of 2.
    unsigned long accesses = 0;
    unsigned long references = 1;
    memory_hooks memory;

    revocable_control(const users_of<1>& links, const memory_hooks& hooks) noexcept
        : users_of<1>(links), memory(hooks) {}

    void revoke() noexcept {
        __atomic_or_fetch(&accesses, 1UL, __ATOMIC_ACQ_REL);
        if (__atomic_load_n(&accesses, __ATOMIC_ACQUIRE) != 1UL && opened_here(this)) [[unlikely]]
            stop("devres revokes an access that this thread has open: it would wait for itself; close it first");
        while (__atomic_load_n(&accesses, __ATOMIC_ACQUIRE) != 1UL)
            memory.wait();
    }
    void get() noexcept { __atomic_add_fetch(&references, 1UL, __ATOMIC_RELAXED); }
    [[nodiscard]] bool put() noexcept { return __atomic_sub_fetch(&references, 1UL, __ATOMIC_ACQ_REL) == 0; }
};

/// Of an object: where it is. Of a view of something managed: the view.
template <class T>
struct shown {
    T* object;
    explicit shown(const managed_ref<T>& of) noexcept : object(&of.get()) {}
    [[nodiscard]] T* get() noexcept { return object; }
};
template <managed_token T>
struct shown<T> {
    T view;
    explicit shown(const T& of) noexcept : view(of) {}
    explicit shown(const managed_ref<T>& of) noexcept : view(of.get()) {}
    [[nodiscard]] T* get() noexcept { return &view; }
};

struct revocable_maker;

}  // namespace detail

/// Access to something managed for code that may outlive the device: open files, user handles, other threads.
///
/// Copies share the access. While the device is bound, `try_access` opens what it shows; from the moment devres revokes it,
/// which is the first thing of the unbind after remove(), whatever its age, `try_access` answers nothing. Revoking waits
/// until the accesses that are open have been closed: a driver that lets its users wait inside an access wakes them in
/// remove(). Any thread may copy, destroy and access; the memory hooks of the device's platform must outlive every copy
/// and be callable from those threads.
///
/// @par Linux
/// What drivers build from a kref, a lock and an "alive" flag for their character devices; in Rust for Linux,
/// `Revocable` and `Devres`.
///
/// Example:
/// @code
/// DEVRES_TRY(auto file, devm_revocable(dev, data));  // in probe, when data is complete
/// ...
/// if (auto data = file.try_access())                 // in read(), any time later
///     return data->read(buffer);
/// return fail(errc::enodev);
/// @endcode
template <class T>
class revocable {
    struct control : detail::revocable_control {
        detail::shown<T> shown;

        template <class Shown>
        control(const detail::users_of<1>& links, const memory_hooks& hooks, const Shown& of) noexcept
            : detail::revocable_control(links, hooks), shown(of) {}

        void release_reference() noexcept {
            if (!put())
                return;
            const memory_hooks hooks = memory;
            this->~control();
            hooks.put(this, sizeof(control), alignof(control));
        }
    };

public:
    /// An open access: what it shows cannot go while it lives. It is closed by the thread that opened it, before that
    /// thread waits for the device to go.
    class DEVRES_CONSUMABLE access : detail::open_access {
    public:
        /// Takes the open access: by the thread that opened it. The other is closed afterwards.
        access(access&& other) noexcept { take(other); }
        /// As the constructor; what was open is closed first.
        access& operator=(access&& other) noexcept {
            if (this != &other) {
                close();
                take(other);
            }
            return *this;
        }
        ~access() { close(); }

        /// True if the object can be used; false if it was revoked.
        [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return opened_ != nullptr; }
        /// What is shown; only while the access is open.
        /// @{
        [[nodiscard]] DEVRES_NOT_WHEN_EMPTY T& operator*() const noexcept { return *opened_->shown.get(); }
        [[nodiscard]] DEVRES_NOT_WHEN_EMPTY T* operator->() const noexcept { return opened_->shown.get(); }
        /// @}

    private:
        friend class revocable;
        explicit access(revocable::control* opened) noexcept : opened_(opened) {
            if (opened_ != nullptr)
                enter();
        }
        void enter() noexcept {
            control = static_cast<detail::revocable_control*>(opened_);
            detail::access_opened(*this);
        }
        void leave() noexcept {
            if (!detail::access_closed(*this)) [[unlikely]]
                detail::stop("an access is closed or moved by another thread than the one that opened it");
        }
        void take(access& other) noexcept {
            opened_ = other.opened_;
            if (opened_ == nullptr)
                return;
            other.leave();
            other.opened_ = nullptr;
            enter();
        }
        void close() noexcept {
            if (opened_ == nullptr)
                return;
            leave();
            __atomic_sub_fetch(&opened_->accesses, 2UL, __ATOMIC_RELEASE);
            opened_ = nullptr;
        }

        revocable::control* opened_ = nullptr;
    };

    /// Access to nothing.
    revocable() noexcept = default;
    /// Shares the access.
    revocable(const revocable& other) noexcept : control_(other.control_) {
        if (control_ != nullptr)
            control_->get();
    }
    /// Takes the other's access; the other is empty afterwards.
    revocable(revocable&& other) noexcept : control_(other.control_) { other.control_ = nullptr; }
    /// Shares what the other shares.
    revocable& operator=(revocable other) noexcept {
        control* const mine = control_;
        control_ = other.control_;
        other.control_ = mine;
        return *this;
    }
    ~revocable() {
        if (control_ != nullptr)
            control_->release_reference();
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
    friend struct detail::revocable_maker;
    explicit revocable(control* shared) noexcept : control_(shared) {}
    control* control_ = nullptr;
};

namespace detail {

/// What access to a T& or a view shows.
template <class Shown>
struct shown_by {
    using type = Shown;
};
template <class T>
struct shown_by<managed_ref<T>> {
    using type = T;
};

struct revocable_maker {
    template <class Device, class Shown>
    static auto make(Device& dev, const Shown& of) noexcept -> result<revocable<typename shown_by<Shown>::type>> {
        using access = revocable<typename shown_by<Shown>::type>;
        using control = typename access::control;
        list& resources = dev.resources();
        if (in_handler(dev)) [[unlikely]]
            return fail(errc::edeadlk);
        const used_records<1> used(of);
        if (auto there = used.check(resources); !there) [[unlikely]]
            return fail(there.error());
        const memory_hooks& memory = resources.memory();
        void* const block = memory.get(sizeof(control), alignof(control));
        if (block == nullptr) [[unlikely]]
            return fail(errc::enomem);
        list_node* const node = record_access::take(resources);
        if (node == nullptr) [[unlikely]] {
            memory.put(block, sizeof(control), alignof(control));
            return fail(errc::enomem);
        }
        auto* const shared = ::new (block) control(used.links(), memory, of);
        shared->get();
        record_access::put(
            resources, *node,
            [](void* argument) {
                auto* const self = static_cast<control*>(static_cast<revocable_control*>(argument));
                self->revoke();
                self->release_reference();
            },
            static_cast<revocable_control*>(shared), release_step::users, list_node::is_user);
        return access(shared);
    }
};

}  // namespace detail

template <class Shown>
concept shows_managed =
    rule<detail::managed_token<Shown>,
         text{"devres[D002] devm_revocable needs a managed object (devm_emplace) or a view of something "
              "managed: anything else may be gone before devres revokes the access"}>;

/// Makes a managed object, or what a view shows, accessible to code that may outlive the device. Whoever opens it finds it as
/// it is now and later: publish what is complete.
/// @returns the access; `enomem` if there is no memory or it cannot be recorded, `enoent` if it has gone, `einval` if it is
/// another device's, `edeadlk` from inside a handler of the device: nothing is left then.
template <class Device, class Shown>
    requires unwrapped<Shown> && shows_managed<Shown>
[[nodiscard]] auto devm_revocable(Device& dev, const Shown& shown) noexcept {
    return detail::revocable_maker::make(dev, shown);
}

}  // namespace devres
