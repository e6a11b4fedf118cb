// SPDX-License-Identifier: BSL-1.0
#include <map>

#include "hardware/pasted.hpp"

using namespace devres;
using namespace test::pasted;

namespace {

const std::string widget = " 1ab4:0001 MSI-X 5 (0+2000, 0+3000) MSI 4 64-bit maskable INTx; 0 mem64";
const std::string other = " 1ab4:0002 MSI-X 5 (0+2000, 0+3000) MSI 4 64-bit maskable INTx; 0 mem64";
const std::string at3 = "0000:03:00.0" + widget;

}  // namespace

TEST_CASE("dumps as they were pasted read as lspci reads their bytes") {
    const std::map<std::string, lines> all{
        {"01-cc-line", {at3}},
        {"02-interrupts-after", {at3}},
        {"03-bad-heading", {at3, "0000:04:00.0" + other}},
        {"04-list-then-dump", {at3}},
        {"05-twice", {at3}},
        {"06-truncated-320", {"0000:05:00.0 1ab4:0003" + widget.substr(10), at3}},
        {"07-nbsp-end", {at3}},
        {"08-nbsp-indent-second", {at3, "0000:04:00.0" + other}},
        {"09-bom", {at3}},
        {"10-ansi", {at3}},
        {"11-path", {"0000:00:1c.0 1ab4:0100 MSI 1 32-bit INTx", at3}},
        {"12-vm", {at3}},
        {"13-mm", {at3}},
        {"14-class-nn-unknown", {"0000:70:00.0" + widget}},
        {"15-chain-looped", {"0000:03:00.0 1ab4:0001 MSI 4 64-bit maskable INTx; 0 mem64", "0000:04:00.0" + other}},
        {"16-ahci-sizes",
         {"0000:00:1f.2 1ab4:01f2 MSI 1 32-bit INTx; 0 io 8; 1 io 4; 2 io 8; 3 io 4; 4 io 32; 5 mem32 2048"}},
        {"17-cardbus", {"0000:07:00.0 1ab4:0700 MSI 1 32-bit INTx; 0 mem32"}},
        {"18-vmd-64-bytes",
         {"0000:00:0e.0 8086:9a0b; 0 mem64; 2 mem32; 4 mem64", "0000:03:00.0 1ab4:0001 INTx; 0 mem64"}},
        {"19-earlydump", {at3}},
        {"20-vf-n", {"0000:01:00.1 1ab4:0010 MSI-X 2 (0+2000, 0+3000)"}},
        {"21-bug-report-shell", {at3}},
    };
    for (const auto& [name, functions] : all) {
        INFO(name);
        const reading found = read_file(name + ".lspci");
        CHECK(found.functions == functions);
        sim::bus bus;
        for (const auto& each : found.dumps) {
            const auto& f = bus.add(each);
            CHECK(f.msix_vectors() == each.to_config().msix_vectors);
            CHECK(f.msi_vectors() == each.to_config().msi_vectors);
        }
        CHECK(bus.ledger().clean());
    }
}

TEST_CASE("what was left out of them is said") {
    CHECK(read_file("04-list-then-dump.lspci").left_out == "1 function (0000:00:00.0) without bytes");
    CHECK(read_file("05-twice.lspci").left_out ==
          "1 function (0000:03:00.0 in lines 2, 21) more than once: the first is taken, --which N takes another");
    CHECK(read_file("06-truncated-320.lspci").dumps[0].notes ==
          lines{"the dump ends after 320 bytes: the first 256 count"});
    CHECK(read_file("01-cc-line.lspci").left_out.empty());
    CHECK(read_file("17-cardbus.lspci").dumps[0].assumptions() == lines{"BAR 0: size not in the dump, chosen 4 KiB"});
}

TEST_CASE("IDE's fixed ports are what the kernel says they are") {
    const auto found = sim::read_sysfs(data("sysfs/ide"));
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK(said(found->front()) == "0000:00:01.1 1ab4:7010; 0 io 8; 1 io 1; 2 io 8; 3 io 1; 4 io 16");
    sim::bus bus;
    const auto& f = bus.add(found->front());
    CHECK(f.bar_size(pci::bar_number(1)) == 1);
    CHECK(f.notes().empty());
}

TEST_CASE("text that looks like rows or functions is neither") {
    const std::string dump = text_of("01-cc-line.lspci");
    for (const char* const noise :
         {"Code: 48 8b 05 00 00 00 00 48 89 c7 e8 00 00 00 00 c3\n", "12:30.5 we saw this\n", "be: careful\n",
          "  16:   29   0  IO-APIC\n", "fe000000-fe0fffff : 0000:03:00.0\n", "00:1f:2a:3b:4c:5d is its MAC\n",
          "[    1.0] pci 0000:03:00.0: [1ab4:0001] type 00 class 0x020000\n", "10: 22 33\n",
          "00000000  b4 1a 01 00 06 00 10 00  01 00 00 02 00 00 00 00  |................|\n", "-[0000:00]-+-00.0\n",
          "     0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f\n"}) {
        INFO(noise);
        CHECK(read_text(noise + dump).functions == lines{at3});
        CHECK(read_text(dump + noise).functions == lines{at3});
        CHECK(read_text(dump + noise).dumps[0].notes.empty());
        const std::size_t middle = dump.find("\n20: ") + 1;
        CHECK(read_text(dump.substr(0, middle) + noise + dump.substr(middle)).functions == lines{at3});
    }
}

