// SPDX-License-Identifier: BSL-1.0
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/driver.hpp"
#include "support/catch.hpp"

using namespace test;
namespace reg = devres::pci::registers;

namespace {

/// 256 bytes of a function: MSI at 40 (4 vectors), MSI-X at 60 (33 entries, BAR 0 at 2000, PBA BAR 2 at 0), a
/// 64-bit BAR 0 that is aligned to 64 KiB, an I/O BAR 4.
std::vector<std::uint8_t> sample() {
    std::vector<std::uint8_t> config(256);
    const auto put = [&](unsigned offset, unsigned width, std::uint32_t value) {
        hardware::detail::set_field(config, offset, width, value);
    };
    put(0, 4, 0x8531'11f8);
    put(reg::command, 2, 0x0406);
    put(reg::status, 2, 0x0018);
    put(reg::revision, 4, 0x0580'0002);
    put(reg::bar, 4, 0xfe81'0004);
    put(reg::bar + 8, 4, 0xfe80'0000);
    put(reg::bar + 16, 4, 0x0000'c041);
    put(reg::capabilities, 1, 0x40);
    put(reg::interrupt_pin, 1, 1);
    put(0x40, 4, 0x01a5'6005);  // enabled, 4 capable, 4 enabled, 64-bit, maskable
    put(0x44, 4, 0xfee0'1004);
    put(0x4c, 2, 0x4321);
    put(0x60, 4, 0xc020'0011);  // enabled, function mask
    put(0x64, 4, 0x0000'2000);
    put(0x68, 4, 0x0000'0002);
    return config;
}

std::string rows(const std::vector<std::uint8_t>& config, const std::string& before = "",
                 const std::string& end = "\n") {
    std::string out;
    char text[8];
    for (std::size_t i = 0; i != config.size(); ++i) {
        if (i % 16 == 0) {
            std::snprintf(text, sizeof(text), "%02x:", static_cast<unsigned>(i));
            out += before + text;
        }
        std::snprintf(text, sizeof(text), " %02x", config[i]);
        out += text;
        if (i % 16 == 15)
            out += end;
    }
    return out;
}

const std::string header = "3a:00.0 Memory controller: A switch (rev 02)";

std::vector<hardware::dumped_function> read(const std::string& text) {
    std::istringstream in(text);
    hardware::dump_report where;
    auto found = hardware::read_lspci(in, &where);
    INFO(where.line << ": " << where.reason);
    REQUIRE(found);
    return *found;
}

std::string error(const std::string& text) {
    std::istringstream in(text);
    hardware::dump_report where;
    const auto found = hardware::read_lspci(in, &where);
    if (found)
        return "no error";
    CHECK(found.error() == errc::einval);
    return std::to_string(where.line) + ": " + where.reason;
}

std::vector<hardware::dumped_function> read_file(const std::string& name) {
#ifdef DEVRES_SOURCE_DIR
    const std::filesystem::path root = DEVRES_SOURCE_DIR;
#else
    const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path();
#endif
    std::ifstream in(root / name);
    REQUIRE(in);
    hardware::dump_report where;
    auto found = hardware::read_lspci(in, &where);
    INFO(name << ':' << where.line << ": " << where.reason);
    REQUIRE(found);
    return *found;
}

}  // namespace

TEST_CASE("functions are read with their address, description, line and bytes") {
    const auto found = read(header + "\n" + rows(sample()) + "\n" + "0001:3a:00.1 Bridge\n" +
                            rows(std::vector<std::uint8_t>(64)) + "\n");
    REQUIRE(found.size() == 2);
    CHECK(found[0].address == pci::address("0000:3a:00.0"));
    CHECK(found[0].description == "Memory controller: A switch (rev 02)");
    CHECK(found[0].line == 1);
    CHECK(found[0].config == sample());
    CHECK(found[1].address == pci::address("0001:3a:00.1"));
    CHECK(found[1].line == 19);
    CHECK(found[1].config.size() == 64);
}

TEST_CASE("people paste dumps in many ways") {
    const std::vector<std::uint8_t> config = sample();
    const auto same = [&](const std::string& text) {
        const auto found = read(text);
        CHECK(found.size() == 1);
        CHECK(found[0].address == pci::address("0000:3a:00.0"));
        CHECK(found[0].config == config);
    };
    same(header + "\r\n" + rows(config, "", "\r\n"));
    same("$ sudo lspci -xxx -s 3a:00.0\n" + header + "\n" + rows(config) + "$ exit\n");
    same("> " + header + "\n" + rows(config, "> ") + ">\n> thanks\n");
    same("    " + header + "\n" + rows(config, "    "));
    same("\t" + header + "\n" + rows(config, "\t"));
    same(header + "\n" + rows(config, "", "  \n"));
    same(header + "\n\n" + rows(config));
    same("0000:" + header +
         "\n\tSubsystem: 1234:5678\n\tFlags: bus master\n\t\t10: not bytes\n\t\t01:02.3 not a function\n" +
         rows(config));
    same("Slot:\t3a:00.0\nClass:\tMemory controller\nVendor:\tA\nDevice:\tswitch\nRev:\t02\n" + rows(config));
    same(header + "\n" + rows(config).substr(0, rows(config).size() - 1));
}

TEST_CASE("the fields of -vmm make a description") {
    CHECK(read("Slot:\t3a:00.0\nClass:\tMemory controller\nVendor:\tA\nDevice:\tswitch\n" + rows(sample()))[0]
              .description == "\"Memory controller\" \"A\" \"switch\"");
}

TEST_CASE("a text without a function is an error, with its line") {
    const std::string good = rows(sample());
    CHECK(
        error("") ==
        "0: no function is in it: this is not the output of lspci -xxxx, which is to be had by `sudo lspci -xxxx >FILE`");
    CHECK(
        error("hello\nworld\n") ==
        "0: no function is in it: this is not the output of lspci -xxxx, which is to be had by `sudo lspci -xxxx >FILE`");
    CHECK(
        error("\n" + good) ==
        "2: bytes of no function: the line with its address is missing before them, such as \"03:00.0 Ethernet controller\"");
    CHECK(error(header + "\n" + header + "1\n") == "1: 0000:3a:00.0 has no bytes: lspci needs -xxxx (or -xxx or -x)");
    CHECK(error(header + "\n" + good.substr(0, 3 * 52)) ==
          "1: 0000:3a:00.0: the dump ends after 48 bytes: left out, a function needs its first 64 bytes");
    CHECK(
        error("3a:20.0 What\n" + good) ==
        "2: bytes of no function: the line with its address is missing before them, such as \"03:00.0 Ethernet controller\"");
    std::istringstream in("");
    CHECK(hardware::read_lspci(in).error() == errc::einval);
}

TEST_CASE("a function that is cut or broken counts as far as it goes, and says so") {
    const std::string good = rows(sample());
    const auto cut = [&](const std::string& bytes) {
        const auto found = read(header + "\n" + bytes + "\n00:01.0 next\n" + good);
        REQUIRE(found.size() == 2);
        CHECK(found[1].config == sample());
        return std::to_string(found[0].config.size()) + ": " +
               (found[0].notes.empty() ? std::string() : found[0].notes.front());
    };
    CHECK(cut(good.substr(0, 9 * 52)) == "144: the dump ends after 144 bytes");
    CHECK(cut(good.substr(0, 5 * 52) + good.substr(6 * 52)) ==
          "256: the row at 0x50 is missing: what is there is not known, and taken for zero; no capability is in it");
    CHECK(cut(good.substr(0, 4 * 52) + good.substr(5 * 52)) ==
          "64: the row at 0x40 is missing: the first 64 bytes count");
    CHECK(cut(good.substr(0, 8 * 52) + "80: 00 00 1g 00\n") ==
          "128: the row at 0x80 is damaged (line 10: not 16 bytes): the first 128 bytes count");
    CHECK(cut(good.substr(0, 8 * 52) + "80: 00 00\nbye\n") ==
          "128: the row at 0x80 is damaged (line 10: 2 bytes of 16): the first 128 bytes count");
}

TEST_CASE("a row that a mail broke into two is one") {
    std::string broken = rows(sample());
    broken.replace(3 * 52 + 30, 1, "\n> ");
    CHECK(read(header + "\n" + broken)[0].config == sample());
}

TEST_CASE("one bad function costs no other") {
    const std::string good = rows(sample());
    hardware::dump_report report;
    std::istringstream in(header + "\n" + good.substr(0, 2 * 52) + "00:01.0 next\n" + good + "00:02.0 named only\n\n" +
                          good);
    const auto found = hardware::read_lspci(in, &report);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].address == pci::address("0000:00:01.0"));
    CHECK((*found)[1].address == pci::address("0000:00:02.0"));
    CHECK(report.summary() ==
          "0000:3a:00.0 (line 1): the dump ends after 32 bytes: left out, a function needs its first 64 bytes");
    CHECK(report.reason.empty());
}

TEST_CASE("a function that is there more than once counts once, and --which says which time") {
    auto after = sample();
    after[0x62] = 0x10;
    const std::string text = header + "\n" + rows(sample()) + "after:\n" + header + "\n" + rows(after);
    for (unsigned which : {1U, 2U, 7U}) {
        hardware::dump_report report;
        std::istringstream in(text);
        const auto found = hardware::read_lspci(in, &report, which).value();
        REQUIRE(found.size() == 1);
        CHECK(found[0].config == (which == 1 ? sample() : after));
        CHECK(report.summary().starts_with("1 function (0000:3a:00.0 in lines 1, 19) more than once: the "));
    }
}

TEST_CASE("without --which, the first copy with the most bytes is taken, and that is said") {
    const std::vector<std::uint8_t> config = sample();
    const std::string start = rows(std::vector<std::uint8_t>(config.begin(), config.begin() + 64));
    hardware::dump_report report;
    std::istringstream in(header + "\n" + start + "again, with -xxx:\n" + header + "\n" + rows(config));
    const auto found = hardware::read_lspci(in, &report).value();
    REQUIRE(found.size() == 1);
    CHECK(found[0].config == config);
    CHECK(
        report.summary() ==
        "1 function (0000:3a:00.0 in lines 1, 7) more than once: the first with most bytes is taken, --which N takes another");
}

TEST_CASE("a function begins behind what a page, a forum, a log or a mail puts before it, and ends where a mark does") {
    const std::vector<std::uint8_t> config = sample();
    const auto same = [&](const std::string& text) {
        INFO(text);
        const auto found = read(text);
        REQUIRE(found.size() == 1);
        CHECK(found[0].address == pci::address("0000:3a:00.0"));
        CHECK(found[0].config == config);
    };
    for (const char* const mark :
         {"[code]", "[CODE]", "{noformat}", "```", "<pre>", "<PRE><code>", "\xe2\x80\x9c", "\""})
        same(mark + header + "\n" + rows(config));
    std::string touched = header + "\n" + rows(config);
    touched.pop_back();
    for (const char* const mark : {"</pre>", "</code></div>", "[/code]", "```", "\""})
        same(touched + mark + "\n");
    same("<div>" + header + "</div>\n" + rows(config, "<div>", "</div>\n"));
    same("[   12.345678] " + header + "\n" + rows(config, "[   12.345678] "));
    same("<6>[ 1.2] " + header + "\n" + rows(config, "<6>[ 1.2] "));
    same(header + "\n" + rows(config, "host x: "));
    same("pcieport 0000:3a:00.0: config space:\n" + rows(config));
}

TEST_CASE("a function that is indented more than the one before it is no part of that") {
    const auto found = read(header + "\n" + rows(sample()) + "\n\t3b:00.0 Ethernet controller\n" +
                            rows(sample(), "\t"));
    REQUIRE(found.size() == 2);
    CHECK(found[1].address == pci::address("0000:3b:00.0"));
    CHECK(found[1].config == sample());
}

TEST_CASE("a function is found behind anything that its rows have before them too") {
    for (const std::string mark :
         {"JD> ", "<nick> ", "+", "-", "# ", "// ", " * ", "Nov 27 08:00:00 host kernel: ", "17\t", "17: "}) {
        CAPTURE(mark);
        const auto found = read(header + "\n" + rows(sample()) + mark + "3b:00.0 Ethernet controller\n" +
                                rows(sample(), mark));
        REQUIRE(found.size() == 2);
        CHECK(found[1].address == pci::address("0000:3b:00.0"));
        CHECK(found[1].description == "Ethernet controller");
        CHECK(found[1].config == sample());
    }
}

TEST_CASE("bytes behind something that nothing is known of are said, with what it is") {
    hardware::dump_report report;
    std::istringstream in(header + "\n" + rows(sample()) + "as above\n" + rows(sample(), "JD> "));
    REQUIRE(hardware::read_lspci(in, &report).value().size() == 1);
    CHECK(report.summary() ==
          "16 rows of bytes that belong to no function, the first in line 19, behind \"JD> \", which "
          "nothing is known of");
    CHECK(error("JD> the card\n" + rows(sample(), "JD> ")) ==
          "2: bytes of no function: the line with its address is missing before them, such as \"03:00.0 Ethernet "
          "controller\", behind \"JD> \", which nothing is known of");
}

TEST_CASE("sizes that are said after a function's bytes are not its own") {
    const auto found = read(header + "\n\tRegion 0: Memory at fe810000 (64-bit, non-prefetchable) [size=16K]\n" +
                            rows(sample()) +
                            "see\n\tRegion 0: Memory at fe000000 (64-bit, non-prefetchable) [size=1M]\n");
    CHECK(found[0].bar_sizes[0] == 0x4000);
    const auto escaped = read(header + "\n\tRegion 0: Memory at fe810000 (64-bit, non-prefetchable) [size=3D64K]\n" +
                              rows(sample()));
    CHECK(escaped[0].bar_sizes[0] == 0x10000);
}

TEST_CASE("what the kernel says of a configuration space is no dump of it") {
    const auto found = read(header +
                            "\npci 0000:07:00.0: restoring config space at offset 0xf (was 0x1ff, writing 0x10b)\n" +
                            rows(sample()));
    REQUIRE(found.size() == 1);
    CHECK(found[0].address == pci::address("0000:3a:00.0"));
    CHECK(found[0].config == sample());
}

TEST_CASE("bytes that belong to no function are counted") {
    hardware::dump_report report;
    std::istringstream in("00: 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff 00 |ascii|\n\n" + header + "\n" +
                          rows(sample()) + "\n" + rows(sample()));
    const auto found = hardware::read_lspci(in, &report);
    REQUIRE(found);
    CHECK(found->size() == 1);
    CHECK(found->front().notes.empty());
    CHECK(report.summary() == "17 rows of bytes that belong to no function, the first in line 1");
}

TEST_CASE("a capability list that is broken counts up to the break") {
    auto loop = sample();
    loop[0x61] = 0x40;
    const auto found = read(header + "\n" + rows(loop))[0];
    CHECK(found.to_config().msix_vectors == 33);
    CHECK(found.assumptions().front() == "the capability list is a loop (offset 0x61), what comes before counts");
    loop[0x41] = 0x40;
    CHECK(read(header + "\n" + rows(loop))[0].to_config().msix_vectors == 0);
    CHECK(read(header + "\n" + rows(loop))[0].to_config().msi_vectors == 4);
}

TEST_CASE("a dump says what is on the bus, and what has to be chosen") {
    const auto found = read(header + "\n" + rows(sample()))[0];
    const hardware::function_config config = found.to_config();
    CHECK(config.vendor == 0x11f8);
    CHECK(config.device == 0x8531);
    CHECK(config.class_code == 0x058000);
    CHECK(config.revision == 2);
    CHECK(config.msix_vectors == 33);
    CHECK(config.msix_table_bar == 0U);
    CHECK(config.msix_pba_bar == 2U);
    CHECK(config.msi_vectors == 4);
    CHECK(config.intx);
    CHECK(config.wide_bars == 1);
    CHECK(config.io_bars == 0x10);
    CHECK(config.bar_sizes[0] == 0x4000);
    CHECK(config.bar_sizes[2] == 4096);
    CHECK(config.bar_sizes[4] == 64);
    CHECK(found.assumptions() == std::vector<std::string>{
                                     "BAR 0: size not in the dump, chosen 16 KiB (MSI-X needs 0x2210 bytes)",
                                     "BAR 2: size not in the dump, chosen 4 KiB (MSI-X needs 0x8 bytes)",
                                     "BAR 4: size not in the dump, chosen 64 bytes",
                                 });
    sim::bus bus;
    CHECK(bus.add(config).msix_vectors() == 33);
}

TEST_CASE("the sizes that -v says are used") {
    const std::string more = "\tRegion 0: Memory at fe810000 (64-bit, non-prefetchable) [size=64K]\n"
                             "\tMemory at fe800000 (32-bit, non-prefetchable) [disabled] [size=4K]\n"
                             "\tI/O ports at c040 [size=32]\n"
                             "\tExpansion ROM at fe000000 [disabled] [size=1M]\n";
    const auto found = read(header + "\n" + more + rows(sample()))[0];
    CHECK(found.bar_sizes[0] == 65536U);
    CHECK(found.bar_sizes[2] == 4096U);
    CHECK(found.bar_sizes[4] == 32U);
    CHECK(found.assumptions().empty());
    const auto wrong = read(header + "\n\tRegion 0: Memory at fe810000 [size=4K]\n" + rows(sample()))[0];
    CHECK(wrong.to_config().bar_sizes[0] == 0x4000);
    CHECK(wrong.assumptions().at(0) == "BAR 0: its size cannot be 4 KiB, chosen 16 KiB (MSI-X needs 0x2210 bytes)");
}

TEST_CASE("a function from a dump has the real bytes, with what an operating system had set up taken back") {
    const auto found = read(header + "\n" + rows(sample()))[0];
    sim::bus bus;
    auto& f = bus.add(found);
    CHECK(f.notes() == found.assumptions());
    CHECK(f.read_config(reg::command, 2) == 0U);
    CHECK(f.read_config(reg::status, 2) == 0x0010U);
    CHECK(f.read_config(reg::bar, 4) == 0xfe81'0004U);
    CHECK(f.read_config(0x42, 2) == 0x0184U);
    CHECK(f.read_config(0x44, 4) == 0U);
    CHECK(f.read_config(0x4c, 2) == 0U);
    CHECK(f.read_config(0x62, 2) == 32U);
    CHECK(f.read_config(0x64, 4) == 0x2000U);
    driver d(bus, f);
    CHECK(d.vectors(1, 64, irq_type::all)->count == 33);
    counter calls;
    d.handler(32, calls);
    f.raise(32);
    CHECK(calls.calls == 1);
    auto table = bus.map_bar(f, pci::bar_number(0), "table").value();
    CHECK(bus.read<std::uint32_t>(table, 0x2000) == 0xfee0'0000);
    bus.unmap_bar(f, table);
}

TEST_CASE("an MSI-X capability whose table is nowhere is left out and noted") {
    for (const unsigned bar : {1U, 4U, 6U}) {  // an upper half, I/O, none
        auto config = sample();
        config[0x64] = static_cast<std::uint8_t>(bar);
        const auto found = read(header + "\n" + rows(config))[0];
        CHECK(found.assumptions().at(0).find("MSI-X: left out") == 0);
        sim::bus bus;
        auto& f = bus.add(found);
        CHECK(f.msix_vectors() == 0);
        CHECK(f.msi_vectors() == 4);
        driver d(bus, f);
        CHECK(d.vectors(1, 4, irq_type::msix).error() == errc::einval);
    }
}

TEST_CASE("a capability that the dump ends inside or before is not one that is not there") {
    using hardware::capability_state;
    const auto cut = [](unsigned msi_at, unsigned msix_at, std::size_t size) {
        auto config = sample();
        const auto move = [&](unsigned from, unsigned to, unsigned count, unsigned next) {
            std::vector<std::uint8_t> bytes(config.begin() + from, config.begin() + from + count);
            std::fill_n(config.begin() + from, count, std::uint8_t{0});
            bytes[1] = static_cast<std::uint8_t>(next);
            std::copy(bytes.begin(), bytes.end(), config.begin() + to);
        };
        move(0x60, msix_at, 12, 0);
        move(0x40, msi_at, 24, msix_at);
        config[reg::capabilities] = static_cast<std::uint8_t>(msi_at);
        config.resize(size);
        return read(header + "\n" + rows(config))[0];
    };
    const auto inside = cut(0x40, 0x78, 128);
    CHECK(inside.msi() == capability_state::whole);
    CHECK(inside.msix() == capability_state::cut);
    CHECK(inside.assumptions().at(0) ==
          "MSI-X: its capability is cut off, it goes on behind the 128 bytes of the dump");
    const auto before = cut(0x40, 0x90, 128);
    CHECK(before.msi() == capability_state::whole);
    CHECK(before.msix() == capability_state::unknown);
    CHECK(before.to_config().msi_vectors == 4);
    CHECK(before.assumptions().at(0) ==
          "capabilities: they go on behind the 128 bytes of the dump, where MSI-X may be");
    CHECK(cut(0x40, 0x60, 64).assumptions().at(0) ==
          "capabilities: they go on behind the 64 bytes of the dump, where MSI and MSI-X may be");
    CHECK(cut(0x40, 0x60, 256).msix() == capability_state::whole);
    for (const auto& each : {inside, before}) {
        sim::bus bus;
        auto& f = bus.add(each);
        CHECK(f.msix_vectors() == 0);
        CHECK(f.msi_vectors() == 4);
        driver d(bus, f);
        CHECK(d.vectors(1, 4, irq_type::msix).error() == errc::einval);
        CHECK(d.vectors(1, 4, irq_type::all)->count == 4);
    }
    auto last = cut(0x40, 0x60, 256);
    last.config.resize(66);
    CHECK(last.msi() == capability_state::cut);
    CHECK(last.msix() == capability_state::unknown);
    sim::bus bus;
    CHECK(bus.add(last).msi_vectors() == 0);
}

TEST_CASE("a device that does not answer is in the list and not in its slot") {
    const auto found = read(header + "\n" + rows(std::vector<std::uint8_t>(64, 0xff)));
    REQUIRE(found.size() == 1);
    sim::bus bus;
    auto& f = bus.add(found[0]);
    CHECK_FALSE(f.present());
    CHECK(bus.attach(f).error() == errc::enodev);
    CHECK(bus.ledger().clean());
}

TEST_CASE("a virtual function has its ids from the text of -nn") {
    auto config = sample();
    hardware::detail::set_field(config, 0, 4, ~0U);
    sim::bus bus;
    auto& f = bus.add(
        read("01:00.1 Non-Volatile memory controller [0108]: QEMU NVM [x] [1b36:0010] (rev 02)\n" + rows(config))[0]);
    CHECK(f.present());
    CHECK(bus.id(f).vendor == 0x1b36);
    CHECK(bus.id(f).device == 0x0010);
    CHECK(f.notes().at(0).find("ids: taken from the text") == 0);
    auto& g = bus.add(read("01:00.2 Non-Volatile memory controller\n" + rows(config))[0]);
    CHECK(bus.id(g).vendor == 0xffff);
    CHECK(g.notes().at(0).find("ids: ") == 0);
}

TEST_CASE("a bridge has two BARs, and what it forwards is its own") {
    std::vector<std::uint8_t> config(256);
    hardware::detail::set_field(config, 0, 4, 0x000c'1b36);
    config[reg::header_type] = 1;
    hardware::detail::set_field(config, reg::bar, 4, 0xfe90'4000);
    hardware::detail::set_field(config, 0x18, 4, 0x0001'0100);
    const auto found = read("00:02.0 PCI bridge\n" + rows(config))[0];
    const auto sizes = found.to_config();
    CHECK(sizes.bar_sizes[0] == 4096);
    CHECK(sizes.bar_sizes[2] == 0);
    sim::bus bus;
    auto& f = bus.add(found);
    CHECK(f.read_config(0x18, 4) == 0x0001'0100U);
    REQUIRE(f.write_config(0x19, 1, 5));
    CHECK(f.read_config(0x18, 4) == 0x0001'0500U);
}

TEST_CASE("every function of the real dumps is driven with all of its vectors and is as before") {
    unsigned functions = 0;
    unsigned vectors = 0;
    for (const char* name :
         {"examples/data/qemu-q35.lspci", "examples/data/qemu-q35-verbose.lspci", "test/data/q35-nn-xxxx.lspci",
          "test/data/q35-user-xxxx.lspci", "test/data/q35-vmm-x.lspci", "test/data/q35-vv-xxx.lspci",
          "test/data/q35-x.lspci", "test/data/q35-xxx.lspci"}) {
        sim::bus bus;
        for (const hardware::dumped_function& dump : read_file(name)) {
            CAPTURE(name, dump.line, dump.description);
            CHECK_FALSE(dump.description.empty());
            auto& f = bus.add(dump);
            ++functions;
            const auto before = f.state();
            {
                driver d(bus, f);
                for (const irq_type type : {irq_type::msix, irq_type::msi, irq_type::intx}) {
                    const auto grant = d.vectors(1, 2048, type);
                    const unsigned there = type == irq_type::msix  ? f.msix_vectors()
                                           : type == irq_type::msi ? f.msi_vectors()
                                                                   : (f.intx() ? 1 : 0);
                    REQUIRE(grant.has_value() == (there != 0));
                    if (!grant)
                        continue;
                    CHECK(grant->count == there);
                    vectors += grant->count;
                    counter calls;
                    for (unsigned i = 0; i != grant->count; ++i)
                        d.handler(i, calls);
                    for (unsigned i = 0; i != grant->count; ++i)
                        f.raise(i);
                    CHECK(calls.calls == grant->count);
                    REQUIRE(bus.free_vectors(f));
                }
            }
            CHECK(difference(before, f.state()) == "");
        }
        CHECK(bus.ledger().clean());
    }
    CHECK(functions > 60);
    CHECK(vectors > 300);
}

TEST_CASE("the configuration a dump makes is one that a bus takes") {
    for (const hardware::dumped_function& dump : read_file("examples/data/qemu-q35.lspci")) {
        CAPTURE(dump.line, dump.description);
        sim::bus bus;
        auto& real = bus.add(dump);
        hardware::function_config config = dump.to_config();
        config.address = hardware::next_free_address;
        auto& made = bus.add(config);
        CHECK(made.msix_vectors() == real.msix_vectors());
        CHECK(made.msi_vectors() == real.msi_vectors());
        CHECK(made.intx() == real.intx());
        CHECK(bus.id(made).vendor == bus.id(real).vendor);
        for (unsigned i = 0; i != pci::bar_count; ++i)
            CHECK(made.bar_size(pci::bar_number(i)) == real.bar_size(pci::bar_number(i)));
    }
}
