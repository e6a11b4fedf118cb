// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <devres/hardware/capabilities.hpp>
#include <devres/hardware/detail/blueprint.hpp>
#include <devres/hardware/detail/dumped_function.hpp>
#include <devres/hardware/detail/enhanced_allocation.hpp>
#include <devres/hardware/detail/text.hpp>

/// What a dump says of a function, and what has to be chosen because it does not.
namespace devres::hardware::detail {

/// What a dump says of a function's BARs and MSI-X table, and what has to be chosen.
struct dump_reading {
    bar_window bars[pci::bar_count]{};
    std::array<dumped_bar, pci::bar_count> said{};
    capability_layout layout;
    unsigned msix_vectors = 0;
    msix_place msix;
    std::vector<std::string> notes;
};

/// A capability to interrupt, and how much of it must be known to make something of it.
struct interrupt_capability {
    const char* name;
    unsigned id;
    unsigned bytes;
};
inline constexpr interrupt_capability msi_capability{"MSI", pci::registers::capability_id::msi, 4};
inline constexpr interrupt_capability msix_capability{"MSI-X", pci::registers::capability_id::msix, 12};

/// How many BARs a function has by its header type.
[[nodiscard]] inline unsigned bar_registers(std::span<const std::uint8_t> config) noexcept {
    namespace header = pci::registers::header;
    const unsigned layout = field(config, pci::registers::header_type, 1) & header::layout;
    return layout == header::device ? 6 : layout == header::bridge ? 2 : layout == header::cardbus ? 1 : 0;
}

/// What the BARs' registers say, and Enhanced Allocation where they are zero.
[[nodiscard]] inline std::array<dumped_bar, pci::bar_count> bars_of(std::span<const std::uint8_t> config) {
    std::array<dumped_bar, pci::bar_count> out{};
    const unsigned bars = bar_registers(config);
    for (unsigned i = 0; i != bars; ++i) {
        const std::uint32_t low = field(config, pci::registers::bar + 4 * i, 4);
        dumped_bar& bar = out[i];
        bar = {.used = low != 0, .io = (low & 1U) != 0, .wide = (low & 7U) == 4 && i + 1 != bars};
        bar.prefetchable = !bar.io && (low & 8U) != 0;
        bar.address = bar.io ? low & ~3U : low & ~15U;
        if (bar.wide) {
            bar.address |= std::uint64_t{field(config, pci::registers::bar + 4 * i + 4, 4)} << 32U;
            ++i;  // the upper half is no BAR of its own
        }
    }
    unsigned at = 0;
    (void)walk_capabilities(config, [&](unsigned id, unsigned offset) {
        if (id == pci::registers::capability_id::enhanced_allocation && at == 0)
            at = offset;
    });
    if (at == 0)
        return out;
    const auto fixed = enhanced_allocation(config, at);
    for (unsigned i = 0; i != bars; ++i) {
        if (!fixed[i] || out[i].used || (i != 0 && out[i - 1].wide))
            continue;
        const bool wide = fixed[i]->wide && !fixed[i]->io && i + 1 != bars && !out[i + 1].used && !fixed[i + 1];
        out[i] = {.used = true,
                  .io = fixed[i]->io,
                  .wide = wide,
                  .prefetchable = fixed[i]->prefetchable,
                  .address = fixed[i]->address,
                  .size = fixed[i]->size};
    }
    return out;
}

inline void read_msix(std::span<const std::uint8_t> config, const std::array<dumped_bar, pci::bar_count>& values,
                      dump_reading& out, std::uint64_t (&needed)[pci::bar_count]) {
    namespace msix = pci::registers::msix;
    if (out.layout.msix == 0)
        return;
    const std::uint32_t table = field(config, out.layout.msix + msix::table, 4);
    const std::uint32_t pba = field(config, out.layout.msix + msix::pba, 4);
    const unsigned vectors = (field(config, out.layout.msix + msix::control, 2) & msix::size) + 1;
    out.msix = {table & msix::bir, table & ~msix::bir, pba & msix::bir, pba & ~msix::bir};
    for (const unsigned bar : {out.msix.table_bar, out.msix.pba_bar}) {
        if (bar >= bar_registers(config) || values[bar].io || (bar != 0 && values[bar - 1].wide)) {
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
[[nodiscard]] inline std::uint64_t choose_size(const dumped_bar& value, std::uint64_t needed) {
    const std::uint64_t alignment = value.address == 0 ? 0 : std::uint64_t{1} << std::countr_zero(value.address);
    std::uint64_t size = value.io ? 256 : 4096;
    if (alignment != 0)
        size = std::min(size, alignment);
    return std::max({size, std::uint64_t{value.io ? 4U : 16U}, needed == 0 ? 0 : std::bit_ceil(needed)});
}

/// A device that sleeps in D3cold, or is not in its slot, reads as all ones.
[[nodiscard]] inline bool answers(std::span<const std::uint8_t> config) noexcept {
    return field(config, pci::registers::vendor_id, 4) != ~0U || field(config, pci::registers::header_type, 1) != 0xff;
}

/// Four hexadecimal digits at `at`, where no fifth follows.
[[nodiscard]] inline std::optional<std::uint32_t> four_digits(std::string_view text, std::size_t at) noexcept {
    if (at > text.size() || text.size() - at < 4 || (text.size() - at > 4 && hex_digit(text[at + 4]) >= 0))
        return std::nullopt;
    std::uint32_t out = 0;
    for (std::size_t i = at; i != at + 4; ++i) {
        if (hex_digit(text[i]) < 0)
            return std::nullopt;
        out = out << 4U | static_cast<std::uint32_t>(hex_digit(text[i]));
    }
    return out;
}

/// The ids that lspci says: "... [1b36:0010]" (-nn, the last), "0108: 1b36:0010" (-n), or in the quotes of -m and -vmm.
[[nodiscard]] inline std::optional<std::uint32_t> said_ids(std::string_view text) {
    const auto pair = [&](std::size_t at) -> std::optional<std::uint32_t> {
        const auto vendor = four_digits(text, at);
        const auto device = at + 5 <= text.size() && text[at + 4] == ':' ? four_digits(text, at + 5) : std::nullopt;
        return vendor && device ? std::optional(*device << 16U | *vendor) : std::nullopt;
    };
    for (std::size_t open = text.rfind('['); open != std::string_view::npos && text.size() - open > 10;
         open = open == 0 ? std::string_view::npos : text.rfind('[', open - 1)) {
        if (const auto found = pair(open + 1); found && text[open + 10] == ']')
            return found;
    }
    if (text.starts_with("Class "))
        text.remove_prefix(6);
    if (four_digits(text, 0) && text.size() > 6 && text[4] == ':' && text[5] == ' ')
        return pair(6);
    std::array<std::optional<std::uint32_t>, 3> quoted{};  // class, vendor, device
    std::size_t at = 0;
    for (auto& id : quoted) {
        const std::size_t open = text.find('"', at);
        const std::size_t close = open == std::string_view::npos ? open : text.find('"', open + 1);
        if (close == std::string_view::npos)
            return std::nullopt;
        const std::string_view word = text.substr(open + 1, close - open - 1);
        if (word.size() == 4)
            id = four_digits(word, 0);
        else if (word.size() > 6 && word.ends_with(']') && word[word.size() - 6] == '[')
            id = four_digits(word.substr(0, word.size() - 1), word.size() - 5);
        at = close + 1;
    }
    return quoted[1] && quoted[2] ? std::optional(*quoted[2] << 16U | *quoted[1]) : std::nullopt;
}

/// Vendor and device, the vendor in the low half. A virtual function has all ones there, and so has one that did not answer;
/// the text may say them.
[[nodiscard]] inline std::uint32_t ids_of(const dumped_function& dump) {
    const std::uint32_t ids = field(dump.config, pci::registers::vendor_id, 4);
    return ids != ~0U ? ids : said_ids(dump.description).value_or(ids);
}

/// The interrupt pin, 1 to 4; 0 for none, as which a reserved value counts.
[[nodiscard]] inline unsigned pin_of(std::span<const std::uint8_t> config) noexcept {
    const unsigned pin = field(config, pci::registers::interrupt_pin, 1);
    return pin <= 4 ? pin : 0;
}

inline void read_bars(const dumped_function& dump, const std::uint64_t (&needed)[pci::bar_count], dump_reading& out) {
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        dumped_bar& value = out.said[i];
        const auto size = dump.bar_sizes[i] ? dump.bar_sizes[i] : value.size;
        if (size ? *size == 0 && needed[i] == 0 : !value.used && needed[i] == 0)
            continue;
        if (!value.used)
            value.io = (dump.io_bars >> i & 1U) != 0;
        value.used = value.used || size;
        bar_window& bar = out.bars[i];
        bar = {.size = 0, .io = value.io, .wide = value.wide};
        const std::string name = "BAR " + std::to_string(i) + ": ";
        if (size && std::has_single_bit(*size) && *size >= std::max(needed[i], std::uint64_t{value.io ? 1U : 16U})) {
            bar.size = *size;
            value.size = size;
            continue;
        }
        bar.size = choose_size(value, needed[i]);
        const bool rounded = size && *size > needed[i] && *size >= 16 && *size <= std::uint64_t{1} << 62U;
        if (rounded)
            bar.size = std::bit_ceil(*size);
        const std::string chosen = "chosen " + bytes_text(bar.size);
        const std::string why = needed[i] == 0 ? "" : " (MSI-X needs " + hex(needed[i]) + " bytes)";
        if (rounded)
            out.notes.push_back(name + "has " + bytes_text(*size) + ", no power of two, " + chosen);
        else if (size)
            out.notes.push_back(name + "its size cannot be " + bytes_text(*size) + ", " + chosen + why);
        else
            out.notes.push_back(name + "size not in the dump, " + chosen + why);
    }
}

/// Capabilities that the bytes do not reach, or not wholly.
inline void note_what_is_cut(std::span<const std::uint8_t> config, std::vector<std::string>& notes) {
    const std::string bytes = std::to_string(config.size()) + " bytes of the dump";
    const auto state_of = [&](const interrupt_capability& each) { return capability_of(config, each.id, each.bytes); };
    std::string unknown;
    for (const interrupt_capability& each : {msi_capability, msix_capability}) {
        if (state_of(each) == capability_state::cut)
            notes.push_back(std::string(each.name) + ": its capability is cut off, it goes on behind the " + bytes);
        else if (state_of(each) == capability_state::unknown)
            unknown.append(unknown.empty() ? "" : " and ").append(each.name);
    }
    if (capabilities_go_on(config))
        notes.push_back("capabilities: they go on behind the " + bytes +
                        (unknown.empty() ? "" : ", where " + unknown + " may be"));
}

[[nodiscard]] inline dump_reading read_dump(const dumped_function& dump) {
    dump_reading out;
    out.notes = dump.notes;
    if (!answers(dump.config)) {
        out.notes.emplace_back("the device did not answer (all ones): asleep in D3cold, or not in its slot");
        return out;
    }
    if (field(dump.config, pci::registers::vendor_id, 4) == ~0U)
        out.notes.emplace_back(ids_of(dump) == ~0U
                                   ? "ids: a virtual function does not have them, and lspci -n or -nn was not used"
                                   : "ids: taken from the text, a virtual function does not have them");
    if (const unsigned pin = field(dump.config, pci::registers::interrupt_pin, 1); pin != pin_of(dump.config))
        out.notes.push_back("INTx: pin " + std::to_string(pin) + " is reserved, taken for none");
    note_what_is_cut(dump.config, out.notes);
    out.layout = capability_layout::of(dump.config);
    if (const auto fault = walk_capabilities(dump.config, [](unsigned, unsigned) {}))
        out.notes.push_back(fault->reason + " (offset " + hex(fault->offset) + "), what comes before counts");
    out.said = bars_of(dump.config);
    std::uint64_t needed[pci::bar_count]{};
    read_msix(dump.config, out.said, out, needed);
    read_bars(dump, needed, out);
    return out;
}

}  // namespace devres::hardware::detail
