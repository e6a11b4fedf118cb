// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <devres/devres.hpp>

#include "bar_access.hpp"
#include "child_config.hpp"
#include "child_function.hpp"
#include "registers.hpp"

namespace vmd {

/// What of the functions behind a VMD can be reached through its BARs: their configuration spaces, and in its windows
/// their BARs, in which their MSI-X tables are.
template <class Parent>
class child_access {
public:
    child_access(const child_config<Parent>& config, const std::array<pci::bar_of<Parent>, 2>& windows) noexcept
        : config_(config), windows_(windows) {}

    [[nodiscard]] const child_config<Parent>& config() const noexcept { return config_; }
    [[nodiscard]] const pci::bar_of<Parent>& window(unsigned number) const noexcept { return windows_[number]; }

    // MSI-X, of a child that has it, and whose table has a place.

    void enable_msix(const child_function& f, bool on) const noexcept {
        namespace reg = pci::registers::msix;
        const unsigned at = f.msix + reg::control;
        const std::uint32_t others = config_.template get<std::uint16_t>(f, at) & ~(reg::enable | reg::function_mask);
        config_.put(f, at, static_cast<std::uint16_t>(others | (on ? reg::enable : 0)));
    }

    void mask_entry(const child_function& f, unsigned index, bool masked) const noexcept {
        namespace reg = pci::registers::msix;
        put_entry(f, index, reg::entry_control, masked ? reg::entry_masked : 0);
    }
    /// The message of the child's interrupt, by which VMD knows it.
    void write_entry(const child_function& f, unsigned index, bool masked) const noexcept {
        namespace reg = pci::registers::msix;
        put_entry(f, index, reg::entry_address, message::address(f.irqs[index].vector));
        put_entry(f, index, reg::entry_address + 4, 0);
        put_entry(f, index, reg::entry_data, 0);
        mask_entry(f, index, masked);
    }
    void clear_entry(const child_function& f, unsigned index) const noexcept {
        mask_entry(f, index, true);
        put_entry(f, index, pci::registers::msix::entry_address, 0);
    }

private:
    void put_entry(const child_function& f, unsigned index, unsigned where, std::uint32_t value) const noexcept {
        const auto& bar = f.bars[f.table_bar];
        const auto table = static_cast<std::size_t>(bar.offset + f.table_offset);
        const std::size_t entry = std::size_t{index} * pci::registers::msix::entry_size;
        write_register(windows_[bar.window], table + entry + where, value);
    }

    child_config<Parent> config_;
    std::array<pci::bar_of<Parent>, 2> windows_;
};

}  // namespace vmd
