// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/enable.hpp>

/// IRQ vectors: MSI-X, MSI or INTx, owned by devres or by the driver.
namespace devres::pci {

template <class Owner>
concept drivers_vectors =
    rule<std::is_same_v<Owner, unmanaged_t>,
         text{"devres[D001] managed IRQ vectors are freed by devres at unbind: remove this call"}>;

namespace detail {

struct vectors_kind : any_kind {
    static constexpr resource_kind about{"irq_vectors", numbering::how_many};
    template <class P>
    using value = vector_grant;

    template <class P, class Driver>
    DEVRES_INLINE static result<> release(device<P, Driver>& dev, vector_grant&) noexcept {
        return dev.platform().free_vectors(dev.function());
    }
    template <class Device>
    static void recorded(Device& dev) noexcept {
        device_books::of(dev).managed_vectors = true;
    }
    template <class Device>
    static void forgotten(Device& dev) noexcept {
        device_books::of(dev).managed_vectors = false;
    }
    [[nodiscard]] static constexpr label label_of(const vector_grant& grant, const label&) noexcept {
        return {.index = grant.count};
    }
    static constexpr void clear(vector_grant& grant) noexcept { grant.count = 0; }
};

/// The record of vectors that are managed; of others there is none.
struct no_record {};
template <class Owner>
using record_of_owner = std::conditional_t<std::is_same_v<Owner, managed_t>, list::handle, no_record>;

}  // namespace detail

/// One vector of an allocation, to register a handler on. A view: it must not be used after its vectors
/// are freed.
template <class Owner, class P, class Driver = void>
class irq_vector {
public:
    using owner_type = Owner;    ///< `managed_t` or `unmanaged_t`
    using platform_type = P;     ///< its device's
    using driver_type = Driver;  ///< its device's

    /// Not trivial, so that an object with a vector in it is not plain bytes for the device.
    DEVRES_INLINE irq_vector(const irq_vector& other) noexcept
        : dev_(other.dev_), index_(other.index_), record_(other.record_) {}
    irq_vector& operator=(const irq_vector&) = delete;
    ~irq_vector() = default;

    /// The operating system's number of the vector.
    /// @par Linux
    /// `pci_irq_vector()`
    [[nodiscard]] irq_number number() const noexcept {
        return dev_->platform().vector_number(dev_->function(), index_);
    }
    /// Which vector of the allocation it is.
    [[nodiscard]] vector_index index() const noexcept { return index_; }
    [[nodiscard]] device<P, Driver>& dev() const noexcept { return *dev_; }  ///< whose it is

private:
    friend struct devres::detail::token;
    DEVRES_INLINE irq_vector(device<P, Driver>& dev, vector_index index,
                             const detail::record_of_owner<Owner>& record) noexcept
        : dev_(&dev), index_(index), record_(record) {}

    device<P, Driver>* dev_;
    vector_index index_;
    [[no_unique_address]] detail::record_of_owner<Owner> record_;
};

template <class Owner, class P, class Driver>
inline constexpr bool detail::is_irq_vector<irq_vector<Owner, P, Driver>> = true;

/// The vectors of a function. Owned by devres, it is a view to be copied at will; owned by the driver, a guard
/// that frees the vectors when it dies. The program stops if that is inside a handler on them, where
/// `pci_free_irq_vectors` answers `edeadlk`. `Min` is how many the compiler knows there to be.
template <class Owner, class P, class Driver = void, unsigned Min = 0>
class DEVRES_CONSUMABLE irq_allocation : public detail::held<Owner, detail::vectors_kind, P, Driver> {
    friend struct devres::detail::token;
    using detail::held<Owner, detail::vectors_kind, P, Driver>::held;

public:
    using vector_type = irq_vector<Owner, P, Driver>;  ///< what it consists of

    /// How many vectors were granted.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY unsigned size() const noexcept { return this->value_.count; }
    /// What they are: msix, msi or intx.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY irq_type type() const noexcept { return this->value_.type; }

    /// The vector at `index`, which must be below `size()`: the program stops otherwise.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY vector_type operator[](unsigned index) const noexcept {
        if (index >= size()) [[unlikely]]
            detail::stop("irq_allocation[i]: there is no such vector; at(i) answers einval");
        return vector(index);
    }
    /// The vector at `index`, which may come from a device register.
    /// @returns `einval` if there is no such vector, as `pci_irq_vector()`.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY result<vector_type> at(unsigned index) const noexcept {
        if (index >= size()) [[unlikely]]
            return fail(errc::einval);
        return vector(index);
    }
    /// The vector at `Index`, one of the `Min` vectors that the allocation cannot have fewer than.
    template <unsigned Index>
        requires rule<(Index < Min),
                      text{"devres[D006] get<I>: the allocation may have fewer vectors; ask for at least I + 1 with "
                           "alloc_irq_vectors<Min>, or use at(i)"}>
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY vector_type get() const noexcept {
        if constexpr (std::is_same_v<Owner, unmanaged_t>) {
            if (this->dev_ == nullptr) [[unlikely]]
                detail::stop("irq_allocation::get: the guard has no vectors");
        }
        return vector(Index);
    }

