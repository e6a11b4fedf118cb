// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/enable.hpp>

namespace devres::pci {

/// One vector of an allocation, to register a handler on. A view: it must not be used after its vectors
/// are freed.
template <class Owner, class P, class Driver = void>
class irq_vector {
public:
    irq_vector(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, vector_index index) noexcept
        : dev_(&dev), index_(index) {}

    /// The operating system's number of the vector.
    /// @par Linux
    /// `pci_irq_vector()`
    [[nodiscard]] irq_number number() const noexcept {
        return dev_->platform().vector_number(dev_->function(), index_);
    }
    /// Which vector of the allocation it is.
    [[nodiscard]] vector_index index() const noexcept { return index_; }
    [[nodiscard]] device<P, Driver>& dev() const noexcept { return *dev_; }

private:
    device<P, Driver>* dev_;
    vector_index index_;
};

namespace detail {

/// What both owners' allocations answer.
template <class Owner, class P, class Driver, unsigned Min>
class DEVRES_CONSUMABLE irq_range {
public:
    using vector_type = irq_vector<Owner, P, Driver>;

    /// How many vectors were granted.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY unsigned size() const noexcept { return grant_.count; }
    /// What they are: msix, msi or intx.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY irq_type type() const noexcept { return grant_.type; }

    /// The vector at `index`, which must be below `size()`: the program stops otherwise.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY vector_type operator[](unsigned index) const noexcept {
        if (index >= grant_.count) [[unlikely]]
            __builtin_trap();
        return vector_type(*dev_, index);
    }
    /// The vector at `index`, which may come from a device register.
    /// @returns `einval` if there is no such vector, as `pci_irq_vector()`.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY result<vector_type> at(unsigned index) const noexcept {
        if (index >= grant_.count) [[unlikely]]
            return fail(errc::einval);
        return vector_type(*dev_, index);
    }
    /// The vector at `Index`, one of the `Min` vectors that the allocation cannot have fewer than.
    template <unsigned Index>
        requires rule<(Index < Min),
                      "devres[D006] get<I>: the allocation may have fewer vectors; ask for at least I + 1 with "
                      "alloc_irq_vectors<Min>, or use at(i)">
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY vector_type get() const noexcept {
        return vector_type(*dev_, Index);
    }

protected:
    irq_range() noexcept = default;
    irq_range(device<P, Driver>* dev, vector_grant grant) noexcept : dev_(dev), grant_(grant) {}

    device<P, Driver>* dev_ = nullptr;
    vector_grant grant_;
};

}  // namespace detail

/// The vectors of a function. Owned by devres, it is a view to be copied at will; owned by the driver, a guard
/// that frees the vectors when it dies. The program stops if that is inside a handler on them, where
/// `pci_free_irq_vectors` answers `edeadlk`. `Min` is how many the compiler knows there to be.
template <class Owner, class P, class Driver = void, unsigned Min = 0>
class irq_allocation;

template <class P, class Driver, unsigned Min>
class irq_allocation<managed_t, P, Driver, Min> : public detail::irq_range<managed_t, P, Driver, Min> {
public:
    /// A view of no vectors.
    irq_allocation() noexcept = default;
    irq_allocation(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, vector_grant grant) noexcept
        : detail::irq_range<managed_t, P, Driver, Min>(&dev, grant) {}
};

template <class P, class Driver, unsigned Min>
class DEVRES_CONSUMABLE irq_allocation<unmanaged_t, P, Driver, Min>
    : public detail::irq_range<unmanaged_t, P, Driver, Min> {
    using range = detail::irq_range<unmanaged_t, P, Driver, Min>;

public:
    /// A guard that owns nothing.
    DEVRES_EMPTY irq_allocation() noexcept = default;
    /// Takes over the vectors that `dev`'s platform granted.
    [[nodiscard]] irq_allocation(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, vector_grant grant) noexcept
        : range(&dev, grant) {}

    irq_allocation(irq_allocation&& other) noexcept : range(other.dev_, other.grant_) { other.forget(); }
    irq_allocation& operator=(irq_allocation&& other) noexcept {
        if (this != &other) {
            detail::or_stop(free());
            this->dev_ = other.dev_;
            this->grant_ = other.grant_;
            other.forget();
        }
        return *this;
    }
    ~irq_allocation() { detail::or_stop(free()); }

    /// True if the guard frees vectors when it dies.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return this->dev_ != nullptr; }

private:
    template <class O, class Q, class D, unsigned M>
        requires rule<std::is_same_v<O, unmanaged_t>,
                      "devres[D001] managed IRQ vectors are freed by devres at unbind: remove this call">
    friend result<> pci_free_irq_vectors(irq_allocation<O, Q, D, M>&& allocation) noexcept;

    void forget() noexcept {
        this->dev_ = nullptr;
        this->grant_.count = 0;
    }
    DEVRES_INLINE result<> free() noexcept {
        if (this->dev_ == nullptr)
            return {};
        if (auto freed = this->dev_->platform().free_vectors(this->dev_->function()); !freed) [[unlikely]]
            return freed;
        devres::detail::note(*this->dev_, {.what = resource_event::step::released,
                                           .resource = "irq_vectors",
                                           .index = this->grant_.count});
        forget();
        return {};
    }
};

