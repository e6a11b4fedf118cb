// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/hardware/detail/dump_reading.hpp>
#include <devres/hardware/detail/lspci_line.hpp>
#include <devres/hardware/detail/lspci_words.hpp>
#include <devres/hardware/dump.hpp>
#include <devres/hardware/dump_report.hpp>

namespace devres::hardware::detail {

/// Puts functions together from the lines of a pasted text. A line that begins no function and is no row of the bytes that
/// are due is text; one bad function costs no other.
class lspci_reader {
public:
    /// Of functions that are there more than once, takes the `which`-th, from 1, or the last if there are fewer; with 0, the first
    /// that has as many bytes as any.
    explicit lspci_reader(unsigned which) noexcept : which_(which) {}

    void line(unsigned number, std::string_view raw) {
        const std::size_t quote = quote_length(raw);
        const auto tabs = std::count(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(quote), '\t');
        std::string_view text = raw.substr(quote);
        const bool inner = current_ && tabs > tabs_ && found_.back().config.empty();  // -v says it of a function
        std::string_view slot = text;
        if (take_word(slot, "Slot:") || (take_word(slot, "Device:") && find_header(slot)))  // -vmm, -vm
            text = slot;
        const std::string_view marked = behind_marks(text);
        auto header = inner ? std::nullopt : find_header(text);
        if (!header && !inner)
            header = find_header(marked);
        if (header) {
            tabs_ = tabs;
            return begin(number, *header);
        }
        if (continue_row(number, text))
            return;
        if (const auto early = find_earlydump(raw))
            return begin(number, *early);
        auto row = find_row(text);
        if (!row)
            row = find_row(marked);
        if (const std::size_t stamp = raw.rfind("] "); !row && stamp != std::string_view::npos)
            row = find_row(without_space(raw.substr(stamp + 2)));
        if (row)
            return take(number, std::move(*row));
        if (const std::size_t inside = find_row_inside(raw); inside != std::string_view::npos)
            return take_behind(number, raw.substr(0, inside), *find_row(raw.substr(inside)));
        if (current_ && !broken_ && is_nearly_row(text, found_.back().config.size()))
            return breaks(number, "the row at " + hex(found_.back().config.size()) + " is malformed");
        if (!found_.empty())
            describe(text);
    }

