// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <devres/hardware/capabilities.hpp>
#include <devres/hardware/device_model.hpp>
#include <devres/hardware/function_config.hpp>

namespace devres::hardware {

/// A BAR as a dump has it.
struct dumped_bar {
    bool used = false;                       ///< there is one
    bool io = false;                         ///< in I/O space
    bool wide = false;                       ///< 64 bits, and the next BAR is its upper half
    bool prefetchable = false;               ///< of memory
    std::uint64_t address = 0;               ///< where the machine had put it
    std::optional<std::uint64_t> size = {};  ///< in bytes, where the source says it
};

/// A function of a real machine: its address and its configuration space, as far as somebody wrote it down.
struct dumped_function {
    pci::address address;                                    ///< where it was
    std::string description;                                 ///< what lspci said of it
    unsigned line = 0;                                       ///< of the text, where it begins; 0 if it comes from sysfs
    std::vector<std::uint8_t> config;                        ///< the bytes that are known, from the first: 64 to 4096
    std::optional<std::uint64_t> bar_sizes[pci::bar_count];  ///< where the source says them
    unsigned io_bars = 0;            ///< bit n: the source says that BAR n is in I/O space, where its register does not
    std::vector<std::string> notes;  ///< what its reader had to leave out of it

    /// The same as a description, without the bytes of capabilities that a description has no words for.
    [[nodiscard]] function_config to_config(device_model* model = nullptr) const;

    /// Its BARs, by number.
    [[nodiscard]] std::array<dumped_bar, pci::bar_count> bars() const;

    /// What is known of its MSI.
    [[nodiscard]] capability_state msi() const;
    /// What is known of its MSI-X.
    [[nodiscard]] capability_state msix() const;

    /// What is not as the machine had it, or not in the dump and had to be chosen, a line each:
    /// `BAR 0: size not in the dump, chosen 16 KiB (MSI-X needs 0x2410 bytes)`.
    [[nodiscard]] std::vector<std::string> assumptions() const;
};

}  // namespace devres::hardware
