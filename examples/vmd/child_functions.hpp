// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <devres/devres.hpp>

#include "bar_access.hpp"
#include "child_function.hpp"
#include "platform_array.hpp"

namespace vmd {

/// One of VMD's two windows to the BARs of its children, before anything is placed in it.
struct window_space {
    std::uint64_t address = 0;  ///< on the child bus, where the BAR of VMD's begins
    std::size_t first = 0;      ///< what is below belongs to VMD
    std::size_t size = 0;       ///< of the BAR
};

/// The functions behind a VMD, as a scan finds them, with their BARs placed in VMD's windows. A guard: it takes the
/// addresses away again.
template <class Parent>
class child_functions {
public:
    /// Finds the functions on the bus, and places their BARs. `config` is CFGBAR, from the configuration space of
    /// `domain`:`first_bus`:00.0 on.
    /// @returns `enomem`
    [[nodiscard]] static result<child_functions> scan(const devres::memory_hooks& memory,
                                                      const pci::bar_of<Parent>& config, std::uint32_t domain,
                                                      std::uint8_t first_bus,
                                                      const std::array<window_space, 2>& windows) noexcept {
        child_functions made(config, windows);
        std::size_t found = 0;
        made.each_present([&](unsigned) { ++found; });
        DEVRES_TRY(made.functions_, platform_array<child_function>::make(memory, found));
        std::size_t next = 0;
        std::uint64_t places[] = {windows[0].address + windows[0].first, windows[1].address + windows[1].first};
        made.each_present([&](unsigned devfn) {
            if (next == found)
                return;
            child_function& f = made.functions_[next++];
            f.address = pci::address(domain, first_bus, static_cast<std::uint8_t>(devfn / 8),
                                     static_cast<std::uint8_t>(devfn % 8));
            made.read_function(f, devfn, places);
        });
        return made;
    }

    child_functions(child_functions&&) noexcept = default;
    child_functions& operator=(child_functions&&) = delete;
    ~child_functions() {
        for (child_function& f : functions_) {
            for (unsigned i = 0; i != pci::bar_count; ++i) {
                if (f.bars[i].size != 0)
                    put<std::uint32_t>(f, child_config::bar + 4 * i, f.bars_found[i]);
                if (f.bars[i].wide)
                    put<std::uint32_t>(f, child_config::bar + 4 * i + 4, f.bars_found[i + 1]);
            }
        }
    }

    /// In the order of their addresses.
    [[nodiscard]] std::span<child_function> all() noexcept { return {functions_.data(), functions_.size()}; }
    /// Where in its window a BAR is that has found a place.
    [[nodiscard]] std::uint64_t place_in_window(const child_function::bar_space& bar) const noexcept {
        return bar.address - windows_[bar.window].address;
    }

    /// How many interrupts one can have on so many vectors of VMD's, of which it is not offered more.
    [[nodiscard]] static std::size_t irqs_of(const child_function& f, unsigned vectors) noexcept {
        return f.msix == 0 ? 0 : f.table_size < vectors ? f.table_size : vectors;
    }
    /// How many all can have.
    [[nodiscard]] std::size_t irqs_wanted(unsigned vectors) const noexcept {
        std::size_t wanted = 0;
        for (std::size_t i = 0; i != functions_.size(); ++i)
            wanted += irqs_of(functions_[i], vectors);
        return wanted;
    }

private:
    child_functions(const pci::bar_of<Parent>& config, const std::array<window_space, 2>& windows) noexcept
        : config_(config), windows_(windows) {}

    template <class T>
    [[nodiscard]] T get(const child_function& f, unsigned offset) const noexcept {
        return read_register<T>(config_, f.config + offset);
    }
    template <class T>
    void put(const child_function& f, unsigned offset, T value) const noexcept {
        write_register(config_, f.config + offset, value);
    }

    /// Calls `visit` with the device and function number, as bits 7 to 3 and 2 to 0, of each function on
    /// the bus.
    template <class Visit>
    void each_present(Visit visit) const noexcept {
        const auto is_there = [&](unsigned devfn) {
            return config_.read16((std::size_t{devfn} << 12U) + child_config::vendor_id) != 0xffff;
        };
        for (unsigned device = 0; device != 256; device += 8) {
            if (!is_there(device))
                continue;
            visit(device);
            const std::uint8_t header = config_.read8((std::size_t{device} << 12U) + child_config::header_type);
            if ((header & child_config::multifunction) == 0)
                continue;
            for (unsigned devfn = device + 1; devfn != device + 8; ++devfn) {
                if (is_there(devfn))
                    visit(devfn);
            }
        }
    }

