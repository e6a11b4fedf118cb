// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/hardware/dump.hpp>
#include <devres/pci/address.hpp>
#include <devres/pci/types.hpp>

#include "hex.hpp"
#include "lspci/table.hpp"
#include "output.hpp"

namespace lspci {

namespace pci = devres::pci;

/// What a function of a dump is, and what became of it.
struct function_report {
    pci::address address;
    std::uint16_t vendor = 0;
    std::uint16_t device = 0;
    std::string what{};  ///< its class, as lspci says it
    unsigned msix = 0;
    unsigned msi = 0;
    std::string without_msix = "-";  ///< what stands for 0: "?" if the dump does not say, "cut" if it ends inside it
    std::string without_msi = "-";
    unsigned pin = 0;  ///< 1 to 4: INTA to INTD

    bool present = true;  ///< false: it did not answer when it was dumped
    std::array<devres::hardware::dumped_bar, pci::bar_count> bars{};
    std::string driver{};  ///< empty: none is bound
    unsigned vectors = 0;
    pci::irq_type type = pci::irq_type::intx;
    unsigned handled = 0;  ///< vectors that the driver has a handler on
    unsigned fired = 0;    ///< those of them whose interrupt exactly their handler saw
    std::vector<std::string> faults{};
    std::optional<std::uint64_t> chosen_bar_sizes[pci::bar_count]{};  ///< the dump does not say these
    std::vector<std::string> assumptions{};                           ///< what else it does not say
};

/// What became of a machine.
struct machine_report {
    std::vector<function_report> functions;
    std::vector<std::string> faults;  ///< of no function in particular

