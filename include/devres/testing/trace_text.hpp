// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

#include <devres/testing/trace.hpp>

namespace devres::testing {

/// Writes a trace for people, in columns: function, step, resource, owner, detail.
///
/// @par Example
/// @code
/// testing::traced platform{bus, testing::trace_text(std::cout), [](auto& function) { return to_string(function.address()); }};
/// // 0000:3a:00.0  acquired  irq_vectors    managed    4 vectors
/// // 0000:3a:00.0  acquired  irq_handler 2  managed    "switchtec-event"
/// @endcode
class trace_text {
public:
    /// Writes to `out`, which must outlive the trace.
    [[nodiscard]] explicit trace_text(std::ostream& out) noexcept : out_(&out) {}

    void operator()(const trace_entry& entry) {
        std::string line;
        const auto column = [&](std::string_view text, std::size_t& width) {
            width = std::max(width, text.size());
            line.append(text).append(width + (width == 0 ? 0 : 2) - text.size(), ' ');
        };
        column(entry.who, who_);
        column(name_of(entry.step), step_);
        column(entry.resource, resource_);
        column(name_of(entry.owner), owner_);
        line += entry.detail;
        line.erase(line.find_last_not_of(' ') + 1);
        *out_ << line << '\n';
    }

private:
    std::ostream* out_;
    std::size_t who_ = 0;  // the widths grow with what comes
    std::size_t step_ = name_of(trace_step::interrupts).size();
    std::size_t resource_ = std::string_view("irq_handler 99").size();
    std::size_t owner_ = name_of(trace_owner::unmanaged).size();
};

}  // namespace devres::testing
