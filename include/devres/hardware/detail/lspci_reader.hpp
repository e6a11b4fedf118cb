// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/hardware/detail/dump_listings.hpp>
#include <devres/hardware/detail/dump_rows.hpp>
#include <devres/hardware/detail/lspci_candidates.hpp>
#include <devres/hardware/detail/lspci_heading.hpp>
#include <devres/hardware/detail/lspci_marks.hpp>
#include <devres/hardware/detail/lspci_row.hpp>
#include <devres/hardware/detail/lspci_size.hpp>
#include <devres/hardware/detail/lspci_words.hpp>
#include <devres/hardware/detail/open_rows.hpp>
#include <devres/hardware/dump.hpp>
#include <devres/hardware/dump_report.hpp>

namespace devres::hardware::detail {

/// Puts functions together from the lines of a pasted text. A line that begins no function and is no row of bytes is text; one
/// bad function costs no other.
class lspci_reader {
public:
    /// `remarks` are on what did not become lines.
    explicit lspci_reader(std::vector<std::string> remarks) : remarks_(std::move(remarks)) {}

    void line(unsigned number, std::string_view text) {
        while (!text.empty()) {
            const std::size_t length = line_length(text);
            read(number, text.substr(0, length));
            text.remove_prefix(length);
        }
    }

    /// The functions that have bytes, in the order of the text, each address once; the rest is said in `report`.
    [[nodiscard]] std::vector<dumped_function> finish(unsigned which, dump_report& report) {
        finish_function();
        dump_listings listings(found_, which, remarks_);
        const std::vector<std::string> without_bytes = listings.without_bytes();
        auto out = listings.take();
        report.remarks = std::move(remarks_);
        if (!without_bytes.empty())
            report.remarks.push_back(some("function", without_bytes) + " without bytes");
        if (stray_rows_ != 0)
            report.remarks.push_back(counted(stray_rows_, "row") + " of bytes that " +
                                     (stray_rows_ == 1 ? "belongs" : "belong") + " to no function, the first in line " +
                                     std::to_string(first_stray_) + behind_what());
        if (out.empty())
            explain(report, without_bytes);
        return out;
    }

private:
    void read(unsigned number, std::string_view raw) {
        raw = raw.substr(0, raw.find_last_not_of(" \t") + 1);
        const std::size_t quote = quote_length(raw);
        std::string_view text = raw.substr(quote);
        if (text.empty() || (open_ && rows_.take_rest(number, text)))
            return;
        const auto tabs = std::count(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(quote), '\t');
        const bool inner = open_ && tabs > tabs_ && rows_.empty();  // -v says it of a function
        std::string_view slot = text;
        if (take_word(slot, "Slot:") || (take_word(slot, "Device:") && find_heading(slot)))  // -vmm, -vm
            text = slot;
        const std::string_view marked = behind_marks(text);
        if (!inner) {
            auto heading = find_heading(text);
            if (!heading)
                heading = find_heading(marked);
            if (heading) {
                tabs_ = tabs;
                return begin(number, *heading);
            }
        }
        if (find_row_of(number, raw, text, marked))
            return;
        if (const auto early = find_config_heading(raw); early && raw.find(" config space") != std::string_view::npos)
            return begin(number, *early);
        if (open_ && (rows_.take_damaged(number, text) || rows_.take_damaged(number, marked)))
            return;
        if (describe(number, raw, text))
            return;
        if (!inner)
            candidates_.keep(number, raw, marked);
    }

    /// Removes `word` and the space behind it from the beginning. @returns whether it was there
    static bool take_word(std::string_view& text, std::string_view word) {
        if (!text.starts_with(word))
            return false;
        text = without_space(text.substr(word.size()));
        return true;
    }
    [[nodiscard]] std::string behind_what() const {
        return stray_prefix_.empty() ? "" : ", behind \"" + stray_prefix_ + "\", which nothing is known of";
    }

    void begin(unsigned number, const lspci_heading& heading) {
        auto where = heading.address;
        finish_function();
        if (!where && !heading.path.empty())
            where = behind_bridge(heading);
        if (!where) {
            remarks_.push_back("line " + std::to_string(number) + ": " + std::string(heading.path) + '/' +
                               std::string(heading.last) +
                               " has no bus number (lspci -P): lspci -PP, or none of both, says it");
            return;
        }
        if (!heading.path.empty())
            paths_[std::string(heading.path) + '/' + std::string(heading.last)] = *where;
        open(number, *where, std::string(heading.description));
    }
    void open(unsigned number, pci::address where, std::string description) {
        dumped_function& made = found_.emplace_back().function;
        made.address = where;
        made.line = number;
        made.description = std::move(description);
        open_ = true;
        rows_ = open_rows(number);
        candidates_.clear();
    }

    /// Of `-P`: the bus behind the bridge that the path leads to, if its bytes were there.
    [[nodiscard]] std::optional<pci::address> behind_bridge(const lspci_heading& heading) const {
        auto parent = address_in(heading.path);
        if (const auto known = paths_.find(std::string(heading.path)); known != paths_.end())
            parent = known->second;
        for (const listed_function& each : found_) {
            const std::vector<std::uint8_t>& config = each.function.config;
            if (!parent || each.function.address != *parent || !each.has_bytes() ||
                (config[pci::registers::header_type] & pci::registers::header::layout) !=
                    pci::registers::header::bridge)
                continue;
            const auto digit = [&](std::size_t i) { return static_cast<unsigned>(hex_digit(heading.last[i])); };
            return pci::address(parent->domain(), config[pci::registers::secondary_bus],
                                static_cast<std::uint8_t>(digit(0) << 4U | digit(1)),
                                static_cast<std::uint8_t>(digit(3)));
        }
        return std::nullopt;
    }

