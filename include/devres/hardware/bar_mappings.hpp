// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

#include <devres/hardware/detail/fixed_name.hpp>
#include <devres/pci/types.hpp>

namespace devres::hardware {

/// Which BARs of a function are mapped, as what, and in which order: each mapping has a generation, never 0, that is larger
/// than those before it (modulo 2^32).
///
/// Changed on the thread of the function's calls; any thread may ask whether a mapping is still the one that it knows.
class bar_mappings {
public:
    /// @returns the new mapping's generation; the BAR is not mapped. `name` is copied
    std::uint32_t map(unsigned bar, const char* name) noexcept {
        if (++youngest_ == 0)
            ++youngest_;
        mappings_[bar].name.set(name);
        mappings_[bar].generation.store(youngest_);
        return youngest_;
    }
    void unmap(unsigned bar) noexcept { mappings_[bar].generation.store(0); }  ///< its generation is none any more

    /// Whether the BAR is mapped.
    /// @{
    [[nodiscard]] bool mapped(unsigned bar) const noexcept { return mappings_[bar].generation.load() != 0; }
    /// @}
    /// Whether the mapping of that generation is there.
    [[nodiscard]] bool current(unsigned bar, std::uint32_t generation) const noexcept {
        return mappings_[bar].generation.load(std::memory_order_relaxed) == generation;
    }
    /// Whether any BAR is mapped.
    [[nodiscard]] bool any() const noexcept {
        bool out = false;
        for (unsigned bar = 0; bar != pci::bar_count; ++bar)
            out = out || mapped(bar);
        return out;
    }
    /// What the driver called the mapping that the BAR has, or had last.
    [[nodiscard]] std::string name(unsigned bar) const { return mappings_[bar].name.get(); }

    /// The generation of the mapping that was made last, be it there or not; 0 if there was none.
    [[nodiscard]] std::uint32_t youngest() const noexcept { return youngest_; }

private:
    struct mapping {
        std::atomic<std::uint32_t> generation{0};  // 0: none
        fixed_name name;
    };
    mapping mappings_[pci::bar_count];
    std::uint32_t youngest_ = 0;
};

}  // namespace devres::hardware