namespace detail {

/// What every allocation starts with: the platform's grant, for a request that makes sense.
template <class P, class Driver>
[[nodiscard]] DEVRES_INLINE result<vector_grant> request_vectors(device<P, Driver>& dev,
                                                                   const vector_request& request) noexcept {
    if (request.min == 0) [[unlikely]]
        return fail(errc::einval);
    if (request.min > request.max) [[unlikely]]
        return fail(errc::erange);
    return dev.platform().allocate_vectors(dev.function(), request);
}

template <class P, class Driver>
void release_handler(void* argument) noexcept;

template <class P, class Driver>
void release_vectors(void* argument) noexcept {
    auto& dev = *static_cast<device<P, Driver>*>(argument);
    auto& vectors = device_records<P, Driver>::of(dev).vectors;
    while (vectors.registered != 0)  // only a group can release vectors before the handlers on them
        dev.resources().release(dev.resources().find(&release_handler<P, Driver>));
    or_stop(dev.platform().free_vectors(dev.function()));
    dev.resources().memory().put(vectors.handlers, vectors.count * sizeof(handler_record<P, Driver>),
                                 alignof(handler_record<P, Driver>));
    devres::detail::note(dev, {.what = resource_event::step::released,
                               .managed = true,
                               .resource = "irq_vectors",
                               .index = vectors.count});
    vectors = {};
}

template <unsigned Min, class P, class Driver>
[[nodiscard]] result<irq_allocation<managed_t, P, Driver, Min>>
allocate_managed(device<P, Driver>& dev, const vector_request& request) noexcept {
    using handler = handler_record<P, Driver>;
    auto grant = request_vectors(dev, request);
    if (!grant) [[unlikely]]
        return fail(grant.error());
    const memory_hooks& memory = dev.resources().memory();
    void* const handlers = memory.get(grant->count * sizeof(handler), alignof(handler));
    if (handlers == nullptr) [[unlikely]] {
        (void)dev.platform().free_vectors(dev.function());
        return fail(errc::enomem);
    }
    auto record = dev.resources().add(&release_vectors<P, Driver>, &dev);
    if (!record) [[unlikely]] {
        memory.put(handlers, grant->count * sizeof(handler), alignof(handler));
        (void)dev.platform().free_vectors(dev.function());
        return fail(record.error());
    }
    auto& vectors = device_records<P, Driver>::of(dev).vectors;
    vectors.record = *record;
    vectors.handlers = static_cast<handler*>(handlers);
    vectors.count = grant->count;
    for (unsigned i = 0; i != grant->count; ++i)
        ::new (&vectors.handlers[i]) handler;
    devres::detail::note(dev, {.managed = true, .resource = "irq_vectors", .index = grant->count});
    return irq_allocation<managed_t, P, Driver, Min>(dev, *grant);
}

template <unsigned Min, class P, class Driver>
[[nodiscard]] DEVRES_INLINE result<irq_allocation<unmanaged_t, P, Driver, Min>>
allocate_unmanaged(device<P, Driver>& dev, const vector_request& request) noexcept {
    auto grant = request_vectors(dev, request);
    if (!grant) [[unlikely]]
        return fail(grant.error());
    devres::detail::note(dev, {.resource = "irq_vectors", .index = grant->count});
    return irq_allocation<unmanaged_t, P, Driver, Min>(dev, *grant);
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

/// Allocates between `min` and `max` vectors of the first of MSI-X, MSI and INTx that `types` has and the
/// function can give, until the driver is unbound. They are one record at their own place among the managed
/// resources: a group that is open now owns them.
///
/// Two forms: `pcim_alloc_irq_vectors(enabled, min, max, types)`, and `pcim_alloc_irq_vectors<Min>(enabled, max,
/// types)` with a minimum that the compiler knows, so that `allocation.get<I>()` needs no check for I < Min.
/// @returns a view of the vectors; `einval` if `min` is 0, `erange` if `min` > `max`, `ebusy` if the function
/// has vectors already, `enospc` if it has fewer than `min`, otherwise the error of the last type tried;
/// `enomem` if they cannot be recorded. Nothing is allocated then.
/// @par Linux
/// What `pcim_alloc_irq_vectors()` was proposed to be in 2026: no flag on the device, failure instead of a leak,
/// a second allocation refused (Linux grants INTx beside live MSI-X), and min 0 refused for every type.
template <unsigned Min = 0, class Owner, class P, class Driver>
    requires rule<std::is_same_v<Owner, managed_t>,
                  "devres[D005] managed IRQ vectors need a device enabled with pcim_enable_device"> &&
             rule<owned_by<Driver, irq_vectors_t, managed_t>,
                  "devres[D004] pcim_alloc_irq_vectors: the ownership table does not say irq_vectors = managed">
[[nodiscard]] result<irq_allocation<managed_t, P, Driver, Min>>
pcim_alloc_irq_vectors(const enabled_device<Owner, P, Driver>& enabled, unsigned first,
                       typename detail::vector_arguments<Min>::second second,
                       typename detail::vector_arguments<Min>::third third = {}) noexcept {
    return detail::allocate_managed<Min>(enabled.dev(), detail::vector_arguments<Min>::request(first, second, third));
}

/// As `pcim_alloc_irq_vectors`, with the vectors spread over the CPUs: as many as there are CPUs, besides the
/// reserved ones.
/// @returns also `enospc` if more vectors are reserved than `min`.
/// @par Linux
/// `pci_alloc_irq_vectors_affinity()` with PCI_IRQ_AFFINITY
template <class Owner, class P, class Driver>
    requires rule<std::is_same_v<Owner, managed_t>,
                  "devres[D005] managed IRQ vectors need a device enabled with pcim_enable_device"> &&
             rule<owned_by<Driver, irq_vectors_t, managed_t>,
                  "devres[D004] pcim_alloc_irq_vectors_affinity: the ownership table does not say irq_vectors = managed">
[[nodiscard]] result<irq_allocation<managed_t, P, Driver>>
pcim_alloc_irq_vectors_affinity(const enabled_device<Owner, P, Driver>& enabled, unsigned min, unsigned max,
                                irq_types types, const irq_affinity& affinity) noexcept {
    return detail::allocate_managed<0>(enabled.dev(),
                                       {.min = min, .max = max, .types = types, .affinity = &affinity});
}

/// Allocates vectors as `pcim_alloc_irq_vectors` does, in the same two forms, until the guard dies or
/// `pci_free_irq_vectors`.
/// @returns a guard that frees them; the errors of `pcim_alloc_irq_vectors` but `enomem`: nothing is allocated then.
/// @par Linux
/// `pci_alloc_irq_vectors()` on a device that is not managed. On a managed one, where Linux makes the vectors
/// managed behind the driver's back, platforms that do the same refuse to compile it (D003).
template <unsigned Min = 0, class Owner, class P, class Driver>
    requires rule<!(std::is_same_v<Owner, managed_t> && P::hybrid_irq_vectors),
                  "devres[D003] on this platform, vectors of a managed device are managed: call pcim_alloc_irq_vectors"> &&
             rule<owned_by<Driver, irq_vectors_t, unmanaged_t>,
                  "devres[D004] pci_alloc_irq_vectors: the ownership table does not say irq_vectors = unmanaged">
[[nodiscard]] DEVRES_INLINE result<irq_allocation<unmanaged_t, P, Driver, Min>>
pci_alloc_irq_vectors(const enabled_device<Owner, P, Driver>& enabled, unsigned first,
                      typename detail::vector_arguments<Min>::second second,
                      typename detail::vector_arguments<Min>::third third = {}) noexcept {
    return detail::allocate_unmanaged<Min>(enabled.dev(), detail::vector_arguments<Min>::request(first, second, third));
}

/// As `pci_alloc_irq_vectors`, with the vectors spread over the CPUs (see `pcim_alloc_irq_vectors_affinity`).
template <class Owner, class P, class Driver>
    requires rule<!(std::is_same_v<Owner, managed_t> && P::hybrid_irq_vectors),
                  "devres[D003] on this platform, vectors of a managed device are managed: call pcim_alloc_irq_vectors"> &&
             rule<owned_by<Driver, irq_vectors_t, unmanaged_t>,
                  "devres[D004] pci_alloc_irq_vectors_affinity: the ownership table does not say irq_vectors = unmanaged">
[[nodiscard]] result<irq_allocation<unmanaged_t, P, Driver>>
pci_alloc_irq_vectors_affinity(const enabled_device<Owner, P, Driver>& enabled, unsigned min, unsigned max,
                               irq_types types, const irq_affinity& affinity) noexcept {
    return detail::allocate_unmanaged<0>(enabled.dev(),
                                         {.min = min, .max = max, .types = types, .affinity = &affinity});
}

/// Frees the driver's vectors now. The handlers still registered on them are freed first, newest first,
/// waiting for running ones; their registrations are empty afterwards.
/// @returns `edeadlk` from inside one of those handlers: nothing is freed, and `allocation` keeps its vectors.
/// @par Linux
/// `pci_free_irq_vectors()`, which leaks the handlers that are still registered
template <class Owner, class P, class Driver, unsigned Min>
    requires rule<std::is_same_v<Owner, unmanaged_t>,
                  "devres[D001] managed IRQ vectors are freed by devres at unbind: remove this call">
result<> pci_free_irq_vectors(irq_allocation<Owner, P, Driver, Min>&& allocation) noexcept {
    return allocation.free();
}

}  // namespace devres::pci
