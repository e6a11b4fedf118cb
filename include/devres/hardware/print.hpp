// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <ostream>
#include <string_view>

#include <devres/hardware/ledger.hpp>
#include <devres/print.hpp>

namespace devres::hardware {

/// The name of what went wrong: "freed_inside_handler".
[[nodiscard]] constexpr std::string_view name_of(violation_kind kind) noexcept {
    constexpr std::array<std::string_view, 22> names{"disabled_too_often",
                                                     "detached_without_driver",
                                                     "detached_with_resources",
                                                     "detached_with_master",
                                                     "unmapped_twice",
                                                     "used_after_unmap",
                                                     "access_out_of_range",
                                                     "access_misaligned",
                                                     "access_not_decoded",
                                                     "freed_inside_handler",
                                                     "acquired_inside_handler",
                                                     "bar_younger_than_handler",
                                                     "bar_kept_off",
                                                     "spurious_message",
                                                     "nobody_cared",
                                                     "dma_fault",
                                                     "dma_freed_twice",
                                                     "dma_unmapped_twice",
                                                     "dma_not_synced",
                                                     "dma_synced_unmapped",
                                                     "memory_unknown",
                                                     "memory_wrong_size"};
    static_assert(names.size() == static_cast<std::size_t>(violation_kind::memory_wrong_size) + 1);
    return names[static_cast<std::size_t>(kind)];
}

/// Its name.
inline std::ostream& operator<<(std::ostream& out, violation_kind kind) { return out << name_of(kind); }

}  // namespace devres::hardware

DEVRES_FORMATTER(devres::hardware::violation_kind);
DEVRES_FORMATTER(devres::hardware::violation);
DEVRES_FORMATTER(devres::hardware::ledger);
