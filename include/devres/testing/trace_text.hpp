// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

#include <devres/testing/trace.hpp>

namespace devres::testing {

/// An entry in columns, for people: function, step, resource, owner, detail. The columns are where they are
/// for every entry with labels of up to `who_width` characters; a resource or a call that is too long for its
/// own pushes only what is behind it in its line.
[[nodiscard]] inline std::string to_columns(const trace_entry& entry, std::size_t who_width) {
    constexpr std::size_t step_width = name_of(trace_step::interrupts).size() + 2;
    constexpr std::size_t resource_width = std::string_view("irq_handler 999").size() + 1;
    constexpr std::size_t owner_width = name_of(trace_owner::unmanaged).size() + 2;
    std::string line;
    const auto column = [&line](std::string_view text, std::size_t width) {
        line.append(text).append(text.size() < width ? width - text.size() : 2, ' ');
    };
    if (who_width != 0 || !entry.who.empty())
        column(entry.who, who_width + 2);
    column(name_of(entry.step), step_width);
    if (entry.owner == trace_owner::none) {
        column(entry.resource, resource_width + owner_width);
    } else {
        column(entry.resource, resource_width);
        column(name_of(entry.owner), owner_width);
    }
    line += entry.detail;
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

/// Writes a trace for people, in columns.
///
/// Example:
/// @code
/// testing::traced platform{bus, testing::trace_text(std::cout),
///                          [](auto& function) { return std::string(function.address().text()); }};
/// // 0000:3a:00.0  acquired    irq_vectors     managed    4 vectors
/// // 0000:3a:00.0  acquired    irq_handler 2   managed    "switchtec-event"
/// @endcode
class trace_text {
public:
    /// Writes to `out`, which must outlive the trace.
    [[nodiscard]] explicit trace_text(std::ostream& out) noexcept : out_(&out) {}

    /// For the platform: takes one entry.
    void operator()(const trace_entry& entry) {
        who_ = std::max(who_, entry.who.size());
        *out_ << to_columns(entry, who_) << '\n';
    }

private:
    std::ostream* out_;
    std::size_t who_ = 0;  // the width of the labels so far
};

}  // namespace devres::testing