private:
    template <class O, class Q, class D, unsigned M>
        requires drivers_vectors<O>
    friend result<> pci_free_irq_vectors(irq_allocation<O, Q, D, M>&& allocation) noexcept;

    [[nodiscard]] vector_type vector(unsigned index) const noexcept {
        if constexpr (std::is_same_v<Owner, managed_t>)
            return detail::token::make<vector_type>(*this->dev_, index, this->record_);
        else
            return detail::token::make<vector_type>(*this->dev_, index, detail::no_record{});
    }
};

/// For the members of a driver's state: `vectors_of<Device>`.
template <class Device, unsigned Min = 0>
using vectors_of = irq_allocation<managed_t, typename Device::platform_type, typename Device::driver_type, Min>;

template <class Enabled>
concept vectors_of_managed_device =
    rule<std::is_same_v<detail::owner_of<Enabled>, managed_t>,
         text{"devres[D005] managed IRQ vectors need a device enabled with pcim_enable_device"}>;
template <class Driver>
concept vectors_managed =
    rule<owned_by<Driver, irq_vectors_t, managed_t>,
         text{"devres[D004] pcim_alloc_irq_vectors: the ownership table does not say irq_vectors = managed"}>;
template <class Driver>
concept vectors_unmanaged =
    rule<owned_by<Driver, irq_vectors_t, unmanaged_t>,
         text{"devres[D004] pci_alloc_irq_vectors: the ownership table does not say irq_vectors = unmanaged"}>;

namespace detail {

template <class Enabled>
inline constexpr bool vectors_turn_managed = [] {
    if constexpr (std::is_same_v<owner_of<Enabled>, managed_t>)
        return platform_of<Enabled>::hybrid_irq_vectors;
    else
        return false;
}();

/// Allocates vectors for either owner, for a request that makes sense.
template <class Token, class Enabled>
[[nodiscard]] DEVRES_INLINE result<Token> allocate_vectors(const Enabled& enabled,
                                                           const vector_request& request) noexcept {
    if (!is_there(enabled)) [[unlikely]]
        return fail(errc::enoent);
    auto& dev = enabled.dev();
    if (request.min == 0) [[unlikely]]
        return fail(errc::einval);
    if (request.min > request.max) [[unlikely]]
        return fail(errc::erange);
    return acquire<Token, vectors_kind>(
        dev, {}, [&]() noexcept { return dev.platform().allocate_vectors(dev.function(), request); }, enabled);
}

/// The arguments of an allocation after the first count: (min, max, types), or (max, types) where the compiler
/// knows the minimum. One function has both forms, because each overload lengthens the diagnostics of the other.
struct no_argument {};
struct required_types : irq_types {
    constexpr required_types(irq_types types) noexcept : irq_types(types) {}  // NOLINT: as irq_types
    constexpr required_types(irq_type type) noexcept : irq_types(type) {}     // NOLINT: as irq_types
};
template <unsigned Min>
struct vector_arguments {
    using second = irq_types;
    using third = no_argument;

    static constexpr vector_request request(unsigned max, irq_types types, no_argument) noexcept {
        return {.min = Min, .max = max, .types = types};
    }
};
template <>
struct vector_arguments<0> {
    using second = unsigned;
    using third = required_types;

    static constexpr vector_request request(unsigned min, unsigned max, irq_types types) noexcept {
        return {.min = min, .max = max, .types = types};
    }
};

}  // namespace detail

template <class Enabled>
concept vectors_stay_drivers =
    rule<!detail::vectors_turn_managed<Enabled>,
         text{"devres[D003] on this platform, vectors of a managed device are managed: call pcim_alloc_irq_vectors"}>;