    /// The functions that have bytes, in the order of the text, each address once; the rest is said in `report`.
    [[nodiscard]] std::vector<dumped_function> finish(dump_report& report) {
        finish_function();
        std::vector<dumped_function> out;
        std::map<pci::address, std::vector<std::size_t>> at;
        std::set<pci::address> said;  // why they are left out
        std::vector<std::string> without_bytes;
        for (std::size_t i = 0; i != found_.size(); ++i) {
            if (!found_[i].config.empty())
                at[found_[i].address].push_back(i);
            else if (!found_[i].notes.empty())
                said.insert(found_[i].address);
        }
        for (const dumped_function& each : found_) {
            if (each.config.empty() && !at.contains(each.address) && said.insert(each.address).second)
                without_bytes.emplace_back(each.address.text());
        }
        std::vector<std::size_t> taken;
        std::vector<std::string> repeated;
        bool is_first = true;
        for (const auto& [where, places] : at) {
            const std::size_t chosen = which_ == 0 ? longest(found_, places)
                                                   : std::min<std::size_t>(which_, places.size()) - 1;
            is_first = is_first && chosen == 0;
            taken.push_back(places[chosen]);
            if (places.size() != 1)
                repeated.push_back(places_text(where, places));
        }
        std::sort(taken.begin(), taken.end());
        if (!repeated.empty())
            remarks_.push_back(some("function", repeated) + " more than once: the " +
                               (which_ > 1 ? "one of --which"
                                : is_first ? "first"
                                           : "first with most bytes") +
                               " is taken, --which N takes another");
        for (const std::size_t i : taken)
            out.push_back(std::move(found_[i]));
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

    void begin(unsigned number, const lspci_header& header) {
        finish_function();
        auto where = header.address;
        if (!where && !header.path.empty())
            where = behind_bridge(header);
        if (!where) {
            remarks_.push_back("line " + std::to_string(number) + ": " + std::string(header.path) + '/' +
                               std::string(header.last) +
                               " has no bus number (lspci -P): lspci -PP, or none of both, says it");
            current_ = false;
            return;
        }
        if (!header.path.empty())
            paths_[std::string(header.path) + '/' + std::string(header.last)] = *where;
        dumped_function& made = found_.emplace_back();
        made.address = *where;
        made.line = number;
        made.description = header.description;
        current_ = true;
        broken_ = false;
    }

    /// Of `-P`: the bus behind the bridge that the path leads to, if its bytes were there.
    [[nodiscard]] std::optional<pci::address> behind_bridge(const lspci_header& header) const {
        auto parent = pci::address::parse(header.path.data(), header.path.size());
        if (const auto known = paths_.find(std::string(header.path)); known != paths_.end())
            parent = known->second;
        return parent ? behind(*parent, header.last, found_) : std::nullopt;
    }

    void take(unsigned number, lspci_row row) {
        const bool due = current_ && !broken_ && row.offset == found_.back().config.size() &&
                         row.offset < config_space::size;
        if (due) {
            std::vector<std::uint8_t>& config = found_.back().config;
            config.insert(config.end(), row.bytes.begin(), row.bytes.end());
        } else if (row.whole) {
            if (row.offset == 0)
                finish_function();  // of a function whose line with the address is missing
            if (!current_)
                stray(number);
            else if (!broken_)
                breaks(number, "the row at " + hex(row.offset) + " is not the one that is due");
        }
    }

    /// A row with something unknown before it: it goes on with what had the same before it, or begins nothing.
    void take_behind(unsigned number, std::string_view before, lspci_row row) {
        if (current_ && row.offset != 0 && before == prefix_)
            return take(number, std::move(row));
        if (current_ && row.offset == 0 && found_.back().config.empty()) {
            prefix_ = before;
            return take(number, std::move(row));
        }
        if (current_)
            finish_function();
        if (stray_rows_ == 0)
            stray_prefix_ = before;
        stray(number);
    }

    /// A row that was broken into two lines. @returns whether this is its end
    bool continue_row(unsigned number, std::string_view text) {
        if (!current_ || broken_ || found_.back().config.size() % 16 == 0)
            return false;
        std::vector<std::uint8_t>& config = found_.back().config;
        const auto more = find_bytes(text, 16 - config.size() % 16, true);
        if (more && !more->empty()) {
            config.insert(config.end(), more->begin(), more->end());
            return true;
        }
        if (!text.empty())
            breaks(number, "the row at " + hex(config.size() & ~std::size_t{15}) + " is cut");
        return false;
    }

    void stray(unsigned number) {
        if (stray_rows_++ == 0)
            first_stray_ = number;
    }
    /// The bytes of the function end here; what follows of them is passed over.
    void breaks(unsigned number, const std::string& why) {
        broken_ = true;
        why_broken_ = why + " (line " + std::to_string(number) + ')';
    }

    /// Cuts the function that was being read to a size that lspci writes.
    void finish_function() {
        if (!current_ || found_.empty())
            return;
        current_ = false;
        dumped_function& done = found_.back();
        const std::size_t size = done.config.size();
        std::size_t kept = 0;
        for (const std::size_t whole :
             {std::size_t{64}, std::size_t{128}, std::size_t{256}, config_space::size + std::size_t{0}})
            kept = size >= whole ? whole : kept;
        const std::string name(done.address.text());
        if (size != kept) {
            done.config.resize(kept);
            const std::string what = "ends after " + std::to_string(size) + " bytes" +
                                     (why_broken_.empty() ? "" : ", " + why_broken_);
            if (kept == 0)
                leave_out(done, name + ' ' + what + ": left out");
            else
                done.notes.push_back("the dump " + what + ": the first " + std::to_string(kept) + " count");
        } else if (size != 0 && !why_broken_.empty()) {
            done.notes.push_back("the dump ends after " + std::to_string(size) + " bytes: " + why_broken_);
        }
        if (size == 0 && !why_broken_.empty())
            leave_out(done, name + ": " + why_broken_ + ": left out");
        why_broken_.clear();
        match_sizes(done, sizes_);
        sizes_.clear();
    }

    void leave_out(dumped_function& done, std::string why) {
        done.notes.push_back(why);
        remarks_.push_back(std::move(why));
    }

    /// Text that -v (or -vmm) adds to a function.
    void describe(std::string_view text) {
        std::string& description = found_.back().description;
        for (const std::string_view key : {"Class:", "Vendor:", "Device:"}) {
            if (found_.back().config.empty() && take_word(text, key)) {
                description += (description.empty() ? "\"" : " \"") + std::string(text) + '"';  // as -m has them
                return;
            }
        }
        if (const auto said = find_size(text); said && found_.back().config.empty())  // -v comes before the bytes
            sizes_.push_back(*said);
    }

    /// "0000:03:00.0 in lines 2, 21"
    [[nodiscard]] std::string places_text(pci::address where, const std::vector<std::size_t>& places) const {
        std::string lines;
        for (const std::size_t place : places)
            lines += (lines.empty() ? "" : ", ") + std::to_string(found_[place].line);
        return std::string(where.text()) + " in lines " + lines;
    }

    /// Why there is no function.
    void explain(dump_report& report, const std::vector<std::string>& without_bytes) const {
        if (!without_bytes.empty()) {
            report.line = found_.front().line;
            report.reason = without_bytes.front() + " has no bytes: lspci needs -xxxx (or -xxx or -x)";
        } else if (report.remarks.size() > (stray_rows_ != 0 ? 1U : 0U)) {
            report.reason = report.remarks.front();
        } else if (stray_rows_ != 0) {
            report.line = first_stray_;
            report.reason = "bytes of no function: the line with its address is missing before them" + behind_what();
        } else {
            report.reason = "no function is in it: this is not the output of lspci -xxxx";
        }
    }

    unsigned which_;
    std::ptrdiff_t tabs_ = 0;  // before the address of a function
    std::vector<dumped_function> found_;
    std::map<std::string, pci::address> paths_;
    std::vector<said_size> sizes_;
    bool current_ = false;  // the last of found_ is being read
    bool broken_ = false;   // and takes no more bytes
    std::string why_broken_;
    std::size_t stray_rows_ = 0;
    unsigned first_stray_ = 0;
    std::string stray_prefix_;  // what stands before that, if it is unknown
    std::string prefix_;        // what stands before the rows of the function that is read
    std::vector<std::string> remarks_;
};

}  // namespace devres::hardware::detail
