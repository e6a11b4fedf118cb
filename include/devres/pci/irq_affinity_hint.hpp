// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/irq_handler.hpp>

/// Which CPUs a vector interrupts, and where the driver would have it.
namespace devres::pci {

template <class P>
concept platform_steers_vectors =
    rule<steers_vectors<P>, text{"devres[D007] this platform does not say which CPUs a vector interrupts: "
                                 "vector_affinity, hint_affinity"}>;

namespace detail {

struct hint_kind : any_kind {
    static constexpr resource_kind about{"affinity_hint", numbering::which};
    template <class P>
    using value = vector_index;

    template <class P, class Driver>
    static void release(device<P, Driver>& dev, vector_index vector) noexcept {
        (void)dev.platform().hint_affinity(dev.function(), vector, 0, false);
    }
};

}  // namespace detail

/// A hint that a vector has: it is taken back when the guard dies, which may be after the vector.
template <class P, class Driver = void>
class DEVRES_CONSUMABLE affinity_hint : public detail::held<unmanaged_t, detail::hint_kind, P, Driver> {
    friend struct devres::detail::token;
    using detail::held<unmanaged_t, detail::hint_kind, P, Driver>::held;
};

/// For the members of a driver's state: `affinity_hint_of<Device>`.
template <class Device>
using affinity_hint_of = affinity_hint<typename Device::platform_type, typename Device::driver_type>;

/// The CPUs that the vector may interrupt, bit n for CPU n.
/// @par Linux
/// `pci_irq_get_affinity()`
template <class Vector>
    requires vector_argument<Vector> && platform_steers_vectors<detail::platform_of<Vector>>
[[nodiscard]] std::uint64_t pci_irq_get_affinity(const Vector& vector) noexcept {
    return vector.dev().platform().vector_affinity(vector.dev().function(), vector.index());
}

namespace detail {

template <class Vector>
[[nodiscard]] result<affinity_hint<platform_of<Vector>, driver_of<Vector>>>
hint(const Vector& vector, std::uint64_t cpus, bool apply) noexcept {
    auto& dev = vector.dev();
    return acquire<affinity_hint<platform_of<Vector>, driver_of<Vector>>, hint_kind>(
        dev, {vector.index().value(), nullptr},
        [&]() noexcept -> result_in<vector_index, Vector> {
            if (cpus == 0)
                return fail(errc::einval);
            if (auto hinted = dev.platform().hint_affinity(dev.function(), vector.index(), cpus, apply); !hinted)
                return fail(hinted.error());
            return vector.index();
        },
        vector);
}

}  // namespace detail

/// Says which CPUs the driver would have the vector interrupt, for who steers interrupts, until the guard dies.
/// @returns a guard; `einval` for no CPU, `enoent` if the vectors have gone, or the platform's error: there is no hint then.
/// @par Linux
/// `irq_update_affinity_hint()`, with NULL when the guard dies, which Linux warns of if it is forgotten
template <class Vector>
    requires vector_argument<Vector> && platform_steers_vectors<detail::platform_of<Vector>>
[[nodiscard]] auto irq_update_affinity_hint(const Vector& vector, std::uint64_t cpus) noexcept {
    return detail::hint(vector, cpus, false);
}

/// The same, and has the vector interrupt these CPUs now.
/// @par Linux
/// `irq_set_affinity_and_hint()`, `irq_set_affinity_hint()`
template <class Vector>
    requires vector_argument<Vector> && platform_steers_vectors<detail::platform_of<Vector>>
[[nodiscard]] auto irq_set_affinity_hint(const Vector& vector, std::uint64_t cpus) noexcept {
    return detail::hint(vector, cpus, true);
}

}  // namespace devres::pci
