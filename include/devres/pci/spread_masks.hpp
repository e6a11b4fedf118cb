// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <devres/pci/affinity.hpp>

namespace devres::pci {

/// Which CPUs each vector of an allocation may interrupt.
///
/// @par Linux
/// `irq_create_affinity_masks()`: reserved vectors may interrupt any CPU; the others, or each set of them, share
/// the CPUs out, in order and as evenly as it goes. It knows no NUMA nodes here.
class spread_masks {
public:
    /// Nothing is spread.
    spread_masks() noexcept = default;

    /// For `vectors` that were allocated with `affinity`, whose `calculate_sets` has been called.
    spread_masks(const irq_affinity& affinity, unsigned vectors, unsigned cpus) noexcept
        : affinity_(affinity), vectors_(vectors), cpus_(cpus), spread_(affinity.set_count <= irq_affinity::max_sets) {}

    /// The mask of a vector, a bit per CPU.
    [[nodiscard]] std::uint64_t of(unsigned vector) const noexcept {
        const std::uint64_t all = cpus_ < 64 ? (std::uint64_t{1} << cpus_) - 1 : ~std::uint64_t{0};
        const unsigned end = vectors_ - affinity_.post_vectors;
        if (!spread_ || vector < affinity_.pre_vectors || vector >= end)
            return all;
        unsigned begin = affinity_.pre_vectors;
        if (affinity_.set_count == 0)
            return share(vector - begin, end - begin);
        for (unsigned set = 0; set != affinity_.set_count; ++set) {
            const unsigned size = affinity_.set_size[set];
            if (vector - begin < size)
                return share(vector - begin, size);
            begin += size;
        }
        return all;
    }

    /// From now on, spreads over that many CPUs.
    void set_cpus(unsigned cpus) noexcept { cpus_ = cpus; }

private:
    /// The part that share `i` of `shares` has of the CPUs: the first ones get one more where it does not divide.
    [[nodiscard]] std::uint64_t share(unsigned i, unsigned shares) const noexcept {
        if (shares >= cpus_)
            return std::uint64_t{1} << i % cpus_;
        const unsigned each = cpus_ / shares;
        const unsigned more = cpus_ % shares;
        const unsigned first = i * each + (i < more ? i : more);
        const unsigned count = each + (i < more ? 1 : 0);
        return (count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) << first;
    }

    irq_affinity affinity_{};
    unsigned vectors_ = 0;
    unsigned cpus_ = 8;
    bool spread_ = false;
};

}  // namespace devres::pci
