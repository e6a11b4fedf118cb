// SPDX-License-Identifier: BSL-1.0
#include "hardware/pasted.hpp"

using namespace test::pasted;

namespace {

/// A function of 256 bytes, with its MSI-X and its device id.
std::string function(const std::string& heading, const std::string& device = "01", std::size_t bytes = 256) {
    const std::string text = text_of("02-interrupts-after.lspci");
    const std::string rows = text.substr(text.find("00: "), bytes / 16 * 52);
    return heading + "\n" + rows.substr(0, 10) + device + rows.substr(12) + "\n";
}

std::string taken(const std::string& text, unsigned which = 0) {
    std::istringstream in(text);
    sim::dump_report report;
    const auto found = sim::read_lspci(in, &report, which);
    REQUIRE(found);
    std::string out;
    for (const auto& each : *found)
        out += std::string(each.address.text()).substr(5) + '=' + hex(each.to_config().device) + ' ';
    return out + '|' + report.summary();
}

const std::string card = "03:00.0 Ethernet controller: Example";

}  // namespace

TEST_CASE("two machines in one text are not mixed, and that there are two is said") {
    const std::string first = function("00:00.0 Host bridge: A") + function("00:1f.2 SATA: B", "02") +
                              function(card, "03");
    const std::string second = function("00:00.0 Host bridge: A") + function("00:1f.2 SATA: C", "09") +
                               function("04:00.0 Ethernet: D", "04");
    const std::string said =
        "2 machines, or one at 2 times (3 functions from line 2 on, 3 functions from line 57 on): the ";
    const std::string text = "mine:\n" + first + "yours:\n" + second;
    CHECK(taken(text) == "00:00.0=1 00:1f.2=2 03:00.0=3 |" + said + "first is taken, --which N takes another");
    CHECK(taken(text, 2) ==
          "00:00.0=1 00:1f.2=9 04:00.0=4 |" + said + "one of --which is taken, --which N takes another");
    CHECK(taken(text, 7) == taken(text, 2));
    const std::string plugged = function("00:00.0 Host bridge: A") + function("00:1f.2 SATA: B", "02") +
                                function("04:00.0 Ethernet: D", "03");
    CHECK(taken("before\n" + first + "after\n" + plugged).starts_with("00:00.0=1 00:1f.2=2 03:00.0=3 |2 machines"));
    CHECK(taken("before\n" + first + "after\n" + plugged, 2).starts_with("00:00.0=1 00:1f.2=2 04:00.0=3 |2 machines"));
    CHECK(taken(function(card, "03") + function(card, "07")).starts_with("03:00.0=3 |2 machines"));
}

TEST_CASE("parts of one machine are one") {
    const std::string both = function("00:00.0 Host bridge: A") + function(card, "03");
    CHECK(taken(function(card, "03") + "and\n" + function("00:00.0 Host bridge: A")) == "03:00.0=3 00:00.0=1 |");
    CHECK(taken(both + "again\n" + function(card, "03"))
              .starts_with("00:00.0=1 03:00.0=3 |1 function (0000:03:00.0 in lines 19, 38)"));
    CHECK(taken(function(card, "03") + "all\n" + both)
              .starts_with("03:00.0=3 00:00.0=1 |1 function (0000:03:00.0 in lines 1, 38)"));
    CHECK(taken(both + "after\n" + both).starts_with("00:00.0=1 03:00.0=3 |2 functions ("));
    const std::string user = function("00:00.0 Host bridge: A", "01", 64) + function(card, "03", 64);
    CHECK(taken(user + "as root\n" + both)
              .ends_with("more than once: the first with most bytes is taken, --which N takes another"));
}

