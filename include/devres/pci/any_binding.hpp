// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <type_traits>

#include <devres/core/detail/errno_guard.hpp>
#include <devres/pci/bind.hpp>
#include <devres/pci/erased.hpp>

/// A driver on a function, where the program does not know the driver's type.
namespace devres::pci {

namespace detail {

/// Where a compiled driver keeps its binding, whose type only it knows.
struct binding_room {
    alignas(void*) unsigned char bytes[sizeof(void*)];
};

/// What a compiled driver does, on the room where its binding is.
struct driver_operations {
    result<> (*bind)(any_platform& platform, any_function& function, void* room);
    void (*end)(void* room) noexcept;
    result<> (*unbind)(void* room) noexcept;
    result<> (*suspend)(void* room);
    result<> (*resume)(void* room) noexcept;
    void* (*state)(void* room) noexcept;
};

/// A compiled driver on a function, in memory of the function's platform.
struct binding_place {
    const driver_operations* operations;
    void (*forget)(binding_place* self) noexcept;  // gives the memory back
    binding_room room;
};

/// With the platform and function that are erased for it.
template <class P>
class place_on : public binding_place {
public:
    place_on(const driver_operations& of_driver, P& platform, typename P::function_type& function) noexcept
        : binding_place{.operations = &of_driver, .forget = &give_back, .room = {}}, platform_(platform),
          function_(platform_, function) {}

    any_platform& platform() noexcept { return platform_; }
    any_function& function() noexcept { return function_; }

private:
    static void give_back(binding_place* self) noexcept {
        auto* const place = static_cast<place_on*>(self);
        P& memory = place->platform_.inner();
        place->~place_on();
        memory.deallocate(place, sizeof(place_on), alignof(place_on));
    }

    erased<P> platform_;
    erased_function<P> function_;
};

/// A platform that is erased already.
template <class P>
    requires std::derived_from<P, any_platform>
class place_on<P> : public binding_place {
public:
    place_on(const driver_operations& of_driver, P& platform, any_function& function) noexcept
        : binding_place{.operations = &of_driver, .forget = &give_back, .room = {}}, platform_(&platform),
          function_(&function) {}

    any_platform& platform() noexcept { return *platform_; }
    any_function& function() noexcept { return *function_; }

private:
    static void give_back(binding_place* self) noexcept {
        auto* const place = static_cast<place_on*>(self);
        any_platform& memory = *place->platform_;
        place->~place_on();
        memory.deallocate(place, sizeof(place_on), alignof(place_on));
    }

    any_platform* platform_;
    any_function* function_;
};

}  // namespace detail

template <class Interface>
class driver_entry;

/// A compiled driver on a function. It unbinds when it dies, as a `binding` does and on its conditions; `Interface` is what the
/// program knows of the driver's state.
template <class Interface = void>
class DEVRES_CONSUMABLE any_binding {
public:
    /// A binding of nothing.
    DEVRES_EMPTY any_binding() noexcept = default;
    /// The binding changes hands; `other` is empty then.
    any_binding(any_binding&& other) noexcept : place_(other.place_) { other.place_ = nullptr; }
    /// Unbinds what this was first. `other` is empty then.
    any_binding& operator=(any_binding&& other) noexcept {
        if (this != &other) {
            end();
            place_ = other.place_;
            other.place_ = nullptr;
        }
        return *this;
    }
    ~any_binding() { end(); }

    /// As `binding::unbind`.
    [[nodiscard]] result<> unbind() noexcept {
        if (place_ == nullptr)
            return {};
        const auto unbound = place_->operations->unbind(&place_->room);
        if (unbound)
            end();
        return unbound;
    }

    /// What the driver offers of its state. The program stops if the binding is empty, or a group has released the state since.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY auto& state() const noexcept
        requires(!std::is_void_v<Interface>)
    {
        if (place_ == nullptr) [[unlikely]]
            detail::stop("any_binding::state: the driver is not bound");
        return *static_cast<Interface*>(place_->operations->state(&place_->room));
    }

    /// As `binding::suspend`; `einval` if the binding is empty.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY result<> suspend() {
        return place_ == nullptr ? fail(errc::einval) : place_->operations->suspend(&place_->room);
    }
    /// As `binding::resume`; `einval` if the binding is empty.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY result<> resume() noexcept {
        return place_ == nullptr ? fail(errc::einval) : place_->operations->resume(&place_->room);
    }

    /// True until the driver is unbound.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return place_ != nullptr; }

private:
    friend class driver_entry<Interface>;
    explicit any_binding(detail::binding_place* place) noexcept : place_(place) {}

    void end() noexcept {
        if (place_ == nullptr)
            return;
        const detail::errno_guard keep;
        detail::binding_place* const place = place_;
        place->operations->end(&place->room);
        place_ = nullptr;
        place->forget(place);
    }

    detail::binding_place* place_ = nullptr;
};

}  // namespace devres::pci
