// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <new>
#include <type_traits>

#include <devres/core/attributes.hpp>
#include <devres/core/detail/token.hpp>
#include <devres/core/event.hpp>
#include <devres/core/ownership.hpp>
#include <devres/pci/device.hpp>

/// How every resource is acquired, held and released, whoever owns it. A kind of resource says what is its own:
///
/// @code
/// struct coherent_kind : any_kind {
///     static constexpr resource_kind about{"dma_coherent"};  // what watchers are told
///     template <class P> using value = dma_block;            // what the platform gave, to be given back
///     template <class P, class Driver>
///     static void release(device<P, Driver>& dev, dma_block& block) noexcept;  // or result<>, if it may be refused
/// };
/// @endcode
namespace devres::pci::detail {

/// What a watcher is told of a resource beside its kind. Nothing is kept of it on a platform without watchers.
struct label {
    unsigned index = 0;
    const char* name = nullptr;
};
struct no_label {
    DEVRES_INLINE constexpr no_label(const label&) noexcept {}  // NOLINT: drops it
    constexpr operator label() const noexcept { return {}; }    // NOLINT: as the label that nobody reads
};
template <class P, class Driver>
using kept_label = std::conditional_t<detail::watched<device<P, Driver>>, label, no_label>;

/// What most kinds of resources do not do.
struct any_kind {
    /// The step of the managed ones.
    template <class... Used>
    [[nodiscard]] static constexpr release_step step(const Used&...) noexcept {
        return release_step::matter;
    }
    /// A managed one has been recorded, and has been released.
    template <class Device>
    static constexpr void recorded(Device&) noexcept {}
    template <class Device>
    static constexpr void forgotten(Device&) noexcept {}
    /// False if what a guard holds has been ended without it.
    template <class Device, class Value>
    [[nodiscard]] static constexpr bool is_held(Device&, const Value&) noexcept {
        return true;
    }
    /// What watchers are told of one, given what the caller knows.
    template <class Value>
    [[nodiscard]] static constexpr label label_of(const Value&, const label& about) noexcept {
        return about;
    }
    /// What is left in a guard that holds nothing.
    template <class Value>
    static constexpr void clear(Value&) noexcept {}
};

template <class Kind, class P, class Driver>
DEVRES_INLINE void note_resource(device<P, Driver>& dev, resource_event::step what, bool managed,
                                 const label& about) noexcept {
    detail::note(
        dev, {.what = what, .managed = managed, .resource = &Kind::about, .index = about.index, .name = about.name});
}

/// What the platform gave, where it gave more than that it succeeded.
template <class Kind, class P, class Got>
DEVRES_INLINE typename Kind::template value<P> value_of(Got& got) noexcept {
    if constexpr (std::is_void_v<typename Got::value_type>)
        return {};
    else
        return *got;
}

/// What watchers are told of it, if there are any.
template <class Kind, class P, class Driver, class Got>
DEVRES_INLINE label label_of([[maybe_unused]] const device<P, Driver>& dev, [[maybe_unused]] Got& got,
                             [[maybe_unused]] const label& about) noexcept {
    if constexpr (detail::watched<device<P, Driver>>)
        return Kind::label_of(value_of<Kind, P>(got), about);
    else
        return {};
}

/// Gives back what the platform gave. @returns the platform's refusal, where it can refuse.
template <class Kind, class P, class Driver>
DEVRES_INLINE result<> release_value(device<P, Driver>& dev, typename Kind::template value<P>& held) noexcept {
    if constexpr (std::same_as<decltype(Kind::release(dev, held)), void>) {
        Kind::release(dev, held);
        return {};
    } else {
        return Kind::release(dev, held);
    }
}

/// What both owners' tokens are: a device, and what its platform gave.
template <class Owner, class Kind, class P, class Driver>
class held;

/// Owned by devres: a view, to be copied at will. There is none of nothing, and it is not assigned.
template <class Kind, class P, class Driver>
class held<managed_t, Kind, P, Driver> {
public:
    using owner_type = managed_t;
    using platform_type = P;
    using driver_type = Driver;

    held() = delete;
    /// Not trivial, so that an object with a view in it is not plain bytes for the device.
    DEVRES_INLINE held(const held& other) noexcept : dev_(other.dev_), value_(other.value_), record_(other.record_) {}
    held& operator=(const held&) = delete;
    ~held() = default;

protected:
    using value_type = typename Kind::template value<P>;
    friend struct devres::detail::token;
    DEVRES_INLINE held(device<P, Driver>& dev, const value_type& value, const label&, list::handle record) noexcept
        : dev_(&dev), value_(value), record_(record) {}

    device<P, Driver>* dev_;
    [[no_unique_address]] value_type value_;
    list::handle record_;
};

/// Owned by the driver: a guard that gives back what it holds when it dies.
template <class Kind, class P, class Driver>
class DEVRES_CONSUMABLE held<unmanaged_t, Kind, P, Driver> {
public:
    using owner_type = unmanaged_t;
    using platform_type = P;
    using driver_type = Driver;

