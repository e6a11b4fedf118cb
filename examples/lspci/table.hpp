// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "output.hpp"

/// Tables and lines of the page's width.
namespace lspci::detail {

constexpr std::size_t page_width = 110;

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

}  // namespace lspci::detail