TEST_CASE("ids of a virtual function are taken from any form of the text") {
    const std::string rows = [] {
        const std::string text = text_of("20-vf-n.lspci");
        return text.substr(text.find('\n'));
    }();
    for (const char* const head :
         {"01:00.1 0108: 1ab4:0010 (rev 02)", "01:00.1 Class 0108: 1ab4:0010 (rev 02)",
          "01:00.1 Non-Volatile memory controller [0108]: A [B] Corp [1ab4:0010] (rev 02)",
          "01:00.1 \"0108\" \"1ab4\" \"0010\" -r02 \"1ab4\" \"1100\"",
          "01:00.1 \"NVMe [0108]\" \"Example [1ab4]\" \"Thing [0010]\" -r02",
          "Slot:\t01:00.1\nClass:\t0108\nVendor:\t1ab4\nDevice:\t0010",
          "Device:\t01:00.1\nClass:\tNVMe [0108]\nVendor:\tExample [1ab4]\nDevice:\tThing [0010]"}) {
        INFO(head);
        CHECK(read_text(head + rows).functions == lines{"0000:01:00.1 1ab4:0010 MSI-X 2 (0+2000, 0+3000)"});
    }
    CHECK(read_text("01:00.1 NVMe: Example Thing" + rows).functions.front().starts_with("0000:01:00.1 ffff:ffff"));
}

TEST_CASE("a path leads to its function, by bus numbers or by the bridge before it") {
    const std::string text = text_of("11-path.lspci");
    CHECK(read_text(text).functions[1] == at3);
    std::string of_P = text;
    of_P.replace(of_P.find("/03:00.0"), 8, "/00.0");
    const std::size_t row = of_P.find("\n10: ") + 5;
    of_P.replace(row + 24, 8, "00 03 03");
    CHECK(read_text(of_P).functions[1] == at3);
    const std::string alone = of_P.substr(of_P.find("00:1c.0/00.0"));
    std::istringstream in(alone);
    sim::dump_report report;
    CHECK(sim::read_lspci(in, &report).error() == errc::einval);
    CHECK(report.summary().find("has no bus number (lspci -P): lspci -PP") != std::string::npos);
}

TEST_CASE("Enhanced Allocation stands in for BARs that are zero") {
    sim::dumped_function dump;
    dump.config.resize(256);
    const auto put = [&](unsigned at, std::uint32_t value) {
        for (unsigned i = 0; i != 4; ++i)
            dump.config[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
    };
    put(0, 0x0001'1ab4);
    dump.config[pci::registers::status] = pci::registers::status_bits::capabilities;
    dump.config[pci::registers::capabilities] = 0x40;
    put(0x40, 0x0002'0014);
    put(0x44, 0x8000'0104 | 0U << 4U);  // BAR 0: prefetchable memory, four words, 64 bits
    put(0x48, 0x1000'0002);
    put(0x4c, 0x000f'fffe);
    put(0x50, 0x0000'0084);
    put(0x54, 0x0000'0000);
    put(0x58, 0x8000'0202 | 2U << 4U);  // BAR 2: I/O, two words
    put(0x5c, 0x0000'c000);
    put(0x60, 0x0000'00fc);
    const auto bars = dump.bars();
    CHECK(said(dump) == "0000:00:00.0 1ab4:0001; 0 mem64 1048576; 2 io 256");
    CHECK(bars[0].address == 0x84'1000'0000);
    CHECK(bars[0].prefetchable);
    sim::bus bus;
    auto& f = bus.add(dump);
    CHECK(f.bar_size(pci::bar_number(0)) == 1U << 20U);
    CHECK(f.read_config(pci::registers::bar, 4) == 0x1000'000cU);
    CHECK(f.read_config(pci::registers::bar + 4, 4) == 0x84U);
    CHECK(f.read_config(pci::registers::bar + 8, 4) == 0xc001U);
    dump.config[0x42] = 60;  // more entries than there is room for
    CHECK(said(dump) == "0000:00:00.0 1ab4:0001; 0 mem64 1048576; 2 io 256");
}

TEST_CASE("a reserved pin is none, and a device that sleeps is no fault") {
    sim::dumped_function dump;
    dump.config.assign(64, 0);
    dump.config[0] = 1;
    dump.config[pci::registers::interrupt_pin] = 5;
    CHECK(dump.assumptions() == lines{"INTx: pin 5 is reserved, taken for none"});
    sim::bus bus;
    CHECK_FALSE(bus.add(dump).intx());
    dump.address = "0000:02:00.0";
    dump.config.assign(64, 0xff);
    dump.description = "Network controller [0280]: Example [1ab4:0001] (rev ff)";
    CHECK(dump.assumptions() == lines{"the device did not answer (all ones): asleep in D3cold, or not in its slot"});
    CHECK_FALSE(bus.add(dump).present());
}
