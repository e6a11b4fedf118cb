// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/testing/detail/svg_text.hpp>
#include <devres/testing/lifetimes.hpp>

namespace devres::testing {

namespace detail {

/// A chart as a picture. Lengths are in pixels, and whole, so that the same trace is the same file everywhere.
class svg_chart {
public:
    static constexpr std::size_t width = 960;
    static constexpr std::size_t margin = 20;
    static constexpr std::size_t row_height = 22;
    static constexpr std::size_t bar_height = 14;
    static constexpr std::size_t most_label = 42;
    static constexpr std::size_t character = 8;  ///< more than any of the fonts takes

    svg_chart(const lifetime_chart& chart, std::string_view title) : chart_(chart), title_(title) {
        std::size_t label = 8;
        for (const lifetime_row& row : chart.rows)
            label = std::max(label, std::min(row.label().size(), most_label));
        left_ = margin + label * character + 12;
        bars_ = width - margin - left_ - 8;
        each_row([&](const std::string&, std::size_t) { ++lines_; },
                 [&](const lifetime_row&, std::size_t) { ++lines_; });
    }

    void write(std::ostream& out) {
        const std::size_t height = top + lines_ * row_height + 46;
        out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << height
            << "\" viewBox=\"0 0 " << width << ' ' << height
            << "\" role=\"img\" aria-labelledby=\"devres-title devres-desc\">\n"
            << "<title id=\"devres-title\">" << xml_text(title_) << "</title>\n"
            << "<desc id=\"devres-desc\">" << xml_text(description()) << "</desc>\n"
            << "<style>" << svg_style << "</style>\n"
            << "<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"" << width - 1 << "\" height=\"" << height - 1
            << "\" rx=\"8\"/>\n";
        text(out, "title", margin, 32, shortened(title_, (width - 2 * margin) / (character + 1)));
        write_stripes(out);
        write_bands(out);
        write_rows(out);
        write_legend(out, height - 20);
        out << "</svg>\n";
    }

private:
    static constexpr std::size_t top = 48;
    static constexpr std::size_t baseline = 15;  ///< of a row's text

    /// Where a position of the trace is.
    [[nodiscard]] std::size_t x(std::size_t at) const {
        return chart_.length == 0 ? left_ : left_ + (2 * at + 1) * bars_ / (2 * chart_.length + 2);
    }

    static void text(std::ostream& out, const char* as, std::size_t x, std::size_t y, std::string_view what) {
        out << "<text class=\"" << as << "\" x=\"" << x << "\" y=\"" << y << "\">" << xml_text(what) << "</text>\n";
    }

    [[nodiscard]] std::string description() const {
        std::size_t resources = 0;
        std::size_t interrupts = 0;
        std::size_t failures = 0;
        std::size_t held = 0;
        for (const lifetime_row& row : chart_.rows) {
            resources += row.owner != trace_owner::none ? 1U : 0U;
            for (const lifetime& each : row.lifetimes)
                held += each.still_held ? 1U : 0U;
            for (const lifetime_mark& mark : row.marks) {
                interrupts += mark.step == trace_step::interrupt ? 1U : 0U;
                failures += mark.step == trace_step::failed ? 1U : 0U;
            }
        }
        const auto count = [](std::size_t n, const char* what) {
            return std::to_string(n) + ' ' + what + (n == 1 ? "" : "s");
        };
        return "A bar for each of " + count(resources, "resource") +
               ", from its acquisition to its release, in the order of " + count(chart_.length, "event") + "; " +
               count(interrupts, "interrupt") + ", " + count(failures, "failure") + ", " + std::to_string(held) +
               " still held at the end.";
    }

    /// Calls `at_row(row, y)` for every row, and `at_function(who, y)` before the first of each function.
    template <class AtFunction, class AtRow>
    void each_row(AtFunction at_function, AtRow at_row) const {
        const std::string* who = nullptr;
        std::size_t y = top;
        for (const lifetime_row& row : chart_.rows) {
            if ((who == nullptr || *who != row.who) && !row.who.empty()) {
                at_function(row.who, y);
                y += row_height;
            }
            who = &row.who;
            at_row(row, y);
            y += row_height;
        }
    }

