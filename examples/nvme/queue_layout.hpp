// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <devres/devres.hpp>

#include "commands.hpp"
#include "prp.hpp"

namespace nvme {

/// What a pair of queues needs of the memory that is shared with the controller, in one block: both rings, and for each
/// command that can be on its way a page list and room for its data.
struct queue_layout {
    static constexpr unsigned max_slots = 64;

    std::uint32_t entries = 32;            ///< of each ring
    unsigned slots = 4;                    ///< commands on their way at a time: fewer than entries
    std::size_t transfer = 8 * page_size;  ///< bytes of data for each: whole pages

    /// Whether all that can be.
    [[nodiscard]] constexpr bool valid() const noexcept {
        return slots >= 1 && slots <= max_slots && slots < entries && transfer >= page_size &&
               transfer % page_size == 0 && transfer <= listed_bytes;
    }

    /// As this one, for a controller whose queues have `most` entries at most. @returns `einval` if that cannot be
    [[nodiscard]] constexpr devres::result<queue_layout> limited_to(std::uint32_t most) const noexcept {
        queue_layout out = *this;
        out.entries = std::min(entries, most);
        out.slots = std::min(slots, out.entries - 1);
        return out.valid() ? devres::result<queue_layout>(out) : devres::fail(devres::errc::einval);
    }

    // Where everything is, in bytes from the start of the block; all of it starts a page.
    [[nodiscard]] constexpr std::size_t completions() const noexcept { return pages(entries * sizeof(command)); }
    [[nodiscard]] constexpr std::size_t list(unsigned slot) const noexcept {
        return completions() + pages(entries * sizeof(completion)) + slot * (page_size + transfer);
    }
    [[nodiscard]] constexpr std::size_t data(unsigned slot) const noexcept { return list(slot) + page_size; }
    /// Of the whole block.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return list(slots); }

private:
    static constexpr std::size_t pages(std::size_t bytes) noexcept {
        return (bytes + page_size - 1) / page_size * page_size;
    }
};

}  // namespace nvme
