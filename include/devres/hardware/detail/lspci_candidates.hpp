// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/hardware/detail/lspci_heading.hpp>
#include <devres/hardware/detail/lspci_marks.hpp>
#include <devres/hardware/detail/lspci_row.hpp>
#include <devres/hardware/detail/lspci_size.hpp>

/// Lines that are headings only if rows follow them: the address has something before it, or has lost digits.
namespace devres::hardware::detail {

/// A heading, if rows follow.
struct lspci_candidate {
    unsigned line = 0;
    std::string before;  ///< in its line
    pci::address address;
    std::string written;  ///< the address
    std::string description;
    bool exact = true;
    bool no_function = false;
    bool of_file = false;  ///< it names the file of the bytes
    std::vector<said_size> sizes{};
    bool guessed = false;  ///< nothing but that it is near says that it is one
};

/// Those of the last line that has any.
class lspci_candidates {
public:
    void clear() noexcept { all_.clear(); }

    /// `marked` is the line behind its marks.
    void keep(unsigned number, std::string_view raw, std::string_view marked) {
        std::vector<lspci_candidate> found;
        const auto add = [&](const lspci_heading& each, bool of_file) {
            found.push_back({number, std::string(each.before), *each.address, std::string(each.last),
                             std::string(each.description), each.exact, each.no_function, of_file});
        };
        if (const auto file = find_config_heading(raw))
            add(*file, true);
        for (const lspci_heading& each : headings_inside(raw))
            add(each, false);
        if (const auto damaged = find_damaged_heading(marked))
            add(*damaged, false);
        if (!found.empty())
            all_ = std::move(found);
    }

    /// A size that is said behind them. @returns whether there are any
    bool describe(const said_size& size) {
        for (lspci_candidate& each : all_)
            each.sizes.push_back(size);
        return !all_.empty();
    }

    /// The heading of the row at 0 in line `number`, behind `before`; null if there is none. If a function `waits` for its rows, only
    /// what is like the row has it in its place.
    [[nodiscard]] const lspci_candidate* choose(unsigned number, std::string_view before, const lspci_row& row,
                                                bool waits) {
        constexpr unsigned max_distance = 3;  // lines
        const std::string shape = shape_of(before);
        const bool plausible = begins_config(row.bytes);
        const auto near = [&](const lspci_candidate& each) { return number - each.line <= max_distance; };
        const auto named = [&](const lspci_candidate& each) {
            return each.of_file && near(each) && (row.of_file || !waits);
        };
        const auto like = [&](const lspci_candidate& each) {
            const bool begins_string = each.before.ends_with('"') || each.before.ends_with('\'');
            return plausible && (each.before == before || (before.empty() && begins_string) ||
                                 (!shape.empty() && shape_of(each.before) == shape));
        };
        auto found = std::find_if(all_.begin(), all_.end(), named);
        if (found == all_.end() && !(waits && before.empty()))
            found = std::find_if(all_.begin(), all_.end(), like);
        if (found == all_.end() && !waits && plausible) {
            found = std::find_if(all_.begin(), all_.end(), near);
            if (found != all_.end())
                found->guessed = true;
        }
        return found == all_.end() ? nullptr : &*found;
    }

private:
    std::vector<lspci_candidate> all_;
};

}  // namespace devres::hardware::detail