    /// A guard that owns nothing.
    DEVRES_EMPTY held() noexcept = default;
    DEVRES_INLINE held(held&& other) noexcept : dev_(other.dev_), value_(other.value_), label_(other.label_) {
        other.let_go();
    }
    DEVRES_INLINE held& operator=(held&& other) noexcept {
        if (this != &other) {
            or_stop(free());
            dev_ = other.dev_;
            value_ = other.value_;
            label_ = other.label_;
            other.let_go();
        }
        return *this;
    }
    DEVRES_INLINE ~held() { or_stop(free()); }

    /// True if the guard gives something back when it dies.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return dev_ != nullptr; }

protected:
    using value_type = typename Kind::template value<P>;
    friend struct devres::detail::token;
    DEVRES_INLINE held(device<P, Driver>& dev, const value_type& value, const label& about) noexcept
        : dev_(&dev), value_(value), label_(about) {}

    /// @returns the platform's refusal, if it can refuse: the guard keeps what it holds then.
    DEVRES_INLINE result<> free() noexcept {
        if (dev_ == nullptr)
            return {};
        device<P, Driver>& dev = *dev_;
        if constexpr (detail::watched<device<P, Driver>>) {
            if (!Kind::is_held(dev, value_)) {
                let_go();
                return {};
            }
        }
        if (auto released = release_value<Kind>(dev, value_); !released) [[unlikely]]
            return released;
        let_go();
        note_resource<Kind>(dev, resource_event::step::released, false, label_);
        return {};
    }

    DEVRES_INLINE void let_go() noexcept {
        dev_ = nullptr;
        Kind::clear(value_);
    }

    device<P, Driver>* dev_ = nullptr;
    [[no_unique_address]] value_type value_{};
    [[no_unique_address]] kept_label<P, Driver> label_{label{}};
};

/// The record of what devres owns: what it is built on, and what the platform gave.
template <class Kind, class P, class Driver, unsigned Uses>
struct managed_resource : detail::users_of<Uses> {
    device<P, Driver>* dev;
    typename Kind::template value<P> value;
    [[no_unique_address]] kept_label<P, Driver> about;

    DEVRES_INLINE managed_resource(const detail::users_of<Uses>& links, device<P, Driver>& of,
                                   const typename Kind::template value<P>& got, const label& what) noexcept
        : detail::users_of<Uses>(links), dev(&of), value(got), about(what) {}

    static void release(void* argument) noexcept {
        auto* const record = static_cast<managed_resource*>(argument);
        or_stop(release_value<Kind>(*record->dev, record->value));
        record->forget();
    }
    /// What is to be done when the platform has it back.
    void forget() noexcept {
        device<P, Driver>& of = *dev;
        const label what = about;
        Kind::forgotten(of);
        this->~managed_resource();
        detail::record_access::memory(of.resources()).put(this, sizeof(managed_resource), alignof(managed_resource));
        note_resource<Kind>(of, resource_event::step::released, true, what);
    }
};

/// Acquires a resource for its owner: `get` asks the platform. `used` are the tokens it is built on.
/// @returns a token; `enoent` if one of `used` has gone, `einval` if it is another device's, `enomem` if the resource could
/// not be recorded, or the error of `get`. Nothing is acquired then.
template <class Token, class Kind, class P, class Driver, class Get, class... Used>
[[nodiscard]] DEVRES_INLINE result<Token> acquire(device<P, Driver>& dev, const label& about, Get get,
                                                  const Used&... used) noexcept {
    const detail::used_records names(used...);
    if (!names.are_in(dev.resources())) [[unlikely]]
        return fail(names.why_not(dev.resources(), names));
    if constexpr (std::same_as<typename Token::owner_type, managed_t>) {
        constexpr unsigned uses = (0U + ... + unsigned{detail::is_part<Used>});
        using record_type = managed_resource<Kind, P, Driver, uses>;
        detail::pending_record<record_type> pending(dev.resources());
        if (!pending) [[unlikely]]
            return fail(errc::enomem);
        auto got = get();
        if (!got) [[unlikely]]
            return fail(got.error());
        const label what = label_of<Kind>(dev, got, about);
        ::new (pending.block()) record_type(names.links(), dev, value_of<Kind, P>(got), what);
        const auto record = pending.record(&record_type::release, Kind::step(used...),
                                           uses != 0 ? detail::list_node::is_user : 0);
        Kind::recorded(dev);
        note_resource<Kind>(dev, resource_event::step::acquired, true, what);
        return detail::token::make<Token>(dev, value_of<Kind, P>(got), what, record);
    } else {
        auto got = get();
        if (!got) [[unlikely]]
            return fail(got.error());
        const label what = label_of<Kind>(dev, got, about);
        note_resource<Kind>(dev, resource_event::step::acquired, false, what);
        return detail::token::make<Token>(dev, value_of<Kind, P>(got), what);
    }
}

}  // namespace devres::pci::detail
