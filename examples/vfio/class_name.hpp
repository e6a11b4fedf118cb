// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "hex.hpp"

namespace vfio_command {

/// A class in words, as lspci has them: "Ethernet controller"; "class 0502" where no name is known.
[[nodiscard]] inline std::string class_name(std::uint32_t class_code) {
    static constexpr std::array<std::pair<std::uint32_t, std::string_view>, 34> names{{
        {0x0000, "Unclassified device"},
        {0x0100, "SCSI controller"},
        {0x0101, "IDE interface"},
        {0x0104, "RAID controller"},
        {0x0106, "SATA controller"},
        {0x0107, "SAS controller"},
        {0x0108, "NVMe controller"},
        {0x0180, "Mass storage"},
        {0x0200, "Ethernet controller"},
        {0x0280, "Network controller"},
        {0x0300, "VGA controller"},
        {0x0302, "3D controller"},
        {0x0380, "Display controller"},
        {0x0401, "Audio controller"},
        {0x0403, "Audio device"},
        {0x0500, "RAM memory"},
        {0x0580, "Memory controller"},
        {0x0600, "Host bridge"},
        {0x0601, "ISA bridge"},
        {0x0604, "PCI bridge"},
        {0x0607, "CardBus bridge"},
        {0x0680, "Bridge"},
        {0x0700, "Serial controller"},
        {0x0780, "Communication"},
        {0x0805, "SD host"},
        {0x0880, "System peripheral"},
        {0x0c03, "USB controller"},
        {0x0c05, "SMBus"},
        {0x0d80, "Wireless controller"},
        {0x1000, "Encryption"},
        {0x1080, "Encryption"},
        {0x1180, "Signal processing"},
        {0x1200, "Accelerator"},
        {0xff00, "Unassigned class"},
    }};
    const std::uint32_t code = class_code >> 8U;
    const auto found = std::ranges::find(names, code, [](const auto& each) { return each.first; });
    return found == names.end() ? "class " + examples::hex(code, 4) : std::string(found->second);
}

}  // namespace vfio_command