/// Allocates between `min` and `max` vectors of the first of MSI-X, MSI and INTx that `types` has and the
/// function can give, until the driver is unbound. They are one record at their own place among the managed
/// resources: a group that is open now owns them. What interrupts before there is a handler is held until there is one.
///
/// Two forms: `pcim_alloc_irq_vectors(enabled, min, max, types)`, and `pcim_alloc_irq_vectors<Min>(enabled, max,
/// types)` with a minimum that the compiler knows, so that `allocation.get<I>()` needs no check for I < Min.
/// @returns a view of the vectors; `einval` if `min` is 0, `erange` if `min` > `max`, `ebusy` if the function
/// has vectors already, `enospc` if it has fewer than `min`, otherwise the error of the last type tried;
/// `enomem` if they cannot be recorded, `enoent` if the enable has been released, `edeadlk` from inside a handler. Nothing is
/// allocated then.
/// @par Linux
/// What `pcim_alloc_irq_vectors()` was proposed to be in 2026: no flag on the device, failure instead of a leak,
/// a second allocation refused (Linux grants INTx beside live MSI-X), and min 0 refused for every type.
template <unsigned Min = 0, class Enabled>
    requires enabled_argument<Enabled> && vectors_of_managed_device<Enabled> &&
             vectors_managed<detail::driver_of<Enabled>>
[[nodiscard]] DEVRES_INLINE auto
pcim_alloc_irq_vectors(const Enabled& enabled, unsigned first, typename detail::vector_arguments<Min>::second second,
                       typename detail::vector_arguments<Min>::third third = {}) noexcept
    -> result<irq_allocation<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>, Min>> {
    using vectors = irq_allocation<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>, Min>;
    return detail::allocate_vectors<vectors>(enabled, detail::vector_arguments<Min>::request(first, second, third));
}

/// As `pcim_alloc_irq_vectors`, with the vectors spread over the CPUs: as many as there are CPUs, besides the
/// reserved ones.
/// @returns also `enospc` if more vectors are reserved than `min`.
/// @par Linux
/// `pci_alloc_irq_vectors_affinity()` with PCI_IRQ_AFFINITY
template <class Enabled>
    requires enabled_argument<Enabled> && vectors_of_managed_device<Enabled> &&
             vectors_managed<detail::driver_of<Enabled>>
[[nodiscard]] DEVRES_INLINE auto pcim_alloc_irq_vectors_affinity(const Enabled& enabled, unsigned min, unsigned max,
                                                                 irq_types types, const irq_affinity& affinity) noexcept
    -> result<irq_allocation<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using vectors = irq_allocation<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::allocate_vectors<vectors>(enabled, {.min = min, .max = max, .types = types, .affinity = &affinity});
}

/// Allocates vectors as `pcim_alloc_irq_vectors` does, in the same two forms, until the guard dies or
/// `pci_free_irq_vectors`.
/// @returns a guard that frees them; the errors of `pcim_alloc_irq_vectors` but `enomem`: nothing is allocated then.
/// @par Linux
/// `pci_alloc_irq_vectors()` on a device that is not managed. On a managed one, where Linux makes the vectors
/// managed behind the driver's back, platforms that do the same refuse to compile it (D003).
template <unsigned Min = 0, class Enabled>
    requires enabled_argument<Enabled> && vectors_stay_drivers<Enabled> && vectors_unmanaged<detail::driver_of<Enabled>>
[[nodiscard]] DEVRES_INLINE auto
pci_alloc_irq_vectors(const Enabled& enabled, unsigned first, typename detail::vector_arguments<Min>::second second,
                      typename detail::vector_arguments<Min>::third third = {}) noexcept
    -> result<irq_allocation<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>, Min>> {
    using vectors = irq_allocation<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>, Min>;
    return detail::allocate_vectors<vectors>(enabled, detail::vector_arguments<Min>::request(first, second, third));
}

/// As `pci_alloc_irq_vectors`, with the vectors spread over the CPUs (see `pcim_alloc_irq_vectors_affinity`).
template <class Enabled>
    requires enabled_argument<Enabled> && vectors_stay_drivers<Enabled> && vectors_unmanaged<detail::driver_of<Enabled>>
[[nodiscard]] auto pci_alloc_irq_vectors_affinity(const Enabled& enabled, unsigned min, unsigned max, irq_types types,
                                                  const irq_affinity& affinity) noexcept
    -> result<irq_allocation<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using vectors = irq_allocation<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::allocate_vectors<vectors>(enabled, {.min = min, .max = max, .types = types, .affinity = &affinity});
}

/// Frees the driver's vectors now. The handlers still registered on them are freed first, newest first,
/// waiting for running ones; their registrations are empty afterwards.
/// @returns `edeadlk` from inside one of those handlers: nothing is freed, and `allocation` keeps its vectors.
/// @par Linux
/// `pci_free_irq_vectors()`, which leaks the handlers that are still registered
template <class Owner, class P, class Driver, unsigned Min>
    requires drivers_vectors<Owner>
[[nodiscard]] result<> pci_free_irq_vectors(irq_allocation<Owner, P, Driver, Min>&& allocation) noexcept {
    return allocation.free();
}

}  // namespace devres::pci
