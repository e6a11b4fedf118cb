// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include <devres/pci/address.hpp>
#include <devres/pci/types.hpp>
#include <devres/print/formatter.hpp>

namespace devres {
namespace detail {

/// At least `digits` digits.
[[nodiscard]] inline std::string hexadecimal(std::uint64_t value, unsigned digits) {
    std::string text;
    for (; value != 0 || text.size() < digits; value >>= 4U)
        text.insert(text.begin(), "0123456789abcdef"[value & 0xfU]);
    return text;
}

/// The names of the bits of a set of ways to interrupt, and what is left in hexadecimal: `msi|msix`.
[[nodiscard]] inline std::string names_of_irq_types(unsigned bits) {
    struct named {
        pci::irq_type type;
        std::string_view name;
    };
    static constexpr std::array<named, 4> all{{{pci::irq_type::intx, "intx"},
                                               {pci::irq_type::msi, "msi"},
                                               {pci::irq_type::msix, "msix"},
                                               {pci::irq_type::virtual_entries, "virtual_entries"}}};
    std::string text;
    const auto add = [&](std::string_view name) { text.append(text.empty() ? "" : "|").append(name); };
    for (const auto& [type, name] : all) {
        if ((bits & static_cast<unsigned>(type)) != 0)
            add(name);
        bits &= ~static_cast<unsigned>(type);
    }
    if (bits != 0)
        add("0x" + hexadecimal(bits, 1));
    return text.empty() ? "none" : text;
}

}  // namespace detail

namespace pci {

/// `0000:3a:00.0`
inline std::ostream& operator<<(std::ostream& out, address where) { return out << where.text().c_str(); }
/// `vector 2`
inline std::ostream& operator<<(std::ostream& out, vector_index vector) {
    return out << "vector " << std::to_string(vector.value());
}
/// `irq 24`
inline std::ostream& operator<<(std::ostream& out, irq_number irq) {
    return out << "irq " << std::to_string(irq.value());
}
/// `BAR 0`
inline std::ostream& operator<<(std::ostream& out, bar_number bar) {
    return out << "BAR " << std::to_string(bar.value());
}
/// `0x10000000`
inline std::ostream& operator<<(std::ostream& out, bus_address where) {
    return out << "0x" << detail::hexadecimal(static_cast<std::uint64_t>(where), 1);
}
/// `msix`; `intx|msi|msix` for `all`
inline std::ostream& operator<<(std::ostream& out, irq_type type) {
    return out << detail::names_of_irq_types(static_cast<unsigned>(type));
}
/// `msi|msix`; "none"
inline std::ostream& operator<<(std::ostream& out, irq_types types) {
    return out << detail::names_of_irq_types(types.bits());
}
/// `handled`, `none`
inline std::ostream& operator<<(std::ostream& out, irq_return said) {
    return out << (said == irq_return::handled ? "handled" : said == irq_return::none ? "none" : "wake_thread");
}
/// `11f8:8534`, `any` for what matches everything; subsystem, class and driver data where they say something:
/// `1b36:0006 subsystem 1af4:1100 class 020000/ffffff driver_data 0x1`
inline std::ostream& operator<<(std::ostream& out, const device_id& id) {
    const auto part = [](std::uint16_t value) {
        return value == device_id::any ? std::string("any") : detail::hexadecimal(value, 4);
    };
    out << part(id.vendor) << ':' << part(id.device);
    if (id.subsystem_vendor != device_id::any || id.subsystem_device != device_id::any)
        out << " subsystem " << part(id.subsystem_vendor) << ':' << part(id.subsystem_device);
    if (id.class_code != 0 || id.class_mask != 0)
        out << " class " << detail::hexadecimal(id.class_code, 6);
    if (id.class_mask != 0)
        out << '/' << detail::hexadecimal(id.class_mask, 6);
    if (id.driver_data != 0)
        out << " driver_data 0x" << detail::hexadecimal(id.driver_data, 1);
    return out;
}

}  // namespace pci
}  // namespace devres

DEVRES_FORMATTER(devres::pci::address);
DEVRES_FORMATTER(devres::pci::vector_index);
DEVRES_FORMATTER(devres::pci::irq_number);
DEVRES_FORMATTER(devres::pci::bar_number);
DEVRES_FORMATTER(devres::pci::bus_address);
DEVRES_FORMATTER(devres::pci::irq_type);
DEVRES_FORMATTER(devres::pci::irq_types);
DEVRES_FORMATTER(devres::pci::irq_return);
DEVRES_FORMATTER(devres::pci::device_id);
