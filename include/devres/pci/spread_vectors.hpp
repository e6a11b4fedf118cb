// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/result.hpp>
#include <devres/pci/affinity.hpp>

namespace devres::pci {

/// For platforms: how many vectors to ask for when they are to be spread: the reserved ones and one per possible CPU, `max`
/// at the most; `max` itself where the driver makes sets.
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

}  // namespace devres::pci
