// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include <devres/pci/address.hpp>
#include <devres/pci/enable_count.hpp>

#include "child_interrupts.hpp"

namespace vmd {

/// A function behind VMD. What it is was found by the scan and does not change; what its driver holds is
/// changed by the child bus.
struct child_function {
    static constexpr std::uint32_t nvme_class = 0x010802;

    struct bar_space {
        std::uint64_t size = 0;     ///< 0: no such BAR
        std::uint64_t address = 0;  ///< on the child bus; this and the next two are meaningless unless `placed`
        std::uint64_t offset = 0;   ///< in the window
        unsigned window = 0;        ///< of VMD's, that it is in
        bool wide = false;
        bool placed = false;
        bool mapped = false;
    };
    struct saved_state {
        bool valid = false;
        std::array<std::uint32_t, 16> header{};
    };

    pci::address address;  ///< the domain is VMD's
    pci::device_id identity;
    std::size_t config = 0;  ///< where its configuration space is in CFGBAR

    std::array<bar_space, pci::bar_count> bars{};
    std::array<std::uint32_t, pci::bar_count> bars_found{};  ///< the registers' values before the scan
    unsigned power_management = 0;                           ///< the capability, 0: none
    unsigned msix = 0;                                       ///< the capability, 0: none
    unsigned table_size = 0;
    unsigned table_bar = 0;
    std::uint64_t table_offset = 0;

    std::span<child_irq> irqs;  ///< those it can have
    std::atomic<unsigned> vectors{0};

    bool attached = false;
    pci::enable_count enables;
    std::uint32_t command_before = 0;  ///< the first enable
    saved_state saved;                 ///< while suspended

    [[nodiscard]] bool is_nvme() const noexcept { return identity.class_code == nvme_class; }

    /// Nothing of a driver's is left.
    [[nodiscard]] bool idle() const noexcept {
        if (attached || enables.count() != 0 || saved.valid)
            return false;
        return !needs_enable();
    }
    /// A BAR is mapped or a vector allocated.
    [[nodiscard]] bool needs_enable() const noexcept {
        bool needed = vectors != 0;
        for (const bar_space& bar : bars)
            needed = needed || bar.mapped;
        return needed;
    }
};

}  // namespace vmd
