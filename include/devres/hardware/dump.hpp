// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <devres/hardware/detail/dump_reading.hpp>
#include <devres/hardware/detail/dumped_function.hpp>

/// A function of a real machine, as somebody wrote it down: what its dump says, and what has to be chosen.
namespace devres::hardware {

inline std::array<dumped_bar, pci::bar_count> dumped_function::bars() const { return detail::read_dump(*this).said; }

inline std::vector<std::string> dumped_function::assumptions() const { return detail::read_dump(*this).notes; }

inline capability_state dumped_function::msi() const {
    return capability_of(config, detail::msi_capability.id, detail::msi_capability.bytes);
}

inline capability_state dumped_function::msix() const {
    return capability_of(config, detail::msix_capability.id, detail::msix_capability.bytes);
}

inline function_config dumped_function::to_config(device_model* model) const {
    const detail::dump_reading reading = detail::read_dump(*this);
    const auto word = [&](unsigned offset, unsigned width) { return detail::field(config, offset, width); };
    function_config out;
    out.vendor = static_cast<std::uint16_t>(detail::ids_of(*this));
    out.device = static_cast<std::uint16_t>(detail::ids_of(*this) >> 16U);
    out.class_code = word(pci::registers::revision, 4) >> 8U;
    out.revision = static_cast<std::uint8_t>(word(pci::registers::revision, 1));
    out.intx = detail::pin_of(config) != 0;
    out.model = model;
    out.address = address;
    if ((word(pci::registers::header_type, 1) & 0x7fU) == 0) {
        out.subsystem_vendor = static_cast<std::uint16_t>(word(pci::registers::subsystem_vendor_id, 2));
        out.subsystem_device = static_cast<std::uint16_t>(word(pci::registers::subsystem_id, 2));
    }
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        out.bar_sizes[i] = reading.bars[i].size;
        out.io_bars |= reading.bars[i].io ? 1U << i : 0;
        out.wide_bars |= reading.bars[i].wide && reading.bars[i].size != 0 ? 1U << i : 0;
    }
    if (reading.layout.msix != 0) {
        out.msix_vectors = reading.msix_vectors;
        out.msix_table_bar = reading.msix.table_bar;
        out.msix_table_offset = static_cast<std::uint32_t>(reading.msix.table_offset);
        out.msix_pba_bar = reading.msix.pba_bar;
        out.msix_pba_offset = static_cast<std::uint32_t>(reading.msix.pba_offset);
    }
    if (reading.layout.msi != 0) {
        const unsigned control = word(reading.layout.msi + pci::registers::msi::control, 2);
        out.msi_vectors = 1U << std::min(control >> pci::registers::msi::capable_shift & 7U, 5U);
        out.msi_wide = (control & pci::registers::msi::wide) != 0;
        out.msi_maskable = (control & pci::registers::msi::maskable) != 0;
    }
    out.pcie = reading.layout.pcie != 0;
    return out;
}

}  // namespace devres::hardware
