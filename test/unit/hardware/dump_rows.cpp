// SPDX-License-Identifier: BSL-1.0
#include <map>

#include "hardware/pasted.hpp"

using namespace test::pasted;

namespace {

/// A function in lines: its heading and sixteen rows.
lines function_lines() {
    std::istringstream in(text_of("02-interrupts-after.lspci"));
    lines out;
    for (std::string line; out.size() != 17 && std::getline(in, line);)
        out.push_back(line);
    return out;
}
std::string joined(const lines& all) {
    std::string out;
    for (const std::string& line : all)
        out += line + '\n';
    return out;
}
/// The function with its row at `offset` replaced.
std::string with_row(unsigned offset, const std::string& row) {
    lines all = function_lines();
    all[1 + offset / 16] = row;
    return joined(all);
}
std::string row(unsigned offset) { return function_lines()[1 + offset / 16]; }

const std::string whole = "0000:03:00.0 1ab4:0001 MSI-X 5 (0+2000, 0+3000) MSI 4 64-bit maskable INTx; 0 mem64";

}  // namespace

TEST_CASE("a row that is damaged or missing is not known, and that is said") {
    const std::string good = row(0x60);
    const std::string unknown = ": what is there is not known, and taken for zero; no capability is in it";
    const std::map<std::string, std::string> all{
        {good.substr(0, good.size() - 3), "damaged (line 8: 15 bytes of 16)"},
        {good + " 00", "damaged (line 8: not 16 bytes)"},
        {"60: 0 " + good.substr(7), "damaged (line 8: not 16 bytes)"},
        {"60: 0g " + good.substr(7), "damaged (line 8: not 16 bytes)"},
        {"60: 000" + good.substr(7), "damaged (line 8: not 16 bytes)"},
        {"60: .. =", "damaged (line 8: not 16 bytes)"},
        {"60: xx xx xx xx xx xx xx xx xx xx xx xx xx xx xx xx", "damaged (line 8: not 16 bytes)"},
        {good.substr(4), "damaged (line 8: no offset)"},
        {"60:", "missing"},
        {"", "missing"},
        {"[...]", "missing"},
    };
    for (const auto& [written, said] : all) {
        INFO(written);
        const reading found = read_text(with_row(0x60, written));
        CHECK(found.functions == lines{whole});
        CHECK(found.dumps[0].notes == lines{"the row at 0x60 is " + said + unknown});
    }
}

TEST_CASE("a row with a capability in it that is not known ends what is known") {
    const reading found = read_text(with_row(0x70, ""));
    CHECK(found.functions == lines{"0000:03:00.0 1ab4:0001 MSI 4 64-bit maskable INTx; 0 mem64"});
    CHECK(found.dumps[0].notes == lines{"the row at 0x70 is missing: the first 112 bytes count"});
    CHECK(found.dumps[0].msix() == hardware::capability_state::unknown);
}

TEST_CASE("a function without its first 64 bytes is left out, and the next is read") {
    const std::string why = ": left out, a function needs its first 64 bytes";
    const auto next = [&](const std::string& text) {
        const reading found = read_text(text + "\n" + replaced(joined(function_lines()), "03:00.0", "04:00.0"));
        CHECK(found.functions == lines{"0000:04:00.0" + whole.substr(12)});
        return found.left_out;
    };
    const std::string head = "0000:03:00.0 (line 1): ";
    CHECK(next(with_row(0x10, row(0x10).substr(0, 40))) ==
          head + "the row at 0x10 is damaged (line 3: 12 bytes of 16)" + why);
    CHECK(next(with_row(0, "00: b4")) == head + "the row at 0x0 is damaged (line 2: 1 byte of 16)" + why);
    CHECK(next(with_row(0x20, "")) == head + "the row at 0x20 is missing" + why);
    CHECK(next(joined(function_lines()).substr(0, 64 + 2 * 52)) == head + "the dump ends after 32 bytes" + why);
}

TEST_CASE("rows that are there twice or not in order are put right, and that is said") {
    const auto noted_of = [](const std::string& text) {
        const reading found = read_text(text);
        CHECK(found.functions == lines{whole});
        return found.dumps[0].notes.empty() ? "" : found.dumps[0].notes.front();
    };
    CHECK(noted_of(with_row(0x60, row(0x60) + "\n" + row(0x60))) == "the row at 0x60 is there twice (line 9)");
    CHECK(noted_of(with_row(0, row(0) + "\n" + row(0))) == "the row at 0x0 is there twice (line 3)");
    CHECK(noted_of(with_row(0x60, row(0x60) + "\n60: " + row(0).substr(4))) ==
          "the row at 0x60 is there twice, with other bytes (line 9): what comes first counts");
    lines swapped = function_lines();
    std::swap(swapped[6], swapped[7]);
    CHECK(noted_of(joined(swapped)) == "the row at 0x50 is not in order (line 8)");
    lines reversed = function_lines();
    std::reverse(reversed.begin() + 1, reversed.end());
    CHECK(noted_of(joined(reversed)) == "15 rows from 0xe0 on are not in order (line 3)");
    std::string two_columns = function_lines()[0] + "\n";
    for (unsigned at = 0; at != 0x80; at += 16)
        two_columns += row(at) + "    " + row(at + 0x80) + "\n";
    CHECK(noted_of(two_columns) == "7 rows from 0x10 on are not in order (line 3)");
    CHECK(noted_of(replaced(joined(function_lines()), "\n", " ")).empty());
    CHECK(noted_of(before_each(" ", with_row(0x50, row(0x50) + "\n+" + row(0x60).replace(0, 2, "50")))) ==
          "the row at 0x50 is there twice, with other bytes (line 8): what comes first counts");
}

