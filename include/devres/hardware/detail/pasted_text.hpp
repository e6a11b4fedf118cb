// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <istream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <devres/hardware/detail/pasted_bytes.hpp>
#include <devres/hardware/detail/pasted_mail.hpp>
#include <devres/hardware/detail/pasted_markup.hpp>
#include <devres/hardware/detail/pasted_terminal.hpp>

/// Text as people paste it, as lines of plain characters: what mail, pages and terminals do to it is undone, in that order.
namespace devres::hardware::detail {

/// What became of a pasted text.
struct pasted_text {
    pasted_lines lines;
    std::vector<std::string> remarks;  ///< a sentence for each part that could not be read

    explicit pasted_text(std::istream& in) {
        std::string bytes = in_utf8(std::string(std::istreambuf_iterator<char>(in), {}));
        if (const std::string_view kind = packed_kind(bytes); !kind.empty()) {
            remarks.push_back("it is " + std::string(kind) + ": give the text that is in it");
            return;
        }
        mail_decoder mail;
        lines = without_markup(mail.decode(lines_of(bytes)));
        remarks = mail.remarks();
        for (pasted_line& line : lines)
            line.text = seen_of(std::move(line.text));
    }
};

}  // namespace devres::hardware::detail
