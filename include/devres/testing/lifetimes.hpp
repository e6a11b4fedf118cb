// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <devres/testing/trace.hpp>

namespace devres::testing {

/// From when to when a resource was there, as positions in the trace: entry 0, 1, ...
struct lifetime {
    std::size_t from = 0;       ///< that of its acquisition; 0 if that was before the trace
    std::size_t to = 0;         ///< the length of the trace if it is still there
    bool begun_before = false;  ///< the trace does not have its beginning
    bool still_held = false;    ///< the trace does not have its end
    bool lost_vectors = false;  ///< a handler that was still registered when its vectors were freed
};

/// Something that happened at one position of the trace.
struct lifetime_mark {
    std::size_t at = 0;  ///< its position
    trace_step step{};   ///< interrupt, interrupts, failed, violation or remark
    std::string text{};  ///< `handled`, the error, the remark
};

/// A resource of a function's: each time that it was there, and what happened to it. What failed, and what a remark
/// says, is a row without lifetimes.
struct lifetime_row {
    std::string who{};  ///< the function's label
    std::string
        resource{};  ///< `irq_handler 2`; "attached", "bus mastering", "suspended", "group"; a primitive that failed
    trace_owner owner = trace_owner::none;  ///< who frees it
    std::string name{};                     ///< the driver's for it, with quotes; `4 vectors`
    std::vector<lifetime> lifetimes{};      ///< the oldest first
    std::vector<lifetime_mark> marks{};     ///< the oldest first

    /// Resource and name.
    [[nodiscard]] std::string label() const { return name.empty() ? resource : resource + ' ' + name; }
};

/// The lifetimes of a trace, for charts: functions in the order in which they turn up, and of each its resources, the
/// oldest first. What is acquired again after it was released is in the same row again.
struct lifetime_chart {
    std::vector<lifetime_row> rows{};  ///< from top to bottom
    std::size_t length = 0;            ///< of the trace, in entries
};

namespace detail {

/// Makes a chart of a trace, an entry at a time.
class lifetime_reader {
public:
    void read(const trace_entry& entry) {
        switch (entry.step) {
        case trace_step::attached: begin({.who = entry.who, .resource = "attached"}); break;
        case trace_step::detached: detach(entry.who); break;
        case trace_step::acquired: begin(row_of(entry)); break;
        case trace_step::released: release(row_of(entry)); break;
        case trace_step::opened: begin(row_of(entry)); break;
        case trace_step::closed: release(row_of(entry)); break;
        case trace_step::ended: lose_vectors(entry); break;
        case trace_step::called: call(entry); break;
        case trace_step::interrupt:
        case trace_step::interrupts: interrupt(entry); break;
        case trace_step::failed: mark({.who = entry.who, .resource = entry.resource}, entry.step, entry.detail); break;
        case trace_step::violation:
        case trace_step::remark:
            mark({.who = entry.who, .resource = std::string(name_of(entry.step))}, entry.step, entry.detail);
            break;
        }
        ++now_;
    }

    /// The chart, of functions one after the other; the reader has nothing afterwards.
    [[nodiscard]] lifetime_chart take() {
        for (open_row& row : rows_) {
            if (row.open)
                end(row, true);
        }
        lifetime_chart chart{.length = now_};
        for (const open_row& first : rows_) {
            if (first.taken)
                continue;
            const std::string who = first.row.who;
            for (open_row& row : rows_) {
                if (!row.taken && row.row.who == who) {
                    row.taken = true;
                    chart.rows.push_back(row.row);
                }
            }
        }
        *this = {};
        return chart;
    }

private:
    struct open_row {
        lifetime_row row;
        bool open = false;
        bool taken = false;
    };

    [[nodiscard]] static lifetime_row row_of(const trace_entry& entry) {
        return {.who = entry.who, .resource = entry.resource, .owner = entry.owner, .name = entry.detail};
    }
    [[nodiscard]] static bool same(const lifetime_row& a, const lifetime_row& b) {
        return a.who == b.who && a.resource == b.resource && a.owner == b.owner && a.name == b.name;
    }

