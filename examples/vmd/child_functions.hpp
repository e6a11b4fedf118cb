// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <devres/devres.hpp>

#include "child_config.hpp"
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
                const unsigned at = pci::registers::bar + 4 * i;
                if (f.bars[i].size != 0)
                    config_.put(f, at, f.bars_found[i]);
                if (f.bars[i].wide)
                    config_.put(f, at + 4, f.bars_found[i + 1]);
            }
        }
    }

    /// In the order of their addresses.
    [[nodiscard]] std::span<child_function> all() noexcept { return {functions_.data(), functions_.size()}; }

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

    /// Calls `visit` with the device and function number, as bits 7 to 3 and 2 to 0, of each function on
    /// the bus.
    template <class Visit>
    void each_present(Visit visit) const noexcept {
        namespace reg = pci::registers;
        const auto is_there = [&](unsigned devfn) { return config_.is_present(config_.page(devfn)); };
        for (unsigned device = 0; device != 256; device += 8) {
            if (!is_there(device))
                continue;
            visit(device);
            const auto header = config_.template get<std::uint8_t>(config_.page(device), reg::header_type);
            if ((header & reg::header::multifunction) == 0)
                continue;
            for (unsigned devfn = device + 1; devfn != device + 8; ++devfn) {
                if (is_there(devfn))
                    visit(devfn);
            }
        }
    }

    /// `places` is where the next BAR goes in each window.
    void read_function(child_function& f, unsigned devfn, std::span<std::uint64_t, 2> places) const noexcept {
        namespace reg = pci::registers;
        f.config = config_.page(devfn);
        const auto ids = get<std::uint32_t>(f, reg::vendor_id);
        const auto subsystem = get<std::uint32_t>(f, reg::subsystem_vendor_id);
        f.identity = {.vendor = static_cast<std::uint16_t>(ids),
                      .device = static_cast<std::uint16_t>(ids >> 16U),
                      .subsystem_vendor = static_cast<std::uint16_t>(subsystem),
                      .subsystem_device = static_cast<std::uint16_t>(subsystem >> 16U),
                      .class_code = get<std::uint32_t>(f, reg::revision) >> 8U};
        if ((get<std::uint8_t>(f, reg::header_type) & reg::header::layout) != reg::header::device)
            return;  // a bridge: there is nothing on it for a driver here
        read_capabilities(f);
        for (unsigned i = 0; i != pci::bar_count; i += f.bars[i].wide ? 2 : 1)
            place_bar(f, i, places);
    }

    /// Notes where the capabilities are that a driver of a child needs.
    template <class Config>
    struct capability_search {
        const Config& config;
        child_function& f;

        auto read(unsigned offset, unsigned width) const noexcept { return config.read(f.config, offset, width); }
        bool visit(unsigned id, unsigned at) noexcept {
            if (id == pci::registers::capability_id::power_management)
                f.power_management = at;
            if (id == pci::registers::capability_id::msix)
                f.msix = at;
            return false;
        }
    };

    void read_capabilities(child_function& f) const noexcept {
        namespace reg = pci::registers;
        capability_search search{config_, f};
        (void)pci::walk_capabilities(search);  // of a list that breaks off, what comes before counts
        if (f.msix == 0)
            return;
        const auto table = get<std::uint32_t>(f, f.msix + reg::msix::table);
        const auto control = get<std::uint16_t>(f, f.msix + reg::msix::control);
        f.table_size = (control & reg::msix::size) + 1;
        f.table_bar = table & reg::msix::bir;
        f.table_offset = table & ~reg::msix::bir;
        if (f.table_bar >= pci::bar_count)
            f.msix = 0;
    }

    /// Finds out how large a BAR is and gives it an address: 64-bit ones in the second window, others in
    /// the first. One that finds no room stays without, and cannot be mapped.
    void place_bar(child_function& f, unsigned number, std::span<std::uint64_t, 2> places) const noexcept {
        namespace bits = pci::registers::bar_bits;
        auto& bar = f.bars[number];
        const unsigned at = pci::registers::bar + 4 * number;
        const auto found = f.bars_found[number] = get<std::uint32_t>(f, at);
        if ((found & bits::io) != 0)
            return;  // I/O space: there is none behind a VMD
        config_.put(f, at, ~std::uint32_t{0});
        const std::uint32_t low = get<std::uint32_t>(f, at);
        if (low == 0)
            return;
        bar.wide = (low & (bits::io | bits::type)) == bits::wide && number + 1 != pci::bar_count;
        std::uint64_t mask = (low & ~bits::memory_flags) | 0xffff'ffff'0000'0000;
        if (bar.wide) {
            f.bars_found[number + 1] = get<std::uint32_t>(f, at + 4);
            config_.put(f, at + 4, ~std::uint32_t{0});
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
            bar.offset = place - in.address;
            places[bar.window] = place + bar.size;
        }
        config_.put(f, at, static_cast<std::uint32_t>(bar.address));
        if (bar.wide)
            config_.put(f, at + 4, static_cast<std::uint32_t>(bar.address >> 32U));
    }

    template <class T>
    [[nodiscard]] T get(const child_function& f, unsigned offset) const noexcept {
        return config_.template get<T>(f, offset);
    }

    child_config<Parent> config_;
    std::array<window_space, 2> windows_;
    platform_array<child_function> functions_;
};

}  // namespace vmd
