// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <devres/testing/lifetimes.hpp>

namespace devres::testing {

namespace detail {

/// A chart in characters.
class text_chart {
public:
    static constexpr std::size_t width = 78;
    static constexpr std::size_t indent = 2;
    static constexpr std::size_t most_label = 34;

    explicit text_chart(const lifetime_chart& chart) : chart_(chart) {
        for (const lifetime_row& row : chart.rows)
            label_ = std::max(label_, std::min(row.label().size(), most_label));
        bars_ = width - indent - label_ - 2;
    }

    void write(std::ostream& out) {
        const std::string* who = nullptr;
        for (const lifetime_row& row : chart_.rows) {
            if ((who == nullptr || *who != row.who) && !row.who.empty())
                out << row.who << '\n';
            who = &row.who;
            out << line(row) << '\n';
        }
        write_legend(out);
    }

private:
    [[nodiscard]] std::size_t column(std::size_t at) const {
        return at >= chart_.length ? bars_ - 1 : at * bars_ / chart_.length;
    }

    [[nodiscard]] std::string line(const lifetime_row& row) {
        std::string label = row.label();
        if (label.size() > label_)
            label.replace(label_ - 3, std::string::npos, "...");
        std::string bars(bars_, ' ');
        for (const lifetime& each : row.lifetimes)
            draw(bars, row, each);
        for (const lifetime_mark& mark : row.marks)
            draw(bars, mark);
        bars.erase(bars.find_last_not_of(' ') + 1);
        return std::string(indent, ' ') + label + std::string(label_ + 2 - label.size(), ' ') + bars;
    }
    void draw(std::string& bars, const lifetime_row& row, const lifetime& each) {
        const std::size_t from = column(each.from);
        const std::size_t to = column(each.to);
        const char filling = use(row.resource == "group"               ? '.'
                                 : row.owner == trace_owner::managed   ? '='
                                 : row.owner == trace_owner::unmanaged ? '-'
                                                                       : '~');
        std::fill(bars.begin() + static_cast<std::ptrdiff_t>(from), bars.begin() + static_cast<std::ptrdiff_t>(to) + 1,
                  filling);
        bars[from] = each.begun_before ? use('<') : '[';
        bars[to] = each.still_held ? use('>') : each.lost_vectors ? use('!') : from == to ? '|' : ']';
    }
    void draw(std::string& bars, const lifetime_mark& mark) {
        const std::size_t at = column(mark.at);
        const bool interrupt = mark.step == trace_step::interrupt || mark.step == trace_step::interrupts;
        bars[at] = use(interrupt ? 'i' : mark.step == trace_step::remark ? '^' : 'x');
        if (interrupt)
            return;
        const auto is_free = [&](std::size_t from, std::size_t size) {
            return bars.find_first_not_of(' ', from) >= from + size;
        };
        const std::size_t size = mark.text.size() + 1;
        if (at + 1 + size <= bars_ && is_free(at + 1, size))
            bars.replace(at + 2, size - 1, mark.text);
        else if (at >= size && is_free(at - size, size))
            bars.replace(at - size, size - 1, mark.text);
    }

    char use(char sign) {
        if (used_.find(sign) == std::string::npos)
            used_ += sign;
        return sign;
    }
    void write_legend(std::ostream& out) const {
        struct entry {
            char sign;
            std::string_view meaning;
        };
        static constexpr entry all[] = {
            {'=', "devres frees it"}, {'-', "the driver frees it"},
            {'~', "a state"},         {'.', "a group"},
            {'i', "interrupt"},       {'x', "failed"},
            {'^', "remark"},          {'!', "vectors freed under it"},
            {'>', "still held"},      {'<', "held before"},
        };
        std::string line;
        for (const entry& each : all) {
            if (used_.find(each.sign) == std::string::npos)
                continue;
            const std::string text = std::string(1, each.sign) + ' ' + std::string(each.meaning);
            if (!line.empty() && indent + line.size() + 3 + text.size() > width) {
                out << std::string(indent, ' ') << line << '\n';
                line.clear();
            }
            line += (line.empty() ? "" : "   ") + text;
        }
        if (!line.empty())
            out << std::string(indent, ' ') << line << '\n';
    }

    const lifetime_chart& chart_;
    std::size_t label_ = 0;
    std::size_t bars_ = 0;
    std::string used_{};
};

}  // namespace detail

/// Writes the lifetimes of a trace as a chart in ASCII, 78 columns wide: a row for each resource, from where it was
/// acquired to where it was released, in the order of events; of each function the oldest first, so that what is
/// released in reverse order is a pyramid that stands on its head. A legend says what the signs that it uses mean.
///
/// Example:
/// @code
/// testing::trace_recorder trace;
/// testing::traced platform{bus, std::ref(trace)};
/// { auto binding = pci::bind<driver>(platform, function); }
/// testing::write_chart_text(std::cout, trace.entries());
/// @endcode
inline void write_chart_text(std::ostream& out, const std::vector<trace_entry>& entries) {
    const lifetime_chart chart = lifetimes_of(entries);
    detail::text_chart(chart).write(out);
}

}  // namespace devres::testing
