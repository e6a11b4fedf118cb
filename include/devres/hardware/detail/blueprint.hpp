// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <devres/core/detail/exceptions.hpp>
#include <devres/hardware/capabilities.hpp>
#include <devres/hardware/config_space.hpp>
#include <devres/hardware/function_config.hpp>
#include <devres/hardware/msix_table.hpp>

namespace devres::hardware::detail {

/// The address space that a BAR asks for.
struct bar_window {
    std::uint64_t size = 0;
    bool io = false;
    bool wide = false;
};

/// A function before it is on a bus: what it says about itself, and how large it is.
struct blueprint {
    pci::address address = next_free_address;
    device_model* model = nullptr;
    std::array<std::uint8_t, config_space::size> config{};
    bar_window bars[pci::bar_count]{};
    std::vector<std::string> notes;
    bool assigned = false;  // the BARs have addresses already
    bool present = true;
};

[[noreturn]] inline void impossible(const char* field, std::uint64_t value, const char* right) {
    devres::detail::raise<std::invalid_argument>(std::string("function_config.") + field + " is " +
                                                 std::to_string(value) + ": " + right);
}

inline void choose_bars(const function_config& from, bar_window (&bars)[pci::bar_count]) {
    for (unsigned i = 0; i != pci::bar_count; ++i) {
        const std::uint64_t size = from.bar_sizes[i];
        if (size == 0)
            continue;
        const std::string name = "bar_sizes[" + std::to_string(i) + "]";
        const bool io = (from.io_bars >> i & 1U) != 0;
        if (!std::has_single_bit(size) || (size < 16 && !io))
            impossible(name.c_str(), size, "must be 0 or a power of two, at least 16 but for I/O");
        bars[i] = {.size = size, .io = io, .wide = (from.wide_bars >> i & 1U) != 0 || size > 0x8000'0000U};
        if (bars[i].io && (bars[i].wide || size > 0x1'0000))
            impossible(name.c_str(), size, "an I/O BAR is not a 64-bit one and has at most 65536 bytes");
        if (bars[i].wide && (i + 1 == pci::bar_count || from.bar_sizes[i + 1] != 0))
            impossible(name.c_str(), size,
                       "a 64-bit BAR (all above 2 GiB are) takes the next one too, which must be 0");
    }
}

/// Where the MSI-X table and its pending bits are.
struct msix_place {
    unsigned table_bar = 0;
    std::uint64_t table_offset = 0;
    unsigned pba_bar = 0;
    std::uint64_t pba_offset = 0;
};

inline bool taken(const bar_window (&bars)[pci::bar_count], unsigned bar) {
    return bars[bar].size != 0 || (bar != 0 && bars[bar - 1].wide);
}

/// Checks that `bytes` at `offset` fit the BAR, which is made large enough if it is not there yet.
inline void place_in_bar(bar_window (&bars)[pci::bar_count], const char* field, unsigned bar, std::uint64_t offset,
                         std::uint64_t bytes, const std::uint64_t (&given)[pci::bar_count]) {
    if (bar >= pci::bar_count || bars[bar].io || (bar != 0 && bars[bar - 1].wide))
        impossible(field, bar, "must be the number of a memory BAR, 0 to 5");
    if (given[bar] == 0) {
        const std::uint64_t least = std::bit_ceil(offset + bytes);
        bars[bar].size = std::max({bars[bar].size, least, std::uint64_t{4096}});
    } else if (offset + bytes > bars[bar].size) {
        impossible(field, bar, "the MSI-X table and its pending bits do not fit that BAR");
    }
}

inline msix_place choose_msix_place(const function_config& from, bar_window (&bars)[pci::bar_count]) {
    const std::uint64_t table_bytes = std::uint64_t{from.msix_vectors} * msix_table::entry_size;
    const std::uint64_t pba_bytes = (from.msix_vectors + std::uint64_t{63}) / 64 * 8;
    msix_place out;
    if (from.msix_table_bar) {
        out.table_bar = *from.msix_table_bar;
    } else {
        out.table_bar = pci::bar_count;
        for (const unsigned bar : {4U, 5U, 3U, 2U, 1U, 0U}) {
            if (!taken(bars, bar)) {
                out.table_bar = bar;
                break;
            }
        }
        if (out.table_bar == pci::bar_count)
            impossible("msix_vectors", from.msix_vectors,
                       "no BAR is left for the MSI-X table: leave one free or say msix_table_bar");
    }
    out.table_offset = from.msix_table_offset;
    out.pba_bar = from.msix_pba_bar.value_or(out.table_bar);
    out.pba_offset = from.msix_pba_offset.value_or(
        out.pba_bar == out.table_bar ? static_cast<std::uint32_t>(out.table_offset + table_bytes) : 0);
    if (out.table_offset % 8 != 0)
        impossible("msix_table_offset", out.table_offset, "must be a multiple of 8");
    if (out.pba_offset % 8 != 0)
        impossible("msix_pba_offset", out.pba_offset, "must be a multiple of 8");
    place_in_bar(bars, "msix_table_bar", out.table_bar, out.table_offset, table_bytes, from.bar_sizes);
    place_in_bar(bars, "msix_pba_bar", out.pba_bar, out.pba_offset, pba_bytes, from.bar_sizes);
    if (out.pba_bar == out.table_bar && out.pba_offset < out.table_offset + table_bytes &&
        out.table_offset < out.pba_offset + pba_bytes)
        impossible("msix_pba_offset", out.pba_offset, "the pending bits overlap the MSI-X table");
    return out;
}

/// Writes the registers of a function, the capability list last to first.
class config_writer {
public:
    explicit config_writer(std::span<std::uint8_t> config) noexcept : config_(config) {}

    void put(unsigned offset, unsigned width, std::uint32_t value) noexcept {
        set_field(config_, offset, width, value);
    }

    /// Appends a capability of `size` bytes. @returns its offset.
    unsigned capability(unsigned id, unsigned size) noexcept {
        const unsigned at = next_;
        put(link_, 1, at);
        put(at, 1, id);
        link_ = at + 1;
        next_ = (at + size + 7) / 8 * 8;
        return at;
    }

private:
    std::span<std::uint8_t> config_;
    unsigned link_ = pci::registers::capabilities;
    unsigned next_ = pci::registers::first_capability;
};

inline void put_capabilities(const function_config& from, const msix_place& msix, config_writer& out) {
    namespace id = pci::registers::capability_id;
    if (from.power_management) {
        const unsigned at = out.capability(id::power_management, 8);
        out.put(at + pci::registers::power_management::capabilities, 2,
                3U | from.wakes_from * pci::registers::power_management::pme_from);  // version 1.2
        out.put(at + pci::registers::power_management::control, 2,
                from.no_soft_reset ? pci::registers::power_management::no_soft_reset : 0U);
    }
    if (from.msi_vectors != 0) {
        const unsigned at = out.capability(id::msi, 10 + (from.msi_wide ? 4U : 0U) + (from.msi_maskable ? 10U : 0U));
        out.put(at + pci::registers::msi::control, 2,
                static_cast<unsigned>(std::countr_zero(from.msi_vectors)) << pci::registers::msi::capable_shift |
                    (from.msi_wide ? pci::registers::msi::wide : 0U) |
                    (from.msi_maskable ? pci::registers::msi::maskable : 0U));
    }
    if (from.msix_vectors != 0) {
        const unsigned at = out.capability(id::msix, 12);
        out.put(at + pci::registers::msix::control, 2, from.msix_vectors - 1);
        out.put(at + pci::registers::msix::table, 4, static_cast<std::uint32_t>(msix.table_offset) | msix.table_bar);
        out.put(at + pci::registers::msix::pba, 4, static_cast<std::uint32_t>(msix.pba_offset) | msix.pba_bar);
    }
    if (from.pcie) {
        const unsigned at = out.capability(id::pcie, 60);
        out.put(at + 2, 2, 2);  // version 2, an endpoint
        out.put(at + pci::registers::pcie::device_capabilities, 4,
                pci::registers::pcie::function_level_reset_capable | 1U << 15U);
        out.put(at + 12, 4, 0x11);  // link: 2.5 GT/s, x1
        out.put(at + 18, 2, 0x11);
        out.put(pci::registers::first_extended_capability, 4, 0x0001'0003);  // serial number, and the end of the list
        out.put(pci::registers::first_extended_capability + 4, 4, 0x0001'0000U | from.device);
        out.put(pci::registers::first_extended_capability + 8, 4, from.vendor);
    }
    if (!from.vendor_capability.empty()) {
        const auto size = static_cast<unsigned>(from.vendor_capability.size()) + 3;
        const unsigned at = out.capability(id::vendor_specific, size);
        out.put(at + 2, 1, size);
        for (unsigned i = 0; i != from.vendor_capability.size(); ++i)
            out.put(at + 3 + i, 1, from.vendor_capability[i]);
    }
}

/// The blueprint of a function_config. @throws std::invalid_argument if there can be no such function
[[nodiscard]] inline blueprint plan(const function_config& from) {
    if (from.msix_vectors > msix_table::max_entries)
        impossible("msix_vectors", from.msix_vectors, "must be 0 to 2048");
    if (from.msi_vectors != 0 && (!std::has_single_bit(from.msi_vectors) || from.msi_vectors > 32))
        impossible("msi_vectors", from.msi_vectors, "must be 0, 1, 2, 4, 8, 16 or 32");
    if (from.class_code > 0xff'ffff)
        impossible("class_code", from.class_code, "must have 24 bits");
    if (from.vendor_capability.size() > 77)  // what the other capabilities leave of the first 256 bytes
        impossible("vendor_capability.size()", from.vendor_capability.size(), "must be 0 to 77");

    blueprint out;
    out.address = from.address;
    out.model = from.model;
    choose_bars(from, out.bars);
    const msix_place msix = from.msix_vectors != 0 ? choose_msix_place(from, out.bars) : msix_place{};

    config_writer config(out.config);
    config.put(pci::registers::vendor_id, 2, from.vendor);
    config.put(pci::registers::device_id, 2, from.device);
    config.put(pci::registers::status, 2, pci::registers::status_bits::capabilities);
    config.put(pci::registers::revision, 4, from.class_code << 8U | from.revision);
    config.put(pci::registers::subsystem_vendor_id, 2, from.subsystem_vendor);
    config.put(pci::registers::subsystem_id, 2, from.subsystem_device);
    config.put(pci::registers::interrupt_pin, 1, from.intx ? 1 : 0);
    put_capabilities(from, msix, config);
    return out;
}

}  // namespace devres::hardware::detail
