// SPDX-License-Identifier: BSL-1.0
#include <map>

#include "hardware/pasted.hpp"

using namespace test::pasted;

namespace {

using texts = std::map<std::string, std::string>;

/// Two functions, with the sizes of their BARs.
std::string verbose() {
    const auto sized = [](std::string text, const std::string& address) {
        return text.insert(text.find("00: "), "\tSubsystem: Example Corp. Device 1000\n\tRegion 0: Memory at " +
                                                  address + " (64-bit, non-prefetchable) [size=16K]\n");
    };
    const std::string text = text_of("08-nbsp-indent-second.lspci");
    const std::string first = text_of("02-interrupts-after.lspci");
    std::string one = first.substr(0, first.find("f0: ") + 52);
    return sized(one, "fe000000") + '\n' + sized(replaced(one, "03:00.0", "04:00.0"), "fe000000") + "\nthat is all\n";
}

/// Each reads as the text itself.
void all_read_as(const std::string& text, const texts& all) {
    const reading plain = read_text(text);
    REQUIRE(plain.functions.size() == 2);
    REQUIRE(plain.functions[0].ends_with("; 0 mem64 16384"));
    for (const auto& [name, pasted] : all) {
        INFO(name);
        const reading found = read_text(pasted);
        CHECK(found.functions == plain.functions);
        CHECK(found.left_out == plain.left_out);
    }
}

std::string quoted_printable(const std::string& text, const std::string& space = " ") {
    return each_line(text, [&](const std::string& line) {
        std::string out, written;
        for (const char c : line) {
            const std::string next = c == '=' ? "=3D" : c == ' ' ? space : std::string(1, c);
            if (written.size() + next.size() > 75) {
                out += written + "=\n";
                written.clear();
            }
            written += next;
        }
        return out + (written.ends_with(' ') ? written.substr(0, written.size() - 1) + "=20" : written);
    });
}

}  // namespace

TEST_CASE("what a mail carries is decoded, whether its header was pasted or not") {
    const std::string text = verbose();
    const std::string quoted = "Content-Transfer-Encoding: quoted-printable\n\n";
    const std::string base64 = "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n";
    const auto soft = [&](const std::string& end) {
        return each_line(text, [&](const std::string& line) {
            return line.size() < 30 ? line : line.substr(0, 30) + end + "\n" + line.substr(30);
        });
    };
    all_read_as(text,
                {
                    {"quoted-printable", quoted + quoted_printable(text)},
                    {"quoted-printable, no header", quoted_printable(text)},
                    {"quoted-printable, no-break spaces", quoted + quoted_printable(text, "=C2=A0")},
                    {"quoted-printable, no-break spaces, no header", quoted_printable(text, "=C2=A0")},
                    {"quoted-printable, of Latin-1", quoted_printable(text, "=A0")},
                    {"quoted-printable, spaces at the end", behind_each(text, "=20")},
                    {"quoted-printable, CRLF", replaced(quoted_printable(text), "\n", "\r\n")},
                    {"soft line ends", soft("=")},
                    {"soft line ends and spaces", soft("=  ")},
                    {"bytes that are quoted", quoted + replaced(replaced(text, "=", "=3D"), " 00 ", " =30=\n0=20")},
                    {"base64", base64 + in_base64(text) + "\n--boundary--\n"},
                    {"base64, no header", "see:\n\n" + in_base64(text) + "\nbye\n"},
                    {"base64 of UTF-16", base64 + in_base64(in_utf16(text, false, true))},
                    {"base64 of UTF-16 without a mark", base64 + in_base64(in_utf16(text, false, false))},
                    {"base64 of a page", base64 + in_base64("<html><pre>" + text + "</pre></html>")},
                    {"parts", "--abcdef0123\n" + quoted + "Hello=2E\n--abcdef0123\n\n" + text + "--abcdef0123--\n"},
                    {"a line that ends so", "PATH=\n=====\n" + text},
                });
}

TEST_CASE("a packed attachment is said, and a packed file is an error that says so") {
    const std::string gzip =
        "\x1f\x8b\x08 and so on, for some lines of base64, as an attachment has them, so that they are";
    const std::string mail = "Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n" + in_base64(gzip) +
                             "\n";
    CHECK(read_text(verbose() + mail).left_out ==
          "line 45: an attachment is a gzip file, which is not read: give what is in it");
    std::istringstream in(gzip);
    sim::dump_report report;
    CHECK(sim::read_lspci(in, &report).error() == errc::einval);
    CHECK(report.reason == "it is a gzip file: give the text that is in it");
}

TEST_CASE("characters and line ends of every kind are read") {
    const std::string text = verbose();
    all_read_as(text,
                {
                    {"UTF-16", in_utf16(text, false, true)},
                    {"UTF-16, big-endian", in_utf16(text, true, true)},
                    {"UTF-16 without a mark", in_utf16(text, false, false)},
                    {"UTF-16, big-endian, without a mark", in_utf16(text, true, false)},
                    {"UTF-8, and UTF-16 behind it", "a log\n" + in_utf16("\n" + text, false, false)},
                    {"no-break spaces", replaced(text, " ", "\xc2\xa0")},
                    {"no-break spaces of Latin-1", replaced(text, " ", "\xa0")},
                    {"wide spaces and colons", replaced(replaced(text, " ", "\xe3\x80\x80"), ":", "\xef\xbc\x9a")},
                    {"characters without a width", replaced(text, " ", " \xe2\x80\x8b\xe2\x80\x8e")},
                    {"Windows' quotation marks", "He said \x93it fails\x94 \x96 see\n" + text},
                    {"CRLF", replaced(text, "\n", "\r\n")},
                    {"CR", replaced(text, "\n", "\r")},
                    {"CR CR LF", replaced(text, "\n", "\r\r\n")},
                    {"mixed", replaced(replaced(text, "0\n", "0\r\n"), "1\n", "1\r")},
                    {"Unicode's separators", replaced(text, "\n", "\xe2\x80\xa8")},
                    {"NEL", replaced(text, "\n", "\xc2\x85")},
                    {"NEL of Latin-1", replaced(text, "\n", "\x85")},
                    {"form feeds", replaced(text, "\n\n", "\f")},
                });
}

