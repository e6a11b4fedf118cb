// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <devres/sim/blueprint.hpp>
#include <devres/sim/capabilities.hpp>
#include <devres/sim/text.hpp>

namespace devres::sim {

/// A function of a real machine: its address and its configuration space, as far as somebody wrote it down.
struct dumped_function {
    pci::address address;
    std::string description;                                 ///< what lspci said of it
    unsigned line = 0;                                       ///< of the text, where it begins; 0 if it comes from sysfs
    std::vector<std::uint8_t> config;                        ///< the 64, 128, 256 or 4096 bytes that are known
    std::optional<std::uint64_t> bar_sizes[pci::bar_count];  ///< where the source says them

    /// The same as a description, without the bytes of capabilities that a description has no words for.
    [[nodiscard]] function_config to_config(device_model* model = nullptr) const;

    /// What a bus has to choose because the dump does not say it, a line each:
    /// `BAR 0: size not in the dump, chosen 16 KiB (MSI-X needs 0x2410 bytes)`.
    [[nodiscard]] std::vector<std::string> assumptions() const;
};

namespace detail {

/// What a dump says of a function's BARs and MSI-X table, and what has to be chosen.
struct dump_reading {
    bar_window bars[pci::bar_count]{};
    capability_layout layout;
    unsigned msix_vectors = 0;
    msix_place msix;
    std::vector<std::string> notes;
};

/// The type bits of a BAR, and where the address that it holds could begin a region.
struct bar_value {
    bool used = false;
    bool io = false;
    bool wide = false;
    std::uint64_t address = 0;
};

[[nodiscard]] inline std::array<bar_value, pci::bar_count> bars_of(std::span<const std::uint8_t> config) {
    std::array<bar_value, pci::bar_count> out{};
    const unsigned header = field(config, registers::header_type, 1) & 0x7fU;
    const unsigned bars = header == 0 ? 6 : header == 1 ? 2 : 0;
    for (unsigned i = 0; i != bars; ++i) {
        const std::uint32_t low = field(config, registers::bar + 4 * i, 4);
        out[i] = {.used = low != 0, .io = (low & 1U) != 0, .wide = (low & 7U) == 4 && i + 1 != bars};
        out[i].address = out[i].io ? low & ~3U : low & ~15U;
        if (out[i].wide) {
            out[i].address |= std::uint64_t{field(config, registers::bar + 4 * i + 4, 4)} << 32U;
            ++i;  // the upper half is no BAR of its own
        }
    }
    return out;
}

inline void read_msix(std::span<const std::uint8_t> config, const std::array<bar_value, pci::bar_count>& values,
                      dump_reading& out, std::uint64_t (&needed)[pci::bar_count]) {
    namespace msix = registers::msix;
    if (out.layout.msix == 0)
        return;
    const std::uint32_t table = field(config, out.layout.msix + msix::table, 4);
    const std::uint32_t pba = field(config, out.layout.msix + msix::pba, 4);
    const unsigned vectors = (field(config, out.layout.msix + msix::control, 2) & msix::size) + 1;
    out.msix = {table & msix::bir, table & ~msix::bir, pba & msix::bir, pba & ~msix::bir};
    const unsigned header = field(config, registers::header_type, 1) & 0x7fU;
    for (const unsigned bar : {out.msix.table_bar, out.msix.pba_bar}) {
        if (bar >= (header == 0 ? 6U : 2U) || values[bar].io || (bar != 0 && values[bar - 1].wide)) {
            out.notes.push_back("MSI-X: left out, its table or pending bits are in BAR " + std::to_string(bar) +
                                ", which is no memory BAR");
            out.layout.msix = 0;
            return;
        }
    }
    out.msix_vectors = vectors;
    const std::uint64_t table_end = out.msix.table_offset + std::uint64_t{vectors} * msix_table::entry_size;
    const std::uint64_t pba_end = out.msix.pba_offset + (vectors + std::uint64_t{63}) / 64 * 8;
    needed[out.msix.table_bar] = std::max(needed[out.msix.table_bar], table_end);
    needed[out.msix.pba_bar] = std::max(needed[out.msix.pba_bar], pba_end);
}

/// The size of a BAR, where the source does not say: a page, more if MSI-X needs it, less if the address is not
/// aligned to that.
[[nodiscard]] inline std::uint64_t choose_size(const bar_value& value, std::uint64_t needed) {
    const std::uint64_t alignment = value.address == 0 ? 0 : std::uint64_t{1} << std::countr_zero(value.address);
    std::uint64_t size = value.io ? 256 : 4096;
    if (alignment != 0)
        size = std::min(size, alignment);
    return std::max({size, std::uint64_t{16}, needed == 0 ? 0 : std::bit_ceil(needed)});
}

/// A device that is not in its slot, or does not answer, reads as all ones.
[[nodiscard]] inline bool answers(std::span<const std::uint8_t> config) noexcept {
    return field(config, registers::vendor_id, 4) != ~0U || field(config, registers::header_type, 1) != 0xff;
}

/// Vendor and device, the vendor in the low half. A virtual function has all ones there; what lspci -nn says of it
/// is at the end of the description: "... [1b36:0010] (rev 02)".
[[nodiscard]] inline std::uint32_t ids_of(const dumped_function& dump) {
    const std::uint32_t ids = field(dump.config, registers::vendor_id, 4);
    const std::size_t open = dump.description.rfind('[');
    if (ids != ~0U || open == std::string::npos)
        return ids;
    unsigned vendor = 0;
    unsigned device = 0;
    int end = 0;
    const int read = std::sscanf(dump.description.c_str() + open, "[%4x:%4x]%n", &vendor, &device, &end);
    return read == 2 && end == 11 ? device << 16U | vendor : ids;
}

[[nodiscard]] inline dump_reading read_dump(const dumped_function& dump) {
    dump_reading out;
    if (!answers(dump.config)) {
        out.notes.emplace_back("the device did not answer (all ones): it is not in its slot");
        return out;
    }
    if (field(dump.config, registers::vendor_id, 4) == ~0U)
        out.notes.emplace_back(ids_of(dump) == ~0U
                                   ? "ids: a virtual function does not have them, and lspci -nn was not used"
                                   : "ids: taken from the text, a virtual function does not have them");
    if (dump.config.size() < 256)
        out.notes.push_back("capabilities: the dump has " + std::to_string(dump.config.size()) +
                            " bytes, so MSI and MSI-X are not in it");
    out.layout = capability_layout::of(dump.config);
    const auto values = bars_of(dump.config);
    std::uint64_t needed[pci::bar_count]{};
    read_msix(dump.config, values, out, needed);
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        const auto& said = dump.bar_sizes[i];
        if (said ? *said == 0 && needed[i] == 0 : !values[i].used && needed[i] == 0)
            continue;
        bar_window& bar = out.bars[i];
        bar = {.size = 0, .io = values[i].io, .wide = values[i].wide};
        const std::string name = "BAR " + std::to_string(i) + ": ";
        if (said && std::has_single_bit(*said) && *said >= std::max(needed[i], std::uint64_t{16})) {
            bar.size = *said;
            continue;
        }
        bar.size = choose_size(values[i], needed[i]);
        const std::string size = "chosen " + bytes_text(bar.size);
        const std::string why = needed[i] == 0 ? "" : " (MSI-X needs " + hex(needed[i]) + " bytes)";
        if (said)
            out.notes.push_back(name + "its size cannot be " + bytes_text(*said) + ", " + size + why);
        else
            out.notes.push_back(name + "size not in the dump, " + size + why);
    }
    return out;
}

/// The blueprint of a real function: its own bytes, with what an operating system had set up taken back.
[[nodiscard]] inline blueprint plan(const dumped_function& dump, device_model* model) {
    namespace reg = registers;
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
    set_field(out.config, reg::command, 2, 0);
    const unsigned status = field(out.config, reg::status, 2);
    set_field(out.config, reg::status, 2, status & ~(reg::status_bits::errors | reg::status_bits::interrupt));
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        if (out.bars[i].size == 0)
            continue;
        const std::uint32_t low = field(out.config, reg::bar + 4 * i, 4);
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
    if (const unsigned msix = capability_layout::of(out.config).msix; msix != 0)
        clear(msix + reg::msix::control, 2, reg::msix::enable | reg::msix::function_mask);
    out.without_msix = layout.msix == 0;
    return out;
}

}  // namespace detail

