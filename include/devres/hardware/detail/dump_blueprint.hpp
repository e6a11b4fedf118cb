// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <iterator>

#include <devres/hardware/detail/dump_reading.hpp>

namespace devres::hardware::detail {

/// The blueprint of a real function: its own bytes, with what an operating system had set up taken back.
[[nodiscard]] inline blueprint plan(const dumped_function& dump, device_model* model) {
    namespace reg = pci::registers;
    dump_reading reading = read_dump(dump);
    blueprint out;
    out.address = dump.address;
    out.model = model;
    out.notes = std::move(reading.notes);
    out.assigned = true;
    out.present = answers(dump.config);
    if (!out.present) {
        out.config.fill(0xff);
        set_field(out.config, reg::status, 2, 0);
        set_field(out.config, reg::interrupt_pin, 1, 0);
        return out;
    }
    std::copy_n(dump.config.begin(), std::min(dump.config.size(), out.config.size()), out.config.begin());
    std::copy(std::begin(reading.bars), std::end(reading.bars), std::begin(out.bars));

    set_field(out.config, reg::vendor_id, 4, ids_of(dump));
    set_field(out.config, reg::interrupt_pin, 1, pin_of(dump.config));
    set_field(out.config, reg::command, 2, 0);
    const unsigned status = field(out.config, reg::status, 2);
    set_field(out.config, reg::status, 2, status & ~(reg::status_bits::errors | reg::status_bits::interrupt));
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        if (out.bars[i].size == 0)
            continue;
        std::uint32_t low = field(out.config, reg::bar + 4 * i, 4);
        if (low == 0) {  // of Enhanced Allocation, or at a fixed address
            const dumped_bar& said = reading.said[i];
            low = static_cast<std::uint32_t>(said.address) |
                  (said.io ? 1U : (said.wide ? 4U : 0U) | (said.prefetchable ? 8U : 0U));
            if (said.wide)
                set_field(out.config, reg::bar + 4 * i + 4, 4, static_cast<std::uint32_t>(said.address >> 32U));
        }
        const std::uint32_t flags = low & (out.bars[i].io ? 3U : 15U);  // the address loses what the size has not
        set_field(out.config, reg::bar + 4 * i, 4, (low & static_cast<std::uint32_t>(~(out.bars[i].size - 1))) | flags);
    }
    const capability_layout& layout = reading.layout;
    const auto clear = [&](unsigned offset, unsigned width, std::uint32_t mask) {
        set_field(out.config, offset, width, field(out.config, offset, width) & ~mask);
    };
    if (layout.power_management != 0)
        clear(layout.power_management + reg::power_management::control, 2, reg::power_management::state);
    if (layout.msi != 0) {
        clear(layout.msi + reg::msi::control, 2, reg::msi::enable | reg::msi::multiple_enable);
        clear(layout.msi + reg::msi::address, 4, ~0U);
        if (layout.msi_data - layout.msi == 12)
            clear(layout.msi + reg::msi::address + 4, 4, ~0U);
        clear(layout.msi_data, 2, ~0U);
        if (layout.msi_mask != 0) {
            clear(layout.msi_mask, 4, ~0U);
            clear(layout.msi_mask + 4, 4, ~0U);
        }
    }
    if (layout.msix != 0)
        clear(layout.msix + reg::msix::control, 2, reg::msix::enable | reg::msix::function_mask);
    const auto leave_out = [&](unsigned capability_layout::* which) {  // it becomes a null capability
        while (const unsigned at = capability_layout::of(out.config).*which)
            set_field(out.config, at, 1, 0);
    };
    if (layout.msi == 0)
        leave_out(&capability_layout::msi);
    if (layout.msix == 0)
        leave_out(&capability_layout::msix);
    return out;
}

}  // namespace devres::hardware::detail
