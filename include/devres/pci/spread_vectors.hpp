// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/result.hpp>
#include <devres/pci/affinity.hpp>

/// For platforms: how many vectors an allocation takes.
namespace devres::pci {

/// How many vectors to ask for when they are to be spread: the reserved ones and one per possible CPU, `max` at the most;
/// `max` itself where the driver makes sets.
/// @returns `enospc` if pre_vectors and post_vectors together exceed `min`.
/// @par Linux
/// `irq_calc_affinity_vectors()`, which answers 0 where this says `enospc`.
[[nodiscard]] constexpr result<unsigned> spread_vector_count(const irq_affinity& affinity, unsigned min, unsigned max,
                                                             unsigned possible_cpus) noexcept {
    const unsigned reserved = affinity.pre_vectors + affinity.post_vectors;
    if (reserved < affinity.pre_vectors || reserved > min)
        return fail(errc::enospc);
    if (affinity.calculate_sets != nullptr)
        return max;
    const unsigned spread = max - reserved;
    return reserved + (spread < possible_cpus ? spread : possible_cpus);
}

/// Takes from `min` to `max` vectors, as many as there are: `take(count)` takes `count` and answers `count`, or takes none
/// and answers how many there could be, 0 for none, or an error. With fewer to be had than asked for, it is asked again.
/// `affinity` may be null.
/// @returns how many were taken; `enospc` if there are fewer than `min`; the error of `take`
/// @par Linux
/// The loops of `__pci_enable_msix_range()` and `__pci_enable_msi_range()`.
template <class Take>
[[nodiscard]] constexpr result<unsigned> take_vectors(unsigned min, unsigned max, const irq_affinity* affinity,
                                                      unsigned possible_cpus, Take take) {
    for (unsigned count = max;;) {
        if (affinity != nullptr) {
            const auto spread = spread_vector_count(*affinity, min, count, possible_cpus);
            if (!spread || *spread < min || *spread == 0)
                return fail(errc::enospc);
            count = *spread;
        }
        const result<unsigned> taken = take(count);
        if (!taken || *taken == count)
            return taken;
        if (*taken == 0 || *taken < min)
            return fail(errc::enospc);
        count = *taken;
    }
}

/// What an affinity says of `vectors` that were taken with it: the driver has made its sets of those that are spread, which
/// are none where there are no more than are reserved (one INTx vector).
[[nodiscard]] constexpr irq_affinity with_sets(irq_affinity affinity, unsigned vectors) noexcept {
    const unsigned reserved = affinity.pre_vectors + affinity.post_vectors;
    if (affinity.calculate_sets != nullptr)
        affinity.calculate_sets(affinity, vectors > reserved ? vectors - reserved : 0);
    return affinity;
}

}  // namespace devres::pci
