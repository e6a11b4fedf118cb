// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/pci/address.hpp>
#include <devres/pci/types.hpp>

#include "output.hpp"

namespace lspci {

namespace pci = devres::pci;

/// What a function of a dump is, and what became of it.
struct function_report {
    pci::address address;
    std::uint16_t vendor = 0;
    std::uint16_t device = 0;
    std::string what{};            ///< its class, as lspci says it
    bool has_capabilities = true;  ///< whether the dump goes far enough to tell
    unsigned msix = 0;
    unsigned msi = 0;
    unsigned pin = 0;  ///< 1 to 4: INTA to INTD

    bool present = true;   ///< false: it did not answer when it was dumped
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

constexpr std::size_t page_width = 110;

[[nodiscard]] constexpr std::string_view name_of(pci::irq_type type) noexcept {
    using pci::irq_type;
    return type == irq_type::msix ? "MSI-X" : type == irq_type::msi ? "MSI" : "INTx";
}

[[nodiscard]] inline std::string hexadecimal(std::uint16_t value) {
    std::string digits;
    for (int shift = 12; shift >= 0; shift -= 4)
        digits += "0123456789abcdef"[value >> shift & 0xf];
    return digits;
}

[[nodiscard]] inline std::string counted(std::size_t count, std::string_view what, std::string_view plural = "s") {
    return std::to_string(count).append(" ").append(what).append(count == 1 ? "" : plural);
}

[[nodiscard]] inline std::string shortened(const std::string& text, std::size_t width) {
    return text.size() <= width ? text : text.substr(0, width - 2) + "..";
}

using row = std::vector<std::string>;

using examples::output;
using examples::style;

/// Columns that are as wide as what is in them, but for one, which has what is left of the page.
class table {
public:
    struct column {
        std::string head;
        bool right = false;  // aligned
    };
    table(std::vector<column> columns, std::size_t elastic) : columns_(std::move(columns)), elastic_(elastic) {}

    void add(row cells) { rows_.push_back(std::move(cells)); }

    void print(output& out) const {
        std::vector<std::size_t> widths;
        std::size_t sum = 0;
        for (std::size_t i = 0; i != columns_.size(); ++i) {
            std::size_t width = columns_[i].head.size();
            for (const row& cells : rows_)
                width = std::max(width, cells[i].size());
            widths.push_back(width);
            sum += width + (i == 0 ? 0 : gap);
        }
        if (sum > page_width)
            widths[elastic_] -= std::min(sum - page_width, widths[elastic_] - least);
        row heads;
        for (const column& c : columns_)
            heads.push_back(c.head);
        out.line(in_columns(heads, widths), style::heading);
        for (const row& cells : rows_) {
            // The last cell is the verdict.
            const std::string& last = cells.back();
            std::string line = in_columns(cells, widths);
            line.resize(line.size() - last.size());
            out.line(line + out.painted(last, last == "NO" ? style::bad : last == "yes" ? style::good : style::plain));
        }
    }

private:
    static constexpr std::size_t gap = 2;
    static constexpr std::size_t least = 12;  // of the elastic column

    [[nodiscard]] std::string in_columns(const row& cells, const std::vector<std::size_t>& widths) const {
        std::string line;
        for (std::size_t i = 0; i != cells.size(); ++i) {
            const std::string cell = i == elastic_ ? shortened(cells[i], widths[i]) : cells[i];
            const std::string blank(widths[i] - cell.size(), ' ');
            line.append(i == 0 ? 0 : gap, ' ').append(columns_[i].right ? blank + cell : cell + blank);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        return line;
    }

    std::vector<column> columns_;
    std::size_t elastic_;
    std::vector<row> rows_;
};

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
        const char* const clean = f.present ? "yes" : "absent";
        lines.add({f.address.text().c_str(), hexadecimal(f.vendor) + ':' + hexadecimal(f.device), f.what,
                   f.has_capabilities ? count(f.msix) : "?", f.has_capabilities ? count(f.msi) : "?",
                   f.pin == 0 ? "-" : std::string(1, static_cast<char>('A' + f.pin - 1)),
                   f.driver.empty() ? "-" : f.driver,
                   f.vectors == 0 ? "-" : std::to_string(f.vectors).append(" ").append(name_of(f.type)), count(f.fired),
                   f.faults.empty() ? clean : "NO"});
    }
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
        for (const auto& [size, bars] : sizes) {
            const bool most = bars.size() > 12 && sizes.size() > 1;
            print_list(out, "  " + bytes_text(size) + ':', most ? row{counted(bars.size(), "other")} : bars);
        }
    }
    if (!others.empty()) {
        out.line();
        out.line("Also not in the dump:");
    }
    for (const auto& [text, addresses] : others)
        print_list(out, "  " + text + ':', addresses);
}

}  // namespace detail

/// Writes the table of the machine's functions, the totals, what was wrong, and what was assumed.
inline void print(examples::output out, const machine_report& machine) {
    using pci::irq_type;
    detail::print_functions(out, machine.functions);

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
        totals += " (" + std::to_string(machine.functions.size() - present) + " absent)";
    totals += ", " + of(bound, present) + " bound; " + detail::counted(granted, "vector") + " (" +
              std::to_string(of_type[0]) + " MSI-X, " + std::to_string(of_type[1]) + " MSI, " +
              std::to_string(of_type[2]) + " INTx), " +
              (handled == granted ? "" : std::to_string(handled) + " with a handler, ") + of(fired, handled) +
              " fired; " + (faults == 0 ? "all released, ledger clean" : detail::counted(faults, "fault") + ':');
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
