// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <devres/testing/detail/utf8.hpp>
#include <devres/testing/lifetimes.hpp>

namespace devres::testing {

namespace detail {

/// A JSON string. What is no UTF-8 is written as U+FFFD, so that every reader takes it.
[[nodiscard]] inline std::string json_string(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const std::size_t size = utf8_size(text);
        const auto first = static_cast<unsigned char>(text.front());
        if (size == 0)
            out += "\\ufffd";
        else if (first < 0x20)
            out.append("\\u00") += {"0123456789abcdef"[first >> 4U], "0123456789abcdef"[first & 0xfU]};
        else
            out.append(first == '"' || first == '\\' ? "\\" : "").append(text.substr(0, size));
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return out += '"';
}

[[nodiscard]] inline std::string json_of(const std::string& text) { return json_string(text); }
[[nodiscard]] inline std::string json_of(trace_step step) { return json_string(name_of(step)); }
[[nodiscard]] inline std::string json_of(trace_owner owner) { return json_string(name_of(owner)); }
[[nodiscard]] inline std::string json_of(std::chrono::nanoseconds time) { return std::to_string(time.count()); }
[[nodiscard]] inline std::string json_of(unsigned number) { return std::to_string(number); }

/// The events of Chrome's trace format, one at a time.
class chrome_trace {
public:
    chrome_trace(std::ostream& out, const std::vector<trace_entry>& entries) : out_(out), entries_(entries) {}

    void write() {
        const lifetime_chart chart = lifetimes_of(entries_);
        out_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
        std::size_t process = 0;
        std::size_t track = 0;
        const std::string* who = nullptr;
        for (const lifetime_row& row : chart.rows) {
            if (who == nullptr || *who != row.who) {
                ++process;
                name("process_name", process, 0, row.who.empty() ? "devres" : row.who);
            }
            who = &row.who;
            ++track;
            name("thread_name", process, track, row.label());
            event("thread_sort_index", "M", process, track)
                << ",\"args\":{\"sort_index\":" << std::to_string(track) << "}}";
            for (const lifetime& each : row.lifetimes)
                write(row, each, process, track);
            for (const lifetime_mark& mark : row.marks)
                write(mark, process, track);
        }
        out_ << "\n]}\n";
    }

private:
    std::ostream& event(std::string_view name, const char* phase, std::size_t process, std::size_t track) {
        return out_ << std::exchange(separator_, ",\n") << "{\"name\":" << json_string(name) << ",\"ph\":\"" << phase
                    << "\",\"pid\":" << std::to_string(process) << ",\"tid\":" << std::to_string(track);
    }
    void name(std::string_view of, std::size_t process, std::size_t track, std::string_view is) {
        event(of, "M", process, track) << ",\"args\":{\"name\":" << json_string(is) << "}}";
    }

    /// When the entry was told; of the end of the trace, when the last one was.
    [[nodiscard]] std::int64_t time(std::size_t at) const {
        return entries_[at < entries_.size() ? at : entries_.size() - 1].time.count();
    }
    /// In microseconds, with three decimals.
    [[nodiscard]] static std::string microseconds(std::int64_t nanoseconds) {
        const std::string decimals = std::to_string(nanoseconds % 1000);
        return std::to_string(nanoseconds / 1000) + '.' + std::string(3 - decimals.size(), '0') + decimals;
    }

    void write(const lifetime_row& row, const lifetime& each, std::size_t process, std::size_t track) {
        event(row.label(), "X", process, track)
            << ",\"cat\":\"resource\",\"ts\":" << microseconds(time(each.from))
            << ",\"dur\":" << microseconds(time(each.to) - time(each.from))
            << ",\"args\":{\"owner\":" << json_of(row.owner)
            << ",\"thread\":" << std::to_string(entries_[each.from].thread)
            << (each.still_held ? ",\"still_held\":true" : "") << (each.begun_before ? ",\"begun_before\":true" : "")
            << (each.lost_vectors ? ",\"lost_vectors\":true" : "") << "}}";
    }
    void write(const lifetime_mark& mark, std::size_t process, std::size_t track) {
        event(name_of(mark.step), "i", process, track)
            << ",\"cat\":" << json_of(mark.step) << ",\"s\":\"t\",\"ts\":" << microseconds(time(mark.at))
            << ",\"args\":{\"detail\":" << json_string(mark.text)
            << ",\"thread\":" << std::to_string(entries_[mark.at].thread) << "}}";
    }

    std::ostream& out_;
    const std::vector<trace_entry>& entries_;
    const char* separator_ = "\n";
};

}  // namespace detail

/// Writes a trace as lines of JSON, an object each with the members of `trace_entry`; the time is in nanoseconds:
/// `{"who":"0000:3a:00.0","step":"attached","resource":"","owner":"","detail":"","time":0,"thread":1}`.
inline void write_json_lines(std::ostream& out, const std::vector<trace_entry>& entries) {
    for (const trace_entry& entry : entries) {
        const char* separator = "{";
        boost::hana::for_each(boost::hana::accessors<trace_entry>(), [&](const auto& member) {
            out << std::exchange(separator, ",") << '"' << boost::hana::to<const char*>(boost::hana::first(member))
                << "\":" << detail::json_of(boost::hana::second(member)(entry));
        });
        out << "}\n";
    }
}

/// Writes a trace in Chrome's trace event format, which ui.perfetto.dev and chrome://tracing open: a process for each function, a
/// track in it for each resource, and on it when it was there, its interrupts and failures.
inline void write_chrome_trace(std::ostream& out, const std::vector<trace_entry>& entries) {
    detail::chrome_trace(out, entries).write();
}

}  // namespace devres::testing
