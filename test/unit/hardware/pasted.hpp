// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <devres/sim.hpp>

#include "support/catch.hpp"

/// Dumps as people paste them, what is read of them, and what mail, pages and terminals make of a text.
namespace test::pasted {

using namespace devres;

inline std::filesystem::path data(const std::string& name) {
    const std::filesystem::path here = __FILE__;
    return here.parent_path().parent_path().parent_path() / "data" / name;
}

inline std::string hex(std::uint64_t value, int width = 1) {
    std::ostringstream out;
    out.width(width);
    out.fill('0');
    out << std::hex << value;
    return out.str();
}

/// "03:00.0 1ab4:0001 MSI-X 5 (0+2000, 0+3000), MSI 4 (64-bit, maskable), INTx; 0 mem64"
inline std::string said(const sim::dumped_function& dump) {
    const sim::function_config config = dump.to_config();
    std::string out = std::string(dump.address.text()) + ' ' + hex(config.vendor, 4) + ':' + hex(config.device, 4);
    if (config.msix_vectors != 0)
        out += " MSI-X " + std::to_string(config.msix_vectors) + " (" + std::to_string(*config.msix_table_bar) + '+' +
               hex(config.msix_table_offset) + ", " + std::to_string(*config.msix_pba_bar) + '+' +
               hex(*config.msix_pba_offset) + ')';
    if (config.msi_vectors != 0)
        out += " MSI " + std::to_string(config.msi_vectors) + (config.msi_wide ? " 64-bit" : " 32-bit") +
               (config.msi_maskable ? " maskable" : "");
    if (config.intx)
        out += " INTx";
    const auto bars = dump.bars();
    for (unsigned i = 0; i != bars.size(); ++i) {
        if (bars[i].used)
            out += "; " + std::to_string(i) +
                   (bars[i].io     ? " io"
                    : bars[i].wide ? " mem64"
                                   : " mem32") +
                   (bars[i].size ? ' ' + std::to_string(*bars[i].size) : std::string());
    }
    return out;
}

struct reading {
    std::vector<std::string> functions;
    std::string left_out;
    std::vector<sim::dumped_function> dumps;
};

inline reading read(std::istream& in) {
    sim::dump_report report;
    reading out;
    auto found = sim::read_lspci(in, &report);
    INFO(report.line << ": " << report.reason);
    REQUIRE(found);
    out.dumps = std::move(*found);
    for (const auto& each : out.dumps)
        out.functions.push_back(said(each));
    out.left_out = report.summary();
    return out;
}
inline reading read_file(const std::string& name) {
    std::ifstream in(data("lspci/" + name));
    REQUIRE(in);
    return read(in);
}
inline reading read_text(const std::string& text) {
    std::istringstream in(text);
    return read(in);
}

inline std::string text_of(const std::string& name) {
    std::ifstream in(data("lspci/" + name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

using lines = std::vector<std::string>;

/// A text with each line as `made` has it, without its end.
inline std::string each_line(const std::string& text, const std::function<std::string(const std::string&)>& made) {
    std::istringstream in(text);
    std::string out;
    for (std::string line; std::getline(in, line);)
        out += made(line) + '\n';
    return out;
}
inline std::string before_each(const std::string& mark, const std::string& text) {
    return each_line(text, [&](const std::string& line) { return mark + line; });
}
inline std::string behind_each(const std::string& text, const std::string& mark) {
    return each_line(text, [&](const std::string& line) { return line + mark; });
}

inline std::string replaced(const std::string& text, const std::string& from, const std::string& to) {
    std::string out;
    for (std::size_t at = 0, next = 0; at < text.size(); at = next) {
        next = std::min(text.find(from, at), text.size());
        out += text.substr(at, next - at);
        if (next < text.size()) {
            out += to;
            next += from.size();
        }
    }
    return out;
}

inline std::string in_utf16(const std::string& text, bool big, bool mark) {
    std::string out = !mark ? "" : big ? "\xfe\xff" : "\xff\xfe";
    for (const char c : text)
        out.append({big ? '\0' : c, big ? c : '\0'});
    return out;
}

inline std::string in_base64(const std::string& text) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0, column = 0; i < text.size(); i += 3) {
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k != 3; ++k)
            bits = bits << 8U | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U);
        for (std::size_t k = 0; k != 4; ++k)
            out += i + k > text.size() ? '=' : digits[bits >> (18 - 6 * k) & 63U];
        if ((column += 4) % 72 == 0)
            out += '\n';
    }
    return out + '\n';
}

}  // namespace test::pasted