    /// `places` is where the next BAR goes in each window.
    void read_function(child_function& f, unsigned devfn, std::span<std::uint64_t, 2> places) const noexcept {
        f.config = std::size_t{devfn} << 12U;
        const auto ids = get<std::uint32_t>(f, child_config::vendor_id);
        const auto subsystem = get<std::uint32_t>(f, child_config::subsystem);
        f.identity = {.vendor = static_cast<std::uint16_t>(ids),
                      .device = static_cast<std::uint16_t>(ids >> 16U),
                      .subsystem_vendor = static_cast<std::uint16_t>(subsystem),
                      .subsystem_device = static_cast<std::uint16_t>(subsystem >> 16U),
                      .class_code = get<std::uint32_t>(f, child_config::class_revision) >> 8U};
        if ((get<std::uint8_t>(f, child_config::header_type) & 0x7fU) != 0)
            return;  // a bridge: there is nothing on it for a driver here
        read_capabilities(f);
        for (unsigned i = 0; i != pci::bar_count; i += f.bars[i].wide ? 2 : 1)
            place_bar(f, i, places);
    }

    void read_capabilities(child_function& f) const noexcept {
        if ((get<std::uint16_t>(f, child_config::status) & child_config::status_capabilities) == 0)
            return;
        unsigned at = get<std::uint8_t>(f, child_config::capabilities) & 0xfcU;
        for (unsigned left = 48; at >= 0x40 && left != 0; --left) {  // more do not fit: a loop
            const unsigned id = get<std::uint8_t>(f, at);
            if (id == child_config::power_management_id)
                f.power_management = at;
            if (id == child_config::msix_id) {
                f.msix = at;
                const auto table = get<std::uint32_t>(f, at + child_config::msix_table);
                const auto control = get<std::uint16_t>(f, at + child_config::msix_control);
                f.table_size = (control & child_config::msix_size) + 1;
                f.table_bar = table & child_config::msix_bir;
                f.table_offset = table & ~child_config::msix_bir;
            }
            at = get<std::uint8_t>(f, at + 1) & 0xfcU;
        }
        if (f.table_bar >= pci::bar_count)
            f.msix = 0;
    }

    /// Finds out how large a BAR is and gives it an address: 64-bit ones in the second window, others in
    /// the first. One that finds no room stays without, and cannot be mapped.
    void place_bar(child_function& f, unsigned number, std::span<std::uint64_t, 2> places) const noexcept {
        auto& bar = f.bars[number];
        const unsigned at = child_config::bar + 4 * number;
        const auto found = f.bars_found[number] = get<std::uint32_t>(f, at);
        if ((found & 1U) != 0)
            return;  // I/O space: there is none behind a VMD
        put(f, at, ~std::uint32_t{0});
        const std::uint32_t low = get<std::uint32_t>(f, at);
        if (low == 0)
            return;
        bar.wide = (low & 7U) == 4 && number + 1 != pci::bar_count;
        std::uint64_t mask = (low & ~std::uint32_t{15}) | 0xffff'ffff'0000'0000;
        if (bar.wide) {
            f.bars_found[number + 1] = get<std::uint32_t>(f, at + 4);
            put(f, at + 4, ~std::uint32_t{0});
            mask = (mask & 0xffff'ffffU) | std::uint64_t{get<std::uint32_t>(f, at + 4)} << 32U;
        }
        bar.size = ~mask + 1;
        bar.window = bar.wide ? 1 : 0;
        const window_space& in = windows_[bar.window];
        const std::uint64_t place = (places[bar.window] + bar.size - 1) & ~(bar.size - 1);
        bar.placed = std::has_single_bit(bar.size) && place - in.address + bar.size <= in.size &&
                     (bar.wide || place + bar.size <= 0x1'0000'0000);
        if (bar.placed) {
            bar.address = place;
            places[bar.window] = place + bar.size;
        }
        put(f, at, static_cast<std::uint32_t>(bar.address));
        if (bar.wide)
            put(f, at + 4, static_cast<std::uint32_t>(bar.address >> 32U));
    }

    pci::bar_of<Parent> config_;
    std::array<window_space, 2> windows_;
    platform_array<child_function> functions_;
};

}  // namespace vmd
