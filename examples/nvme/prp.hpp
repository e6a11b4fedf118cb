// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <devres/devres.hpp>

#include "commands.hpp"

namespace nvme {

/// How many bytes a page list of one page can tell of, behind the first page of the data.
inline constexpr std::size_t listed_bytes = page_size / sizeof(std::uint64_t) * page_size;

/// Writes the page list (PRP list) of `pages` pages that follow each other in memory from `second` on: what a command's
/// `prp2` names if its data has more than two pages. `list` has room for them, 512 at most.
inline void write_page_list(std::uint64_t* list, devres::pci::bus_address second, std::size_t pages) noexcept {
    for (std::size_t i = 0; i != pages; ++i)
        list[i] = static_cast<std::uint64_t>(second) + i * page_size;
}

/// Tells a command where its data is: `size` bytes, not none, from `at` on, which is the start of a page. `list` is where
/// the page list of the data is, from its second page on; it is used for more than two pages.
constexpr void set_data(command& of, devres::pci::bus_address at, std::size_t size,
                        devres::pci::bus_address list) noexcept {
    of.prp1 = static_cast<std::uint64_t>(at);
    of.prp2 = size <= page_size       ? 0
              : size <= 2 * page_size ? static_cast<std::uint64_t>(at) + page_size
                                      : static_cast<std::uint64_t>(list);
}

}  // namespace nvme