inline std::vector<std::string> dumped_function::assumptions() const { return detail::read_dump(*this).notes; }

inline function_config dumped_function::to_config(device_model* model) const {
    const detail::dump_reading reading = detail::read_dump(*this);
    const auto word = [&](unsigned offset, unsigned width) { return detail::field(config, offset, width); };
    function_config out;
    out.vendor = static_cast<std::uint16_t>(detail::ids_of(*this));
    out.device = static_cast<std::uint16_t>(detail::ids_of(*this) >> 16U);
    out.class_code = word(registers::revision, 4) >> 8U;
    out.revision = static_cast<std::uint8_t>(word(registers::revision, 1));
    out.intx = word(registers::interrupt_pin, 1) != 0 && word(registers::interrupt_pin, 1) <= 4;
    out.model = model;
    out.address = address;
    if ((word(registers::header_type, 1) & 0x7fU) == 0) {
        out.subsystem_vendor = static_cast<std::uint16_t>(word(registers::subsystem_vendor_id, 2));
        out.subsystem_device = static_cast<std::uint16_t>(word(registers::subsystem_id, 2));
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
        const unsigned control = word(reading.layout.msi + registers::msi::control, 2);
        out.msi_vectors = 1U << std::min(control >> registers::msi::capable_shift & 7U, 5U);
        out.msi_wide = (control & registers::msi::wide) != 0;
        out.msi_maskable = (control & registers::msi::maskable) != 0;
    }
    out.pcie = reading.layout.pcie != 0;
    return out;
}

}  // namespace devres::sim
