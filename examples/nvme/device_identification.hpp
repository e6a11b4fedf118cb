// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <devres/sim.hpp>

#include "commands.hpp"
#include "device_memory.hpp"
#include "identification.hpp"
#include "simulated_namespace.hpp"

namespace nvme {

/// What a simulated controller with one namespace says of itself and of that: executes an Identify command.
[[nodiscard]] inline status identify(devres::sim::function& self, const command& what, std::uint8_t max_transfer,
                                     const simulated_namespace& blocks) {
    identify_page page;
    switch (static_cast<identify_what>(what.cdw10[0] & 0xffU)) {
    case identify_what::of_controller:
        page.set<std::uint16_t>(0, 0x1b36);
        page.set_text(identify_page::serial_number, 20, "devres-1");
        page.set_text(identify_page::model_number, 40, "simulated NVMe controller");
        page.set_text(identify_page::firmware, 8, "1.0");
        page.set(identify_page::max_transfer, max_transfer);
        page.set<std::uint32_t>(identify_page::namespaces, 1);
        break;
    case identify_what::active_namespaces: page.set(0, simulated_namespace::id); break;
    case identify_what::of_namespace:
        if (what.nsid != simulated_namespace::id)
            return status::invalid_namespace;
        blocks.describe(page);
        break;
    default: return status::invalid_field;
    }
    return each_piece(self, what, identify_page::size,
                      [&](devres::pci::bus_address at, std::size_t offset, std::size_t size) {
                          return self.dma_write(at, page.bytes().data() + offset, size);
                      });
}

}  // namespace nvme
