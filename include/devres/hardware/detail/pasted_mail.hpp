// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/hardware/detail/pasted_bytes.hpp>
#include <devres/hardware/detail/text.hpp>

/// The second stage of reading a pasted text: what mail programs do to carry it is undone, quoted-printable and base64.
namespace devres::hardware::detail {

/// The bytes that a text in base64 stands for; what is no digit of it is passed over.
[[nodiscard]] inline std::string from_base64(std::string_view text) {
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const std::size_t digit = digits.find(c);
        if (digit == std::string_view::npos)
            continue;
        bits = bits << 6U | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xffU);
        }
    }
    return out;
}

/// Undoes "=3D" and its like. Where no header says that there are any (`sure`), only those are that no other text has: "=20" and
/// "=09" at the end, "=3D", no-break spaces, punctuation of UTF-8.
[[nodiscard]] inline std::string unquoted(std::string_view line, bool sure) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const int high = line[i] == '=' && i + 2 < line.size() ? hex_digit(line[i + 1]) : -1;
        const int low = high < 0 ? -1 : hex_digit(line[i + 2]);
        const std::string_view rest = line.substr(i);
        const bool known = rest.starts_with("=3D") || rest.starts_with("=C2=A0") || rest.starts_with("=A0") ||
                           rest.starts_with("=E2=80=") || rest == "=20" || rest == "=09" || rest == "=20=20";
        if (low < 0 || (!sure && !known)) {
            out += line[i];
            continue;
        }
        const std::size_t count = sure || rest.starts_with("=3D") ? 1
                                  : rest.starts_with("=E2=80=")   ? 3
                                  : rest.starts_with("=C2")       ? 2
                                                                  : 1;
        if (count != 1) {
            out += unquoted(rest.substr(0, 3 * count), true);
            i += 3 * count - 1;
            continue;
        }
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return out;
}

/// Whether it begins as a row or a function does, which nothing that was broken off another line does.
[[nodiscard]] inline bool begins_anew(std::string_view line) noexcept {
    line.remove_prefix(std::min(line.find_first_not_of(" \t>|"), line.size()));
    const std::size_t digits = std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
    return digits >= 2 && digits <= 8 && line.substr(digits).starts_with(':');
}

/// Takes lines of a mail's and gives them back as they were written.
class mail_decoder {
public:
    [[nodiscard]] pasted_lines decode(pasted_lines lines) {
        for (std::size_t i = 0; i != lines.size(); ++i) {
            if (const std::size_t end = end_of_base64(lines, i); end != i) {
                const std::string bytes = from_base64(joined(lines, i, end));
                const std::string_view kind = packed_kind(bytes);
                if (encoding_ == encoding::base64 || is_text(bytes)) {
                    flush();
                    if (kind.empty())
                        append(lines_of(in_utf8(bytes), lines[i].number, true));
                    else
                        remarks_.push_back("line " + std::to_string(lines[i].number) + ": an attachment is " +
                                           std::string(kind) + ", which is not read: give what is in it");
                    i = end - 1;
                    continue;
                }
            }
            add(std::move(lines[i]));
        }
        flush();
        return std::move(out_);
    }

    /// What could not be decoded, a sentence each.
    [[nodiscard]] const std::vector<std::string>& remarks() const noexcept { return remarks_; }

private:
    enum class encoding { none, quoted_printable, base64 };

    void add(pasted_line line) {
        if (const auto said = said_encoding(line.text)) {
            encoding_ = *said;
            in_body_ = false;
        } else if (is_boundary(line.text)) {
            encoding_ = encoding::none;
        } else if (line.text.empty()) {
            in_body_ = true;
        }
        const bool sure = encoding_ == encoding::quoted_printable;
        std::string_view text = line.text;
        text = text.substr(0, text.find_last_not_of(" \t") + 1);
        const bool goes_on = text.ends_with('=') && text.size() > 1 && !text.ends_with("==");
        text.remove_suffix(goes_on ? 1 : 0);
        if (held_ && !sure && begins_anew(text))
            flush();
        std::string piece = text.find('=') == std::string_view::npos && !goes_on ? std::move(line.text)
                                                                                 : unquoted(text, sure);
        if (!held_) {
            held_ = pasted_line{line.number, std::move(piece)};
        } else {
            const std::string_view mark = std::string_view(held_->text)
                                              .substr(0, held_->text.find_first_not_of(" \t>|"));
            const bool quoted = mark.find('>') != std::string_view::npos && piece.starts_with(mark);
            held_->text.append(piece, quoted ? mark.size() : 0);
        }
        if (!goes_on)
            flush();
    }

    /// What is held is complete.
    void flush() {
        if (!held_)
            return;
        if (held_->text.find_first_of("\r\n") == std::string::npos)
            out_.push_back(std::move(*held_));
        else
            append(lines_of(in_utf8(held_->text), held_->number, true));
        held_.reset();
    }
    void append(pasted_lines more) {
        out_.insert(out_.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
    }

    /// What a mail's header says of the lines that follow.
    static std::optional<encoding> said_encoding(std::string_view line) {
        static constexpr std::string_view name = "content-transfer-encoding:";
        std::string lower(line.substr(0, 60));
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (!lower.starts_with(name))
            return std::nullopt;
        return lower.find("quoted-printable") != std::string::npos ? encoding::quoted_printable
               : lower.find("base64") != std::string::npos         ? encoding::base64
                                                                   : encoding::none;
    }

    /// "--0123abc", between the parts of a mail.
    static bool is_boundary(std::string_view line) noexcept {
        return line.size() > 8 && line.starts_with("--") && line.find(' ') == std::string_view::npos &&
               line.find_first_not_of('-') != std::string_view::npos;
    }

    /// Behind the lines of base64 that begin at `i`: those of a part that is said to be, or three and more of one length.
    [[nodiscard]] std::size_t end_of_base64(const pasted_lines& lines, std::size_t i) const noexcept {
        const bool said = encoding_ == encoding::base64 && in_body_;
        const std::size_t width = lines[i].text.size();
        if (!said && (width < 56 || held_))
            return i;
        std::size_t end = i;
        while (end != lines.size() && is_base64(lines[end].text) && (said || lines[end].text.size() == width))
            ++end;
        if (!said && end - i < 3)
            return i;
        if (!said && end != lines.size() && lines[end].text.size() < width && is_base64(lines[end].text))
            ++end;
        return end;
    }
    static std::string joined(const pasted_lines& lines, std::size_t begin, std::size_t end) {
        std::string out;
        for (; begin != end; ++begin)
            out += lines[begin].text;
        return out;
    }

    static bool is_base64(std::string_view line) noexcept {
        return !line.empty() && std::all_of(line.begin(), line.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '=';
        });
    }
    static bool is_text(const std::string& bytes) {
        const std::string text = in_utf8(bytes).substr(0, 200);
        return std::all_of(text.begin(), text.end(),
                           [](unsigned char c) { return c >= 0x20 || c == '\n' || c == '\r' || c == '\t'; }) &&
               text.find(' ') != std::string::npos && text.find('\n') != std::string::npos;
    }

    encoding encoding_ = encoding::none;
    bool in_body_ = false;
    std::optional<pasted_line> held_;  // a line that goes on in the next
    pasted_lines out_;
    std::vector<std::string> remarks_;
};

}  // namespace devres::hardware::detail
