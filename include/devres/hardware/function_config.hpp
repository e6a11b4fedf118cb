// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <devres/hardware/device_model.hpp>
#include <devres/pci/address.hpp>
#include <devres/pci/types.hpp>

namespace devres::hardware {

/// For `function_config::address`: the next free device number, from 0000:00:01.0.
inline constexpr pci::address next_free_address{0xffff'ffff, 0xff, 0x1f, 7};

/// What a simulated function is. Whatever is left out has a sensible value.
struct function_config {
    std::uint16_t vendor = 0x1234;                 ///< Vendor ID
    std::uint16_t device = 0x0001;                 ///< Device ID
    std::uint32_t class_code = 0xff0000;           ///< base class, subclass and interface: 24 bits
    std::uint8_t revision = 0;                     ///< Revision ID
    unsigned msix_vectors = 0;                     ///< entries of the MSI-X table, at most 2048; 0: no MSI-X
    unsigned msi_vectors = 0;                      ///< 1, 2, 4, 8, 16 or 32; 0: no MSI
    bool intx = false;                             ///< can assert INTA#
    std::uint64_t bar_sizes[pci::bar_count] = {};  ///< in bytes, powers of two, from 16 in memory; 0: none
    device_model* model = nullptr;                 ///< not owned, outlives the bus; null: BARs are plain memory

    pci::address address = next_free_address;  ///< must be free
    std::uint16_t subsystem_vendor = 0;        ///< Subsystem Vendor ID
    std::uint16_t subsystem_device = 0;        ///< Subsystem ID
    unsigned wide_bars = 0;  ///< bit n: BAR n is a 64-bit one and takes n + 1 too; larger than 2 GiB always is
    unsigned io_bars = 0;    ///< bit n: BAR n is in I/O space
    std::optional<unsigned> msix_table_bar = {};        ///< chosen: a BAR of its own (4, 5, 3, 2, 1 or 0)
    std::uint32_t msix_table_offset = 0;                ///< a multiple of 8
    std::optional<unsigned> msix_pba_bar = {};          ///< chosen: the table's
    std::optional<std::uint32_t> msix_pba_offset = {};  ///< chosen: behind the table
    bool msi_wide = true;                               ///< 64-bit message address
    bool msi_maskable = true;                           ///< mask and pending bits per vector
    bool power_management = true;                       ///< PCI power management capability
    unsigned wakes_from = 0;    ///< bit n: asserts PME# in D0, D1, D2, D3hot, D3cold (n: 0 to 4)
    bool pcie = true;           ///< PCI Express capability and extended configuration space
    bool no_soft_reset = true;  ///< what the function knows survives D3hot; otherwise it is reset on the way to D0
    std::vector<std::uint8_t> vendor_capability = {};  ///< content of a vendor-specific capability, 77 bytes at most
};

}  // namespace devres::hardware