    [[nodiscard]] bool clean() const noexcept {
        return faults.empty() && std::ranges::all_of(functions, [](const auto& f) { return f.faults.empty(); });
    }
};

namespace detail {

[[nodiscard]] constexpr std::string_view name_of(pci::irq_type type) noexcept {
    using pci::irq_type;
    return type == irq_type::msix ? "MSI-X" : type == irq_type::msi ? "MSI" : "INTx";
}

[[nodiscard]] inline std::string counted(std::size_t count, std::string_view what, std::string_view plural = "s") {
    return std::to_string(count).append(" ").append(what).append(count == 1 ? "" : plural);
}

/// `text` in lines of the page's width, those after the first indented.
[[nodiscard]] inline std::vector<std::string> wrapped(std::string text, std::size_t indent) {
    std::vector<std::string> lines;
    while (text.size() > page_width) {
        std::size_t cut = text.rfind(' ', page_width);
        if (cut == std::string::npos || cut <= indent)
            cut = page_width;
        lines.push_back(text.substr(0, cut));
        text = std::string(indent, ' ') + text.substr(std::min(text.find_first_not_of(' ', cut), text.size()));
    }
    lines.push_back(std::move(text));
    return lines;
}

inline void print_functions(output& out, const std::vector<function_report>& functions) {
    table lines({{.head = "address"},
                 {.head = "ids"},
                 {.head = "class"},
                 {.head = "MSI-X", .right = true},
                 {.head = "MSI", .right = true},
                 {.head = "INTx", .right = true},
                 {.head = "driver"},
                 {.head = "granted", .right = true},
                 {.head = "fired", .right = true},
                 {.head = "clean"}},
                2);
    const auto count = [](unsigned value) { return value == 0 ? std::string("-") : std::to_string(value); };
    for (const function_report& f : functions) {
        const char* const clean = f.present ? "yes" : "asleep";
        lines.add({f.address.text().c_str(), examples::hex(f.vendor, 4) + ':' + examples::hex(f.device, 4), f.what,
                   f.msix == 0 ? f.without_msix : count(f.msix), f.msi == 0 ? f.without_msi : count(f.msi),
                   f.pin == 0 ? "-" : std::string(1, static_cast<char>('A' + f.pin - 1)),
                   f.driver.empty() ? "-" : f.driver,
                   f.vectors == 0 ? "-" : std::to_string(f.vectors).append(" ").append(name_of(f.type)), count(f.fired),
                   f.faults.empty() ? clean : "NO"});
    }
    lines.print(out);
}

/// "4 KiB", "256 bytes"
[[nodiscard]] inline std::string bytes_text(std::uint64_t bytes) {
    std::string_view unit = "bytes";
    for (const std::string_view larger : {"KiB", "MiB", "GiB"}) {
        if (bytes < 1024 || bytes % 1024 != 0)
            break;
        bytes /= 1024;
        unit = larger;
    }
    return std::to_string(bytes).append(" ").append(unit);
}

/// Every BAR: its kind, size and address. A size that the dump does not say has a question mark.
inline void print_bars(output& out, const std::vector<function_report>& functions) {
    table lines({{.head = "address"},
                 {.head = "BAR", .right = true},
                 {.head = "kind"},
                 {.head = "size", .right = true},
                 {.head = "at", .right = true}},
                2);
    for (const function_report& f : functions) {
        for (unsigned i = 0; i != pci::bar_count; ++i) {
            const auto& bar = f.bars[i];
            if (!bar.used)
                continue;
            const std::string kind = bar.io ? "I/O"
                                            : std::string(bar.wide ? "memory, 64-bit" : "memory, 32-bit") +
                                                  (bar.prefetchable ? ", prefetchable" : "");
            const auto size = bar.size ? bar.size : f.chosen_bar_sizes[i];
            lines.add({std::string(f.address.text()), std::to_string(i), kind,
                       (size ? bytes_text(*size) : std::string()) + (bar.size ? "" : "?"),
                       bar.address == 0 ? "-" : "0x" + examples::hex(bar.address)});
        }
    }
    out.line();
    lines.print(out);
}

/// `head` and the items in lines of the page's width, those after the first indented.
inline void print_list(output& out, std::string head, const row& items) {
    std::string line = std::move(head);
    for (std::size_t i = 0; i != items.size(); ++i) {
        const std::string item = items[i] + (i + 1 == items.size() ? "" : ",");
        if (line.size() + 1 + item.size() > page_width) {
            out.line(line);
            line = "     ";
        }
        line += ' ' + item;
    }
    out.line(line);
}

/// The first few of a long list, and how many more there are.
[[nodiscard]] inline row abridged(const row& items) {
    constexpr std::size_t max = 12, shown = 4;
    if (items.size() <= max)
        return items;
    row out(items.begin(), items.begin() + shown);
    out.push_back("and " + std::to_string(items.size() - shown) + " more");
    return out;
}

/// Each assumption once, with the functions it is about.
inline void print_assumptions(output& out, const std::vector<function_report>& functions) {
    std::map<std::uint64_t, row> sizes;
    std::vector<std::pair<std::string, row>> others;
    for (const function_report& f : functions) {
        const std::string address = f.address.text().c_str();
        for (unsigned i = 0; i != pci::bar_count; ++i) {
            if (f.chosen_bar_sizes[i])
                sizes[*f.chosen_bar_sizes[i]].push_back(address + " BAR " + std::to_string(i));
        }
        for (const std::string& text : f.assumptions) {
            const auto known = std::ranges::find(others, text, [](const auto& other) { return other.first; });
            (known == others.end() ? others.insert(known, {text, {}}) : known)->second.push_back(address);
        }
    }
    if (!sizes.empty()) {
        out.line();
        out.line("BAR sizes are not in the dump. Chosen: 4 KiB (256 bytes of I/O space), less where the");
        out.line("address is not aligned to that, more where MSI-X or the driver needs it:");
        for (const auto& [size, bars] : sizes)
            print_list(out, "  " + bytes_text(size) + ':', abridged(bars));
    }
    if (!others.empty()) {
        out.line();
        out.line("Also not in the dump, or not as it is there:");
    }
    for (const auto& [text, addresses] : others)
        print_list(out, "  " + text + ':', abridged(addresses));
}

}  // namespace detail

/// Writes the table of the machine's functions, the totals, what was wrong, and what was assumed.
inline void print(examples::output out, const machine_report& machine, bool bars = false) {
    using pci::irq_type;
    detail::print_functions(out, machine.functions);
    if (bars)
        detail::print_bars(out, machine.functions);

    std::size_t present = 0, bound = 0, granted = 0, handled = 0, fired = 0, faults = machine.faults.size();
    std::size_t of_type[3] = {};
    for (const function_report& f : machine.functions) {
        present += f.present ? 1 : 0;
        bound += f.driver.empty() ? 0 : 1;
        granted += f.vectors;
        handled += f.handled;
        fired += f.fired;
        faults += f.faults.size();
        of_type[f.type == irq_type::msix ? 0 : f.type == irq_type::msi ? 1 : 2] += f.vectors;
    }
    const auto of = [](std::size_t part, std::size_t whole) { return part == whole ? "all" : std::to_string(part); };
    std::string totals = detail::counted(machine.functions.size(), "function");
    if (present != machine.functions.size())
        totals += " (" + std::to_string(machine.functions.size() - present) + " asleep)";
    totals += ", " + of(bound, present) + " bound; " + detail::counted(granted, "vector") + " (" +
              std::to_string(of_type[0]) + " MSI-X, " + std::to_string(of_type[1]) + " MSI, " +
              std::to_string(of_type[2]) + " INTx), " +
              (handled == granted ? "" : std::to_string(handled) + " with a handler, ") + of(fired, handled) +
              " fired; " + (faults == 0 ? "all released, ledger clean" : detail::counted(faults, "fault") + ':');
    out.summary(detail::counted(machine.functions.size(), "function") + ", " + detail::counted(granted, "vector") +
                ", " + of(fired, handled) + " fired" + (faults == 0 ? "" : ", " + detail::counted(faults, "fault")));
    out.line();
    for (const std::string& line : detail::wrapped(totals, 2))
        out.line(line);
    const auto tell = [&out](const std::string& fault) {
        for (const std::string& line : detail::wrapped("  " + fault, 6))
            out.problem(line);
    };
    for (const function_report& f : machine.functions) {
        const std::string address = f.address.text().c_str() + std::string(" ");
        const std::size_t shown = f.faults.size() > 6 ? 5 : f.faults.size();
        for (std::size_t i = 0; i != shown; ++i)
            tell(address + f.faults[i]);
        if (shown != f.faults.size())
            tell(address + "and " + std::to_string(f.faults.size() - shown) + " more");
    }
    for (const std::string& fault : machine.faults)
        tell(fault);
    detail::print_assumptions(out, machine.functions);
}

}  // namespace lspci