TEST_CASE("sizes and ids are taken from another listing of the same function") {
    const std::string verbose = card +
                                "\n\tFlags: bus master\n\tMemory at fe000000 (64-bit, non-prefetchable) [size=16K]\n\n";
    const auto size = [](const std::string& text) { return read_text(text).dumps.back().bar_sizes[0]; };
    CHECK(size(verbose + function("00:00.0 Host bridge: A") + function(card)) == 0x4000U);
    CHECK(size(function(card) + verbose) == 0x4000U);
    CHECK(size(verbose + function(card) + replaced(verbose, "16K", "64K")) == 0x4000U);
    CHECK(size(replaced(verbose, "fe000000", "fd000000") + function(card)) == std::nullopt);
    CHECK(size(replaced(verbose, "Example", "Example [1ab4:0007]") + function(card)) == std::nullopt);
    CHECK(size(replaced(verbose, "[size", "\n[size") + function(card)) == 0x4000U);
    CHECK(size(replaced(verbose, "\tFlags: bus master\n\tMemory", "Region 0: Memory") + function(card)) == 0x4000U);
    const std::string virtual_function = replaced(function("01:00.1 NVMe: Example"), "b4 1a 01 00", "ff ff ff ff");
    CHECK(read_text("01:00.1 NVMe [0108]: Example [1ab4:0010]\n" + virtual_function)
              .functions.front()
              .starts_with("0000:01:00.1 1ab4:0010 "));
}

TEST_CASE("a heading that has lost digits or was broken is found, and what was made of it is said") {
    const auto noted = [](const std::string& heading) {
        const reading found = read_text("Hello\n\n" + function(heading) + "bye\n");
        REQUIRE(found.dumps.size() == 1);
        CHECK(found.functions.front().starts_with("0000:03:00.0 1ab4:0001 MSI-X 5"));
        return found.dumps.front().notes.empty() ? found.left_out : found.dumps.front().notes.front();
    };
    for (const std::string written :
         {"3:00.0", "03:0.0", "3:0.0", ":03:00.0", "000:03:00.0", "00:03:00.0", "0:03:00.0"}) {
        CHECK(noted(written + " Ethernet controller: Example") ==
              "its heading says \"" + written + "\" (line 3): taken for 0000:03:00.0");
    }
    CHECK(noted("03:00 Ethernet controller: X") ==
          "its heading has no function number: the first is taken that no other has");
    for (const char* const heading :
         {"03:00.0", "03:00.0:", "0000:03:00.0", "03:00.0\nEthernet controller: Example (rev 01)",
          "03:00.0 Ethernet\ncontroller: Example Corp. (rev 01)"})
        CHECK(noted(heading).empty());
    for (const char* const heading :
         {"**03:00.0** Ethernet controller", "### 03:00.0", "* 03:00.0 Ethernet", "(03:00.0)", "[03:00.0]",
          "BDF: 0000:03:00.0", "This is the card, 03:00.0:", "/sys/bus/pci/devices/0000:03:00.0"})
        CHECK(noted(heading) == "line 4: bytes without a heading, taken for 0000:03:00.0, which line 3 names");
    CHECK(read_text(function("03:00.0\nEthernet controller: Example")).dumps[0].description ==
          "Ethernet controller: Example");
    CHECK(read_text(function("03:00.0 Ethernet\ncontroller: Example")).dumps[0].description ==
          "Ethernet controller: Example");
    CHECK(read_text(replaced(function("01:00.1 NVMe [0108]: A long name\nof two lines [1ab4:0010] (rev 01)"),
                             "b4 1a 01 00", "ff ff ff ff"))
              .functions[0]
              .starts_with("0000:01:00.1 1ab4:0010"));
    const reading three = read_text(function("00:1f ISA bridge: a") + function("00:1f SATA controller: b", "02") +
                                    function("00:1f.0 SMBus: c", "03"));
    CHECK(three.functions[0].starts_with("0000:00:1f.1 1ab4:0001"));
    CHECK(three.functions[1].starts_with("0000:00:1f.2 1ab4:0002"));
    CHECK(three.functions[2].starts_with("0000:00:1f.0 1ab4:0003"));
}