    void write_stripes(std::ostream& out) const {
        bool striped = false;
        each_row([&](const std::string&, std::size_t) { striped = false; },
                 [&](const lifetime_row&, std::size_t y) {
                     if (std::exchange(striped, !striped))
                         out << "<rect class=\"stripe\" x=\"" << margin / 2 << "\" y=\"" << y << "\" width=\""
                             << width - margin << "\" height=\"" << row_height << "\" rx=\"4\"/>\n";
                 });
    }
    /// Groups, behind what is acquired meanwhile.
    void write_bands(std::ostream& out) const {
        for (const lifetime_row& row : chart_.rows) {
            if (row.resource != "group")
                continue;
            for (const lifetime& each : row.lifetimes)
                out << "<rect class=\"band\" x=\"" << x(each.from) << "\" y=\"" << top << "\" width=\""
                    << x(each.to) - x(each.from) << "\" height=\"" << lines_ * row_height << "\"/>\n";
        }
    }

    void write_rows(std::ostream& out) {
        each_row(
            [&](const std::string& who, std::size_t y) {
                text(out, "quiet", margin, y + baseline, shortened(who, (width - 2 * margin) / character));
            },
            [&](const lifetime_row& row, std::size_t y) { write_row(out, row, y); });
    }
    void write_row(std::ostream& out, const lifetime_row& row, std::size_t y) {
        const bool wrong = row.lifetimes.empty() && !row.marks.empty() && is_wrong(row.marks.front());
        const std::string resource = shortened(row.resource, most_label);
        const std::string name = row.label().substr(row.resource.size());
        out << "<text class=\"" << (wrong ? "wrong-text" : "label") << "\" x=\"" << margin << "\" y=\"" << y + baseline
            << "\">" << xml_text(resource) << "<tspan class=\"quiet\">"
            << xml_text(shortened(name, most_label - std::min(resource.size(), most_label))) << "</tspan></text>\n";
        for (const lifetime& each : row.lifetimes)
            write_bar(out, row, each, y);
        for (std::size_t i = 0; i != row.marks.size(); ++i)
            write_mark(out, row, i, y);
    }
    void write_bar(std::ostream& out, const lifetime_row& row, const lifetime& each, std::size_t y) {
        const char* const as = row.resource == "group"               ? "group"
                               : row.owner == trace_owner::managed   ? "managed"
                               : row.owner == trace_owner::unmanaged ? "unmanaged"
                                                                     : "state";
        use(as);
        const std::size_t middle = y + row_height / 2;
        out << "<rect class=\"" << as << "\" x=\"" << x(each.from) << "\" y=\"" << middle - bar_height / 2
            << "\" width=\"" << std::max<std::size_t>(x(each.to) - x(each.from), 2) << "\" height=\"" << bar_height
            << "\" rx=\"3\"><title>"
            << xml_text(row.label() + (row.owner == trace_owner::none ? "" : ", " + std::string(name_of(row.owner))) +
                        (each.still_held     ? ", still held"
                         : each.lost_vectors ? ", ended when its vectors were freed"
                                             : ""))
            << "</title></rect>\n";
        if (each.still_held) {
            use("open");
            out << "<path class=\"open\" d=\"M" << x(each.to) << ' ' << middle - 9 << "v18\"/>\n";
        }
        if (each.lost_vectors)
            write_cross(out, x(each.to), middle, "its vectors were freed under it");
    }