    /// @returns whether there is a row in the line
    bool find_row_of(unsigned number, std::string_view raw, std::string_view text, std::string_view marked) {
        if (open_ && rows_.take_repetition(number, text))
            return true;
        std::string_view before;
        auto row = find_row(text);
        if (!row)
            row = find_row(marked);
        if (!row) {
            const std::size_t inside = find_row_inside(raw);
            if (inside == std::string_view::npos)
                return false;
            row = find_row(raw.substr(inside));
            before = raw.substr(0, inside);
        }
        if (row->offset == 0 && row->whole && !(open_ && rows_.is_only(*row)))
            begin_with_row(number, before, *row);
        if (!(open_ && rows_.take(number, before, *row)) && row->whole)
            stray(before, number);
        return true;
    }

    /// The row at 0 is the beginning: of the function that is open, of one whose heading is like it, or of none.
    void begin_with_row(unsigned number, std::string_view before, const lspci_row& row) {
        const bool waits = open_ && !rows_.has_first();
        const lspci_candidate* const found = candidates_.choose(number, before, row, waits);
        if (found == nullptr) {
            if (open_ && !waits && rows_.is_like(row))
                finish_function();  // its heading is missing
            return;
        }
        const lspci_candidate chosen = *found;
        finish_function();
        open(chosen.line, chosen.address, chosen.description);
        found_.back().no_number = chosen.no_function;
        found_.back().sizes = chosen.sizes;
        const std::string taken = "taken for " + std::string(chosen.address.text());
        if (!chosen.exact && !chosen.no_function)
            found_.back().function.notes.push_back("its heading says \"" + chosen.written + "\" (line " +
                                                   std::to_string(chosen.line) + "): " + taken);
        if (chosen.guessed)
            remarks_.push_back("line " + std::to_string(number) + ": bytes without a heading, " + taken +
                               ", which line " + std::to_string(chosen.line) + " names");
    }

    void stray(std::string_view before, unsigned number) {
        if (stray_rows_++ == 0) {
            first_stray_ = number;
            stray_prefix_ = before;
        }
    }

    /// The function that was being read is complete.
    void finish_function() {
        if (!std::exchange(open_, false))
            return;
        dump_rows rows = std::exchange(rows_, {}).close();
        if (rows.is_untouched())
            return;
        listed_function& done = found_.back();
        done.function.config = rows.finish(done.function.notes);
        if (!done.has_bytes()) {
            done.left_out = true;
            remarks_.push_back(std::string(done.function.address.text()) + " (line " +
                               std::to_string(done.function.line) + "): " + done.function.notes.back());
        }
    }

    /// Text that -v (or -vmm) adds to a function. @returns whether it is any
    bool describe(unsigned number, std::string_view raw, std::string_view text) {
        auto size = find_size(text);
        if (!size && text.find("[size=") != std::string_view::npos)
            size = find_size(broken_ + ' ' + std::string(text));  // a mail program broke the line
        broken_ = text;
        if (size && candidates_.describe(*size))
            return true;
        if (!open_ || !rows_.empty())
            return false;
        listed_function& current = found_.back();
        std::string& description = current.function.description;
        for (const std::string_view key : {"Class:", "Vendor:", "Device:"}) {
            if (take_word(text, key)) {
                description += (description.empty() ? "\"" : " \"") + std::string(text) + '"';  // as -m has them
                return true;
            }
        }
        if (size) {  // -v comes before the bytes
            current.sizes.push_back(*size);
            return true;
        }
        if (number - current.function.line != 1 || raw.starts_with('\t') || is_detail(text))
            return false;
        const bool is_cut = description.find(": ") == std::string::npos && description.find('"') == std::string::npos;
        const std::string whole = description + (description.empty() ? "" : " ") + std::string(text);
        if (whole.find(": ") == std::string::npos || !(is_cut || (!said_ids(description) && said_ids(whole))))
            return false;
        description = whole;  // a mail program broke the heading
        return true;
    }

    /// Why there is no function.
    void explain(dump_report& report, const std::vector<std::string>& without_bytes) const {
        const auto left_out = std::find_if(found_.begin(), found_.end(),
                                           [](const auto& each) { return each.left_out; });
        if (left_out != found_.end()) {
            report.line = left_out->function.line;
            report.reason = std::string(left_out->function.address.text()) + ": " + left_out->function.notes.back();
        } else if (!without_bytes.empty()) {
            report.line = found_.front().function.line;
            report.reason = without_bytes.front() + " has no bytes: lspci needs -xxxx (or -xxx or -x)";
        } else if (report.remarks.size() > (stray_rows_ != 0 ? 1U : 0U)) {
            report.reason = report.remarks.front();
        } else if (stray_rows_ != 0) {
            report.line = first_stray_;
            report.reason = "bytes of no function: the line with its address is missing before them, such as "
                            "\"03:00.0 Ethernet controller\"" +
                            behind_what();
        } else {
            report.reason = "no function is in it: this is not the output of lspci -xxxx, which is to be had by "
                            "`sudo lspci -xxxx >FILE`";
        }
    }

    std::ptrdiff_t tabs_ = 0;  // before the address of a function
    std::vector<listed_function> found_;
    std::map<std::string, pci::address> paths_;
    lspci_candidates candidates_;
    bool open_ = false;   // the last of found_ is being read
    open_rows rows_;      // of it
    std::string broken_;  // the last text
    std::size_t stray_rows_ = 0;
    unsigned first_stray_ = 0;
    std::string stray_prefix_;  // what stands before that, if it is unknown
    std::vector<std::string> remarks_;
};

}  // namespace devres::hardware::detail