    /// The youngest row that is like `wanted`, and open or not; null if there is none.
    [[nodiscard]] open_row* find(const lifetime_row& wanted, bool open) {
        open_row* youngest = nullptr;
        for (open_row& row : rows_) {
            if (row.open == open && same(row.row, wanted) &&
                (youngest == nullptr || !open || row.row.lifetimes.back().from > youngest->row.lifetimes.back().from))
                youngest = &row;
            if (youngest != nullptr && !open)
                break;  // rows are filled again in their order
        }
        return youngest;
    }
    open_row& row_like(const lifetime_row& wanted) {
        if (open_row* const again = find(wanted, false))
            return *again;
        return rows_.emplace_back(open_row{.row = wanted});
    }

    void begin(const lifetime_row& wanted) {
        open_row& row = row_like(wanted);
        row.row.lifetimes.push_back({.from = now_});
        row.open = true;
    }
    void end(open_row& row, bool still_held = false) const {
        row.row.lifetimes.back().to = now_;
        row.row.lifetimes.back().still_held = still_held;
        row.open = false;
    }
    void release(const lifetime_row& wanted) {
        if (open_row* const row = find(wanted, true)) {
            end(*row);
            return;
        }
        open_row& row = row_like(wanted);
        if (!row.row.lifetimes.empty() && row.row.lifetimes.back().lost_vectors)
            return;
        row.row.lifetimes.push_back({.to = now_, .begun_before = true});
    }
    void detach(const std::string& who) {
        for (const char* const state : {"bus mastering", "suspended"}) {
            if (open_row* const row = find({.who = who, .resource = state}, true))
                end(*row);
        }
        release({.who = who, .resource = "attached"});
    }
    void call(const trace_entry& entry) {
        const bool masters = entry.resource.starts_with("set_master");
        const lifetime_row state{.who = entry.who, .resource = masters ? "bus mastering" : "suspended"};
        open_row* const row = find(state, true);
        const bool begins = entry.resource == "set_master on" || entry.resource == "suspend";
        if (begins && row == nullptr)
            begin(state);
        else if (!begins && row != nullptr)
            end(*row);
    }

    /// The row of the handler that `entry` is about, which has more to say than its name; null if the trace does not have it.
    [[nodiscard]] open_row* handler_of(const trace_entry& entry) {
        open_row* youngest = nullptr;
        for (open_row& row : rows_) {
            if (row.open && row.row.who == entry.who && row.row.resource == entry.resource &&
                entry.detail.starts_with(row.row.name))
                youngest = &row;
        }
        return youngest;
    }
    void lose_vectors(const trace_entry& entry) {
        if (open_row* const row = handler_of(entry)) {
            row->row.lifetimes.back().lost_vectors = true;
            end(*row);
        }
    }
    void interrupt(const trace_entry& entry) {
        open_row* const row = handler_of(entry);
        if (row == nullptr) {
            mark({.who = entry.who, .resource = entry.resource}, entry.step, entry.detail);
            return;
        }
        const std::size_t name = row->row.name.size();
        row->row.marks.push_back({now_, entry.step, entry.detail.substr(name == 0 ? 0 : name + 1)});
    }
    void mark(const lifetime_row& wanted, trace_step step, const std::string& text) {
        row_like(wanted).row.marks.push_back({now_, step, text});
    }

    std::vector<open_row> rows_{};
    std::size_t now_ = 0;
};

}  // namespace detail

/// The lifetimes that a trace tells of: of a recorder's `entries()`, for example.
[[nodiscard]] inline lifetime_chart lifetimes_of(const std::vector<trace_entry>& entries) {
    detail::lifetime_reader reader;
    for (const trace_entry& entry : entries)
        reader.read(entry);
    return reader.take();
}

}  // namespace devres::testing