TEST_CASE("what a terminal shows is read, whatever it was told") {
    const std::string text = verbose();
    std::string struck;
    for (const char c : text) {
        struck += c;
        if (c != ' ' && c != '\n' && c != '\t')
            struck += std::string("\b") + c;
    }
    const auto colour = [&](const std::string& escape) {
        return each_line(text, [&](const std::string& line) { return escape + "[01;31m" + line + escape + "[0m"; });
    };
    all_read_as(text, {
                          {"struck over", struck},
                          {"struck over, as cat -v has it", replaced(struck, "\b", "^H")},
                          {"CR as cat -v has it", behind_each(text, "^M")},
                          {"colours", colour("\x1b")},
                          {"colours as cat -v has them", colour("^[")},
                          {"colours of a program's text", colour("\\033")},
                          {"colours without their escape", colour("")},
                          {"character sets", before_each("\x1b(B\x1b[m", text)},
                          {"ends of lines cleared", behind_each(text, "\x1b[K")},
                          {"a cursor that moves", before_each("xy\x1b[2D\x1b[K", text)},
                          {"script(1)", "Script started on 2026-01-01\n\x1b]0;root@host: ~\a\x1b[?2004hroot@host:~# "
                                        "lss\b \bpci -xxxx\r\n\x1b[?2004l\r" +
                                            replaced(text, "\n", "\r\n") + "\x1b]0;root@host: ~\x1b\\exit\r\n"},
                      });
}

TEST_CASE("pages and strings of programs are read") {
    const std::string text = verbose();
    const std::string page = replaced(text, " ", "&nbsp;");
    const std::string lines_in_spans = each_line(text, [](const std::string& line) {
        return "<div dir=\"ltr\"><span style=\"font-family: monospace; font-size:\n10pt\">" + line + "</span></div>";
    });
    const std::string escaped = replaced(replaced(text, "\n", "\\n"), "\t", "\\t");
    all_read_as(
        text,
        {
            {"<pre>", "<html><body><p>Hi</p><pre>" + text + "</pre></body></html>"},
            {"<br>", "<div>" + replaced(page, "\n", "<br>") + "</div>"},
            {"<BR />", "<div>" + replaced(page, "\n", "<BR />\n") + "</div>"},
            {"spans", lines_in_spans},
            {"spans in one line", replaced(lines_in_spans, "</div>\n", "</div>")},
            {"escaped twice", replaced(page, "&", "&amp;")},
            {"numbers of characters", replaced(replaced(text, " ", "&#160;"), ":", "&#x3a;")},
            {"a table",
             each_line(text,
                       [](const std::string& line) { return "<tr><td class=\"n\"></td><td>" + line + "</td></tr>"; })},
            {"JSON", "{\"id\": 5, \"body\": \"" + escaped + "\"}"},
            {"JSON, CRLF", "{\"body\": \"" + replaced(escaped, "\\n", "\\r\\n") + "\"}"},
            {"JSON in JSON", "\"{\\\"body\\\": \\\"" + replaced(escaped, "\\", "\\\\") + "\\\"}\""},
            {"JSON, an array",
             "[" +
                 each_line(text, [](const std::string& line) { return " \"" + replaced(line, "\t", "\\t") + "\","; }) +
                 "]"},
        });
}

TEST_CASE("marks of mails, forums, logs and tools are nothing") {
    const std::string text = verbose();
    unsigned number = 0;
    const auto numbered = [&](const std::string& behind) {
        number = 0;
        return each_line(text, [&](const std::string& line) { return std::to_string(++number) + behind + line; });
    };
    texts all{
        {"[code]", "[quote=\"bob\"][code]" + text + "[/code]"},
        {"a fence", "```text\n" + text + "```\n"},
        {"a table", each_line(text, [](const std::string& line) { return "| " + line + " |"; })},
        {"single quotes", each_line(text, [](const std::string& line) { return "> `" + line + "`"; })},
        {"numbers", numbered("  ")},
        {"numbers and tabs", numbered("\t")},
        {"numbers and bars", numbered(" | ")},
        {"numbers and frames", numbered(" \xe2\x94\x82 ")},
        {"grep -n", numbered(":")},
        {"grep -A", each_line(text,
                              [](const std::string& line) {
                                  return (line.find(".0 Eth") != std::string::npos ? "lspci.txt:" : "lspci.txt-") +
                                         line;
                              })},
        {"kernel messages between", replaced(text, "\n80: ", "\n[  123.456789] usb 1-1: new device\n80: ")},
        {"a tree between", replaced(text, "\n\n", "\n\n-[0000:00]-+-00.0\n           \\-1f.3\n\n")},
        {"sudo", "u@h:~$ sudo lspci -vxxx\n[sudo] password for u: \npcilib: sysfs_read_vpd: read failed\n" + text},
    };
    for (const std::string mark : {"> ", "> >> ", "JD> ", "+", "-", " ", "# ", " * ", "// ", "    ", "\t  ", "<nick> ",
                                   "[12:34] <nick> ", "&gt; ", "Nov 27 08:00:00 host lspci[1234]: ",
                                   "2026-11-27T08:00:00.123456+00:00 host kernel: ", "[   12.345678] "})
        all[mark] = before_each(mark, text);
    all_read_as(text, all);
}
