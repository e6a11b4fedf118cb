// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include <devres/sim/hardware.hpp>
#include <devres/testing/trace.hpp>
#include <devres/testing/trace_text.hpp>

#include "output_options.hpp"

/// What the examples have in common: how they write.
namespace examples {

enum class style : unsigned char { plain, heading, good, bad, dim };

/// Where an example writes. A plain stream will do: then everything is written, without colour.
///
/// A copy goes on where the original is. When quiet, a heading is written only once there is a problem under
/// it.
class output {
public:
    output(std::ostream& out, output_options options = {}) : out_(&out), options_(options) {}

    [[nodiscard]] bool quiet() const noexcept { return options_.quiet; }
    [[nodiscard]] progress_options progress() const noexcept { return options_.progress; }

    /// What came of the example: "9 resources, ledger clean".
    void summary(std::string text) {
        if (options_.summary != nullptr)
            *options_.summary = std::move(text);
    }

    /// What follows is about another example.
    void title(std::string_view text) { begin(title_, "== " + std::string(text)); }
    /// What follows is another chapter of it.
    void heading(std::string_view text) { begin(heading_, std::string(text)); }

    void line(std::string_view text = {}, style as = style::plain) {
        if (!options_.quiet)
            write(painted(text, as));
    }
    /// A line that is written in any case.
    void problem(std::string_view text) {
        write_pending(title_);
        write_pending(heading_);
        write(painted(text, style::bad));
    }
    /// What was found, beside what it is about; a problem if it is not as it should be. @returns `good`
    bool check(std::string_view what, bool good, std::string_view found) {
        constexpr std::size_t width = 45;  // as far as a trace has the owner
        std::string text = "  " + std::string(what);
        text.append(text.size() + 2 < width ? width - text.size() : 2, ' ').append(found);
        if (good)
            line(text);
        else
            problem(text + "   <- WRONG");
        return good;
    }
    /// What the ledger of a bus says when everything should have been given back. @returns whether it is clean
    bool check(const devres::sim::ledger& books) {
        std::ostringstream text;
        text << books;
        if (books.clean())
            line("  ledger: " + painted(text.str(), style::good));
        else
            problem("  ledger: " + text.str());
        return books.clean();
    }
    /// What came of an example: the last line about it. `name_width` is that of the longest name.
    void verdict(bool clean, std::string of, std::string_view found, std::size_t name_width) {
        const std::string text = clean ? "clean" : "not clean";
        if (!found.empty())
            of.append(name_width > of.size() ? name_width - of.size() : 0, ' ').append("  ").append(found);
        write(painted(text, clean ? style::good : style::bad) + std::string(11 - text.size(), ' ').append(of));
        title_.clear();
        heading_.clear();
    }

    /// `text` as a terminal shows it in that style; unchanged without colour.
    [[nodiscard]] std::string painted(std::string_view text, style as) const {
        constexpr std::string_view codes[] = {"", "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[2m"};
        if (!options_.colour || as == style::plain || text.empty())
            return std::string(text);
        const std::size_t indent = std::min(text.find_first_not_of(' '), text.size());
        return std::string(text.substr(0, indent))
            .append(codes[static_cast<std::size_t>(as)])
            .append(text.substr(indent))
            .append("\x1b[0m");
    }

private:
    void begin(std::string& place, std::string text) {
        if (&place == &title_)
            heading_.clear();
        place = std::move(text);
        if (options_.quiet)
            return;
        if (started_)
            write({});
        write_pending(place);
    }
    void write_pending(std::string& text) {
        if (!text.empty())
            write(painted(std::exchange(text, {}), style::heading));
    }
    void write(const std::string& text) {
        started_ = true;
        *out_ << text << '\n';
    }

    std::ostream* out_;
    output_options options_;
    bool started_ = false;
    std::string title_{};  // these two: not yet written
    std::string heading_{};
};

/// A trace as lines under a heading: interrupts dim, failures red. `out` must outlive the trace.
[[nodiscard]] inline devres::testing::trace_sink trace_to(output& out) {
    return [&out](const devres::testing::trace_entry& entry) {
        using devres::testing::trace_step;
        constexpr std::size_t address_width = std::string_view("10000:00:00.0").size();
        const bool dim = entry.step == trace_step::interrupt || entry.step == trace_step::interrupts;
        const bool bad = entry.step == trace_step::failed;
        out.line("  " + devres::testing::to_columns(entry, address_width), dim   ? style::dim
                                                                           : bad ? style::bad
                                                                                 : style::plain);
    };
}

}  // namespace examples
