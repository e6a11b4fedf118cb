// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <devres/sim.hpp>

#include "commands.hpp"

namespace nvme {

/// A command's data as a simulated controller finds it: in pieces, by the command's PRP entries.
///
/// `move(at, offset, size)` is called for each piece, in order, and says whether the memory could be reached.
template <class Move>
[[nodiscard]] status each_piece(devres::sim::function& self, const command& of, std::size_t size, Move move) {
    const auto transfer = [&](std::uint64_t at, std::size_t offset, std::size_t bytes) {
        return move(devres::pci::bus_address{at}, offset, bytes) ? status::success : status::data_transfer_error;
    };
    if (of.prp1 % 4 != 0)
        return status::invalid_prp_offset;
    std::size_t done = std::min<std::size_t>(size, page_size - of.prp1 % page_size);
    if (const status first = transfer(of.prp1, 0, done); first != status::success || done == size)
        return first;
    if (size - done <= page_size)
        return of.prp2 % page_size != 0 ? status::invalid_prp_offset : transfer(of.prp2, done, size - done);

    if (of.prp2 % 8 != 0)
        return status::invalid_prp_offset;
    for (std::uint64_t list = of.prp2; done != size; list += 8) {
        std::uint64_t page = 0;
        if (!self.dma_read(devres::pci::bus_address{list}, &page, sizeof(page)))
            return status::data_transfer_error;
        const bool last_of_list = (list + 8) % page_size == 0;
        if (last_of_list && size - done > page_size) {  // there are more lists: this entry is where the next one is
            if (page % page_size != 0)
                return status::invalid_prp_offset;
            list = page - 8;
            continue;
        }
        if (page % page_size != 0)
            return status::invalid_prp_offset;
        const std::size_t part = std::min(size - done, page_size);
        if (const status moved = transfer(page, done, part); moved != status::success)
            return moved;
        done += part;
    }
    return status::success;
}

}  // namespace nvme
