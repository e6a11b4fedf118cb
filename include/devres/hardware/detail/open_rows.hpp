// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/hardware/detail/dump_rows.hpp>
#include <devres/hardware/detail/lspci_marks.hpp>
#include <devres/hardware/detail/lspci_row.hpp>

/// The rows of the function that is being read: which lines are rows of it, and where one goes on in the next.
namespace devres::hardware::detail {

class open_rows {
public:
    static constexpr unsigned max_distance = 3;  // lines, between rows that do not follow each other

    open_rows() = default;
    /// Of the function whose heading is in line `number`.
    explicit open_rows(unsigned number) noexcept : heading_(number) {}

    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] bool has_first() const noexcept { return rows_.has(0); }
    /// Whether it is all that there is, once more.
    [[nodiscard]] bool is_only(const lspci_row& row) const noexcept {
        return rows_.count() == 1 && rows_.is(0, row.bytes);
    }
    /// Whether it is written as the others are, by the same tool.
    [[nodiscard]] bool is_like(const lspci_row& row) const noexcept { return rows_.empty() || row.colon == colon_; }

    /// @returns whether it is a row of this function's
    bool take(unsigned number, std::string_view before, const lspci_row& row) {
        const std::string shape = shape_of(before);
        const bool first = rows_.empty();
        const bool octal = octal_ || (row.octal_offset == rows_.due() && row.offset != rows_.due());
        const unsigned offset = octal && row.octal_offset ? *row.octal_offset : row.offset;
        if (offset % row_size != 0 || offset >= config_space::size || (first && !can_begin(number, row)))
            return false;
        if (repeats_)
            repeat_to(number, offset);
        const unsigned distance = number - rows_.last_line();
        const bool due = offset == rows_.due();
        const bool near = due || distance <= max_distance;
        const bool alike = row.colon == colon_ && (shape == shape_ || (due && distance <= 1));
        if (!first && !(near && alike))
            return false;
        if (!row.whole) {
            if (due)
                pending_ = {number, offset, row.bytes};
            return due;
        }
        if (first) {
            shape_ = shape;
            colon_ = row.colon;
        }
        octal_ = octal;
        rows_.take(number, offset, row.bytes);
        last_ = row.bytes;
        return true;
    }

    /// Of a row that was broken into lines, one that is not the first. @returns whether this is one
    bool take_rest(unsigned number, std::string_view text) {
        if (pending_.bytes.empty())
            return false;
        partial_row row = std::exchange(pending_, {});
        const auto more = find_bytes(text, row_size - row.bytes.size(), true);
        if (!more) {
            rows_.damage(row.line, row.offset, counted(row.bytes.size(), "byte") + " of 16");
            return false;
        }
        row.bytes.insert(row.bytes.end(), more->begin(), more->end());
        if (row.bytes.size() == row_size)
            rows_.take(number, row.offset, row.bytes);
        else
            pending_ = std::move(row);
        return true;
    }

    /// The "*" of hexdump and od, for rows that are as the one before, and what ends them. @returns whether the line is one of these
    bool take_repetition(unsigned number, std::string_view text) {
        if (text == "*" && !rows_.empty())
            return repeats_ = true;
        if (!repeats_ || !are_hex(text))
            return false;
        repeat_to(number, static_cast<unsigned>(std::strtoul(std::string(text).c_str(), nullptr, octal_ ? 8 : 16)));
        return true;
    }

    /// A line that looks like the row that is due, and is none. @returns whether it counts as one
    bool take_damaged(unsigned number, std::string_view text) {
        const bool follows = !rows_.empty() && number - rows_.last_line() <= 1;
        const auto bare = find_bytes(text, row_size + 1, false);  // an offset without a colon, and a row
        if ((rows_.empty() || follows) && bare && bare->size() == row_size + 1 && bare->front() == rows_.due()) {
            rows_.take(number, rows_.due(), std::span(*bare).subspan(1));
            return true;
        }
        if ((rows_.empty() || follows) && find_bytes(text, row_size, false).value_or(no_bytes).size() == row_size) {
            rows_.damage(number, rows_.due(), "no offset");
            return true;
        }
        const auto row = find_damaged_row(text);
        if (!row || row->offset != rows_.due() || rows_.has(row->offset) || (!row->has_byte && !follows))
            return false;
        rows_.damage(number, row->offset, "not 16 bytes");
        return true;
    }

    /// What is there, when nothing follows.
    [[nodiscard]] dump_rows close() && {
        if (!pending_.bytes.empty())
            rows_.damage(pending_.line, pending_.offset, counted(pending_.bytes.size(), "byte") + " of 16");
        return std::move(rows_);
    }

private:
    static inline const std::vector<std::uint8_t> no_bytes;

    struct partial_row {
        unsigned line = 0;
        unsigned offset = 0;
        std::vector<std::uint8_t> bytes{};
    };

    /// Text of -v may be between the heading and the row at 0; but other dumps of bytes may follow a function that is only named.
    [[nodiscard]] bool can_begin(unsigned number, const lspci_row& row) const {
        return number - heading_ <= max_distance || (row.offset == 0 && !row.of_file && begins_config(row.bytes));
    }

    void repeat_to(unsigned number, unsigned offset) {
        repeats_ = false;
        while (rows_.due() < std::min(offset, unsigned{config_space::size}))
            rows_.take(number, rows_.due(), last_);
    }

    unsigned heading_ = 0;
    dump_rows rows_;
    std::string shape_;     // of what stands before each
    bool colon_ = true;     // behind their offsets
    bool octal_ = false;    // so are the offsets
    bool repeats_ = false;  // the last is there until the next
    std::vector<std::uint8_t> last_;
    partial_row pending_;  // a row whose end is to come
};

}  // namespace devres::hardware::detail