    [[nodiscard]] static bool is_wrong(const lifetime_mark& mark) {
        return mark.step == trace_step::failed || mark.step == trace_step::violation;
    }
    void write_cross(std::ostream& out, std::size_t at, std::size_t middle, std::string_view why) {
        use("wrong");
        out << "<path class=\"wrong\" d=\"M" << at - 4 << ' ' << middle - 4 << "l8 8m0 -8l-8 8\"><title>"
            << xml_text(why) << "</title></path>\n";
    }
    void write_mark(std::ostream& out, const lifetime_row& row, std::size_t number, std::size_t y) {
        const lifetime_mark& mark = row.marks[number];
        const std::size_t at = x(mark.at);
        const std::size_t middle = y + row_height / 2;
        if (!is_wrong(mark) && mark.step != trace_step::remark) {
            use("interrupt");
            out << "<circle class=\"interrupt\" cx=\"" << at << "\" cy=\"" << middle << "\" r=\"3.5\"><title>"
                << xml_text(mark.text) << "</title></circle>\n";
            return;
        }
        if (is_wrong(mark)) {
            write_cross(out, at, middle, mark.text);
        } else {
            use("remark");
            out << "<path class=\"remark\" d=\"M" << at << ' ' << top << 'V' << y + row_height << "\"/>\n";
        }
        // Its text goes where there is room between the marks beside it, right or left, as much of it as there is room for.
        const std::size_t right_end = number + 1 == row.marks.size() ? left_ + bars_ : x(row.marks[number + 1].at) - 8;
        const std::size_t left_end = number == 0 ? left_ : x(row.marks[number - 1].at) + 8;
        const std::size_t room_right = right_end > at + 10 ? (right_end - at - 10) / character : 0;
        const std::size_t room_left = number == 0 && at > left_end + 10 ? (at - left_end - 10) / character : 0;
        const bool right = room_right >= mark.text.size() || room_right >= room_left;
        const std::size_t room = right ? room_right : room_left;
        if (room < 4)
            return;
        const std::string shown = shortened(mark.text, room);
        out << "<text class=\"" << (is_wrong(mark) ? "wrong-text" : "quiet") << "\" x=\"" << (right ? at + 10 : at - 10)
            << "\" y=\"" << y + baseline << (right ? "\">" : "\" text-anchor=\"end\">") << xml_text(shown)
            << "</text>\n";
    }

    void use(std::string_view as) {
        if (std::ranges::find(used_, as) == used_.end())
            used_.push_back(as);
    }
    void write_legend(std::ostream& out, std::size_t y) const {
        struct entry {
            std::string_view as;
            std::string_view meaning;
        };
        static constexpr entry all[] = {
            {"managed", "devres frees it"}, {"unmanaged", "the driver frees it"}, {"state", "a state"},
            {"group", "a group"},           {"interrupt", "interrupt"},           {"wrong", "failed"},
            {"open", "still held"},
        };
        std::size_t at = margin;
        for (const entry& each : all) {
            if (std::ranges::find(used_, each.as) == used_.end())
                continue;
            if (each.as == "interrupt")
                out << "<circle class=\"interrupt\" cx=\"" << at + 6 << "\" cy=\"" << y - 4 << "\" r=\"3.5\"/>\n";
            else if (each.as == "wrong")
                out << "<path class=\"wrong\" d=\"M" << at + 2 << ' ' << y - 8 << "l8 8m0 -8l-8 8\"/>\n";
            else if (each.as == "open")
                out << "<path class=\"open\" d=\"M" << at + 6 << ' ' << y - 13 << "v18\"/>\n";
            else
                out << "<rect class=\"" << each.as << "\" x=\"" << at << "\" y=\"" << y - 9
                    << "\" width=\"12\" height=\"10\" rx=\"3\"/>\n";
            text(out, "quiet", at + 18, y, each.meaning);
            at += 18 + each.meaning.size() * character + 14;
        }
    }

    const lifetime_chart& chart_;
    std::string_view title_;
    std::size_t left_ = 0;
    std::size_t bars_ = 0;
    std::size_t lines_ = 0;
    std::vector<std::string_view> used_{};
};

}  // namespace detail

/// Writes the lifetimes of a trace as a chart in SVG, which a browser shows and a page can have as a picture: as
/// `write_chart_text`, with interrupts, failures, remarks and groups marked. The file needs nothing else, and is light or dark
/// as its reader's system is. Its words are for screen readers too. The same trace is the same file.
inline void write_chart_svg(std::ostream& out, const std::vector<trace_entry>& entries,
                            std::string_view title = "Lifetimes of a driver's resources") {
    const lifetime_chart chart = lifetimes_of(entries);
    detail::svg_chart(chart, title).write(out);
}

}  // namespace devres::testing