TEST_CASE("rows are read as tools for files write them") {
    std::string bytes;
    for (unsigned at = 0; at != 256; at += 16) {
        for (unsigned i = 0; i != 16; ++i)
            bytes += static_cast<char>(std::stoi(row(at).substr(4 + 3 * i, 2), nullptr, 16));
    }
    const auto byte = [&](std::size_t i) { return hex(static_cast<unsigned char>(bytes[i]), 2); };
    // `digits` of an offset, in `base`; groups of `size` bytes, last first if they are numbers
    const auto dumped = [&](const char* form, bool octal, const std::string& behind, std::size_t size, bool numbers,
                            const std::string& end, bool short_form) {
        std::string out = std::string("$ sudo ") + form + " /sys/bus/pci/devices/0000:03:00.0/config\n";
        bool starred = false;
        const auto offset = [&](std::size_t at) {
            std::ostringstream text;
            text.width(octal || behind == " " ? 7 : 8);
            text.fill('0');
            (octal ? text << std::oct : text << std::hex) << at;
            return text.str();
        };
        for (std::size_t at = 0; at != bytes.size(); at += 16) {
            if (short_form && at != 0 && bytes.compare(at, 16, bytes, at - 16, 16) == 0) {
                out += starred ? "" : "*\n";
                starred = true;
                continue;
            }
            starred = false;
            out += offset(at) + behind;
            for (std::size_t i = at; i != at + 16; i += size) {
                for (std::size_t k = 0; k != size; ++k)
                    out += byte(numbers ? i + size - 1 - k : i + k);
                out += i + size == at + 16 ? "" : " ";
            }
            out += end + "\n";
        }
        return out + (behind.front() == ':' ? "" : offset(bytes.size()) + "\n");
    };
    for (const std::string& text :
         {dumped("hexdump -C", false, "  ", 1, false, "  |................|", true),
          dumped("xxd", false, ": ", 2, false, "  ....", false),
          dumped("xxd -g1", false, ": ", 1, false, "  ................", false),
          dumped("hexdump", false, " ", 2, true, "", true), dumped("od -Ax -tx1", false, "  ", 1, false, "", true),
          dumped("od -tx1", true, " ", 1, false, "", true), dumped("od -x", true, " ", 2, true, "", true),
          dumped("od -tx4 -v", true, " ", 4, true, "", false)}) {
        INFO(text);
        CHECK(read_text(text).functions == lines{whole});
        CHECK(read_text("00:00.0 Host bridge: named\n03:00.0 Ethernet controller: named\n" + text).functions ==
              lines{whole});
        CHECK(read_text("03:00.0 Ethernet controller\n" + text.substr(text.find('\n') + 1)).functions == lines{whole});
    }
    std::string efi = "03:00.0\n";
    for (unsigned at = 0; at != 256; at += 16)
        efi += "  000000" + row(at).replace(27, 1, "-") + "  *................*\n";
    CHECK(read_text(efi).functions == lines{whole});
    CHECK(read_text(replaced(joined(function_lines()), "0: ", "0 ")).functions == lines{whole});
}

TEST_CASE("other dumps of bytes are not taken for those of a function that is only named") {
    const std::string named = "00:00.0 Host bridge: A\n03:00.0 Ethernet controller: B\n";
    const std::string eeprom = "bus-info: 0000:03:00.0\n$ ethtool -e eth0\nOffset  Values\n"
                               "0x0000:  00 1b 21 aa bb cc 20 01 ff ff ff ff ff ff ff ff\n"
                               "0x0010:  00 1b 21 aa bb cc 20 01 ff ff ff ff ff ff ff ff\n";
    const std::string edid = "$ i2cdump 1\n     0  1  2  3\n\n\n"
                             "00: 00 ff ff ff ff ff ff 00 10 ac 20 01 ff ff ff 80 ................\n"
                             "10: 00 ff ff ff ff ff ff 00 10 ac 20 01 ff ff ff 80 ................\n";
    for (const std::string& text :
         {named + eeprom + edid + joined(function_lines()), joined(function_lines()) + named + edid + eeprom,
          eeprom + joined(function_lines()) + named + edid}) {
        const reading found = read_text(text);
        CHECK(found.functions == lines{whole});
        CHECK(found.left_out.find("4 rows of bytes that belong to no function") != std::string::npos);
    }
}

TEST_CASE("one bad function never costs another, and nothing of it is dropped in silence") {
    const lines good = function_lines();
    const auto at = [&](const std::string& address, const lines& all) {
        return replaced(joined(all), "03:00.0", address) + "\n";
    };
    const auto check = [&](const lines& bad) {
        const std::string text = at("02:00.0", good) + joined(bad) + "\n" + at("04:00.0", good);
        INFO(text);
        const reading found = read_text(text);
        REQUIRE(found.functions.size() >= 2);
        CHECK(found.functions.front() == "0000:02:00.0" + whole.substr(12));
        CHECK(found.functions.back() == "0000:04:00.0" + whole.substr(12));
        CHECK(found.dumps.front().notes.empty());
        CHECK(found.dumps.back().notes.empty());
        const bool same = found.functions.size() == 3 && found.functions[1] == whole;
        CHECK((same || !found.left_out.empty() || !found.dumps[1].notes.empty()));
    };
    for (std::size_t line = 1; line != good.size(); ++line) {
        lines bad = good;
        bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(line));
        check(bad);
        for (const std::size_t place : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 30U, 50U}) {
            for (const char* const wrong : {"", " ", "x", ":", "=", "\n", ">", "\t"}) {
                bad = good;
                bad[line].replace(place, 1, wrong);
                check(bad);
            }
            bad = good;
            bad[line].resize(place);
            check(bad);
        }
    }
}
