// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

#include <devres/pci/platform_archetype.hpp>

#include "lspci/lspci.hpp"
#include "support/catch.hpp"
#include "support/null_platform.hpp"

namespace pci = devres::pci;
namespace sim = devres::sim;
using Catch::Matchers::ContainsSubstring;

// Compiled on a platform that is nothing but the concept, never called.
[[maybe_unused]] inline auto generic_knows_no_platform(pci::platform_archetype& platform,
                                                       pci::platform_archetype::function_type& function) {
    return pci::bind<lspci::generic_driver>(platform, function);
}

namespace {

const std::filesystem::path root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();

std::string text_of(const std::string& file) {
    std::ifstream in(root / file, std::ios::binary);
    REQUIRE(in);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct outcome {
    int code;
    std::string out;
    std::string error;
};

outcome run(const std::string& text, std::string_view name = "dump") {
    std::istringstream in(text);
    std::ostringstream out, error;
    const int code = lspci::run_lspci(in, name, out, error);
    return {code, out.str(), error.str()};
}

lspci::machine_report exercise(const std::string& file) {
    std::istringstream in(text_of(file));
    sim::dump_report wrong;
    auto functions = sim::read_lspci(in, &wrong);
    INFO(file << ':' << wrong.line << ": " << wrong.reason);
    REQUIRE(functions);
    return lspci::machine(std::move(*functions)).exercise();
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

/// The text of lspci for a function, with its first `bytes` bytes.
std::string dump_of(sim::function& f, const std::string& description, unsigned bytes = 256) {
    std::ostringstream text;
    text << f.address().text().c_str() + 5 << ' ' << description << std::hex << std::setfill('0');
    const auto config = f.state().config;
    for (unsigned i = 0; i != bytes; ++i) {
        if (i % 16 == 0)
            text << '\n' << std::setw(2) << i << ':';
        text << ' ' << std::setw(2) << unsigned{config[i]};
    }
    text << "\n\n";
    return text.str();
}

/// The bytes of one function, 64 of them, and its line.
const std::string one_function = "00:02.0 Ethernet controller: Intel Corporation\n"
                                 "00: 86 80 d3 10 00 00 00 00 00 00 00 02 00 00 00 00\n"
                                 "10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
                                 "20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
                                 "30: 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00\n";

}  // namespace

TEST_CASE("every dump is exercised with nothing left over", "[lspci]") {
    // functions and vectors by type: what `lspci -F FILE -vv` of pciutils 3.9 decodes
    struct row {
        const char* file;
        std::size_t functions;
        unsigned msix, msi, intx;
    };
    const auto [file, functions, msix, msi, intx] = GENERATE(values<row>({
        {"examples/data/qemu-q35.lspci", 35, 187, 11, 6},
        {"examples/data/qemu-q35-verbose.lspci", 8, 71, 2, 1},
        {"test/data/q35-nn-xxxx.lspci", 2, 2, 0, 0},
        {"test/data/q35-user-xxxx.lspci", 4, 0, 0, 4},
        {"test/data/q35-vmm-x.lspci", 4, 0, 0, 4},
        {"test/data/q35-vv-xxx.lspci", 4, 9, 0, 2},
        {"test/data/q35-x.lspci", 3, 0, 0, 2},
        {"test/data/q35-xxx.lspci", 3, 65, 0, 0},
    }));
    CAPTURE(file);
    const lspci::machine_report machine = exercise(file);
    CHECK(machine.functions.size() == functions);
    CHECK(machine.clean());
    unsigned granted[3] = {};
    for (const auto& f : machine.functions) {
        CAPTURE(f.address.text().c_str(), f.faults);
        CHECK(f.driver == "generic");
        CHECK(f.faults.empty());
        CHECK(f.vectors == (f.msix != 0 ? f.msix : f.msi != 0 ? f.msi : f.pin != 0 ? 1U : 0U));
        CHECK(f.fired == f.vectors);
        granted[f.type == pci::irq_type::msix ? 0 : f.type == pci::irq_type::msi ? 1 : 2] += f.vectors;
    }
    CHECK(granted[0] == msix);
    CHECK(granted[1] == msi);
    CHECK(granted[2] == intx);
}

TEST_CASE("no dump of the repository is left out of these tests", "[lspci]") {
    std::size_t files = 0;
    for (const char* folder : {"examples/data", "test/data"}) {
        for (const auto& entry : std::filesystem::directory_iterator(root / folder))
            files += entry.path().extension() == ".lspci" ? 1 : 0;
    }
    CHECK(files == 8);
}

TEST_CASE("the table has a line per function, aligned and at most 110 wide", "[lspci]") {
    const outcome done = run(text_of("examples/data/qemu-q35.lspci"));
    CHECK(done.code == 0);
    CHECK(done.error.empty());
    const auto lines = lines_of(done.out);
    REQUIRE(lines.size() > 37);
    CHECK(lines[0].starts_with("address       ids        class"));
    CHECK(std::ranges::all_of(lines, [](const auto& line) { return line.size() <= 110; }));
    for (std::size_t i = 1; i != 36; ++i) {
        CAPTURE(lines[i]);
        CHECK(lines[i].size() == lines[1].size());
        CHECK(lines[i].ends_with("  yes"));
    }
    CHECK(lines[24] == "0000:02:00.0  8086:10d3  Ethernet controller                 5    1     A  generic   5 MSI-X"
                       "      5  yes");
    CHECK(lines[37] == "35 functions, all bound; 204 vectors (187 MSI-X, 11 MSI, 6 INTx), all fired; all released, "
                       "ledger clean");
    CHECK_THAT(done.out, ContainsSubstring("\n  8 KiB: 0000:00:06.0 BAR 1\n"));
    CHECK_THAT(done.out, ContainsSubstring(", and 24 more\n"));
}

TEST_CASE("a dump that ends before the capabilities says so", "[lspci]") {
    const outcome done = run(text_of("test/data/q35-user-xxxx.lspci"));
    CHECK(done.code == 0);
    CHECK_THAT(done.out, ContainsSubstring("capabilities unknown (64 bytes only; run lspci as root): "
                                           "0000:02:00.0, 0000:03:00.0\n"));
    CHECK_THAT(done.out, ContainsSubstring("Ethernet controller      ?    ?     A  generic"));
}

/// A VMD whose capabilities begin at `first`, with MSI-X at 80 that leads to `next`.
std::string vmd_dump(const std::string& first, const std::string& next, unsigned rows = 16) {
    const std::string zeros = " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n";
    std::string text = "00:0e.0 RAID bus controller: Intel Corporation Volume Management Device\n"
                       "00: 86 80 0b 9a 06 00 10 00 04 00 04 01 00 00 00 00\n"
                       "10: 0c 00 00 00 40 00 00 00 00 00 00 72 00 00 00 00\n"
                       "20: 0c 00 10 00 40 00 00 00 00 00 00 00 b4 1a 00 10\n"
                       "30: 00 00 00 00 " +
                       first + " 00 00 00 00 00 00 00 00 00 00 00\n";
    for (unsigned row = 4; row != rows; ++row) {
        text += std::string(1, "0123456789abcdef"[row]) + "0:";
        text += row == 7   ? " 00 00 00 00 00 00 00 00 00 00 00 00 11 00 12 00\n"
                : row == 8 ? " 11 " + next + " 12 00 04 00 00 00 04 10 00 00 00 00 00 00\n"
                : row == 9 ? " 05 90 80 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
                           : zeros;
    }
    return text;
}

TEST_CASE("a driver is not tried where the dump does not say which vectors it can have", "[lspci]") {
    const outcome whole = run(vmd_dump("80", "90"));  // the list loops behind MSI-X
    CHECK(whole.code == 0);
    CHECK_THAT(whole.out, ContainsSubstring(" vmd "));
    for (const auto& [text, said] : {std::pair{vmd_dump("90", "00"), "the capability list is a loop"},
                                     std::pair{vmd_dump("7c", "00", 8), "MSI-X: its capability is cut off"}}) {
        const outcome done = run(text);
        CAPTURE(done.out, done.error);
        CHECK(done.code == 0);
        CHECK_THAT(done.out, ContainsSubstring(" generic "));
        CHECK_THAT(done.out, ContainsSubstring(said));
        CHECK_THAT(done.out, ContainsSubstring("the vmd driver is not tried: whether it has its vectors is not known"));
    }
    CHECK_THAT(run(vmd_dump("7c", "00", 8)).out, ContainsSubstring("  cut    -     -  generic"));
}

TEST_CASE("a function that did not answer when it was dumped is left alone", "[lspci]") {
    std::string text = one_function + "\n00:03.0 Ethernet controller: Intel Corporation (rev ff)\n";
    for (const char* offset : {"00", "10", "20", "30"}) {
        text += offset;
        text += ':';
        for (int i = 0; i != 16; ++i)
            text += " ff";
        text += '\n';
    }
    const outcome done = run(text);
    CHECK(done.code == 0);
    CHECK_THAT(done.out, ContainsSubstring("0000:00:03.0  ffff:ffff  Ethernet controller"));
    CHECK_THAT(done.out, ContainsSubstring("  asleep\n"));
    CHECK_THAT(done.out, ContainsSubstring("2 functions (1 asleep), all bound; 1 vector "));
}

TEST_CASE("text that is no dump is one line that says what and where", "[lspci]") {
    struct row {
        const char* what;
        std::string text;
        std::string error;
    };
    const std::string bytes = one_function.substr(one_function.find('\n') + 1);
    const auto rows = std::vector<row>{
        {"nothing", "", "dump: no function is in it: this is not the output of lspci -xxxx"},
        {"empty lines", "\n\n\n", "dump: no function is in it: this is not the output of lspci -xxxx"},
        {"prose", "Dear all,\nhere it is\n", "dump: no function is in it: this is not the output of lspci -xxxx"},
        {"no hex dump", "00:02.0 Ethernet controller: Intel Corporation\n", "dump:1: "},
        {"bytes first", bytes, "dump:1: "},
        {"a digit that is none", replaced(one_function, "d3 10", "d3 1g"),
         "dump:1: 0000:00:02.0: the row at 0x0 is damaged (line 2: not 16 bytes): left out, a function needs its first 64 bytes"},
        {"a byte too long", replaced(one_function, "d3 10", "d3 100"),
         "dump:1: 0000:00:02.0: the row at 0x0 is damaged (line 2: not 16 bytes): left out, a function needs its first 64 bytes"},
        {"a byte too few", replaced(one_function, "d3 10 ", "d3 "),
         "dump:1: 0000:00:02.0: the row at 0x0 is damaged (line 2: 15 bytes of 16): left out"},
        {"a byte too many", replaced(one_function, "d3 10 ", "d3 10 10 "),
         "dump:1: 0000:00:02.0: the row at 0x0 is damaged (line 2: not 16 bytes): left out, a function needs its first 64 bytes"},
        {"a line left out", replaced(one_function, "20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n", ""),
         "dump:1: 0000:00:02.0: the row at 0x20 is missing: left out"},
        {"a line twice", replaced(one_function, "20:", "10:"),
         "dump:1: 0000:00:02.0: the row at 0x20 is missing: left out"},
        {"cut off", one_function.substr(0, one_function.find("30:")),
         "dump:1: 0000:00:02.0: the dump ends after 48 bytes: left out"},
        {"an address that cannot be", replaced(one_function, "00:02.0", "00:22.0"),
         "dump:2: bytes of no function: the line with its address is missing before them"},
    };
    for (const row& r : rows) {
        CAPTURE(r.what);
        const outcome done = run(r.text);
        CHECK(done.code == 2);
        CHECK(done.out.empty());
        CHECK_THAT(done.error, Catch::Matchers::StartsWith(r.error));
        CHECK(std::ranges::count(done.error, '\n') == 1);
        CHECK(done.error.back() == '\n');
    }
}

TEST_CASE("a stream that cannot be read is one line", "[lspci]") {
    std::istringstream in("");
    std::ostringstream out, error;
    in.setstate(std::ios::badbit);
    CHECK(lspci::run_lspci(in, "dump", out, error) == 2);
    CHECK(error.str() == "dump: cannot be read\n");
}

TEST_CASE("a dump is read however it was pasted", "[lspci]") {
    const std::string text = text_of("examples/data/qemu-q35-verbose.lspci");
    const outcome plain = run(text);
    REQUIRE(plain.code == 0);

    std::string dos, quoted;
    for (const std::string& line : lines_of(text)) {
        dos += line + "\r\n";
        quoted += "> " + line + '\n';
    }
    CHECK(run(dos).out == plain.out);
    CHECK(run(quoted).out == plain.out);
    CHECK(run("root@host:~# lspci -D -vvv -xxxx\n" + text + "\nroot@host:~# \n").out == plain.out);
    CHECK(run(text.substr(0, text.find_last_not_of('\n') + 1)).out == plain.out);
}

TEST_CASE("a fault is told of with its function, and is not clean", "[lspci]") {
    lspci::machine_report machine;
    machine.functions.push_back({.address = "0000:3a:00.0", .vendor = 0x11f8, .device = 0x8531, .what = "Memory"});
    machine.functions[0].driver = "switchtec";
    machine.functions[0].vectors = 4;
    machine.functions[0].type = pci::irq_type::msix;
    machine.functions[0].handled = 4;
    machine.functions[0].fired = 3;
    machine.functions[0].faults = {"vector 2 fired: no handler saw it"};
    std::ostringstream out;
    print(out, machine);
    CHECK_FALSE(machine.clean());
    CHECK_THAT(out.str(), ContainsSubstring("switchtec  4 MSI-X      3  NO\n"));
    CHECK_THAT(out.str(), ContainsSubstring("1 function, all bound; 4 vectors (4 MSI-X, 0 MSI, 0 INTx), 3 fired; "
                                            "1 fault:\n  0000:3a:00.0 vector 2 fired: no handler saw it\n"));
}

TEST_CASE("a driver of the examples is put on functions that its ids match, with its model", "[lspci]") {
    sim::bus bus;
    const auto [msix, msi, granted, fired] = GENERATE(values<std::array<unsigned, 4>>({
        {4, 0, 32, 2},  // it takes virtual entries too, which no hardware raises
        {0, 4, 4, 2},
        {0, 1, 1, 1},  // too few for DMA-MRPC
        {64, 0, 32, 2},
    }));
    CAPTURE(msix, msi);
    switchtec::model model;
    std::string text = dump_of(bus.add(model.function(msix, msi)),
                               "Memory controller: PMC-Sierra Inc. PM8536 PFX 96xG3");
    text += dump_of(bus.add({.vendor = 0x11f8, .device = 0x8536, .msi_vectors = 2}), "Bridge: PMC-Sierra Inc.");
    const outcome done = run(text);
    CAPTURE(done.out, done.error);
    CHECK(done.code == 0);
    const auto lines = lines_of(done.out);
    REQUIRE(lines.size() > 3);
    CHECK_THAT(lines[1], ContainsSubstring("  switchtec  "));
    CHECK_THAT(lines[1], ContainsSubstring(' ' + std::to_string(granted) + " MSI"));
    CHECK(lines[1].ends_with(std::to_string(fired) + "  yes"));
    CHECK_THAT(lines[2], ContainsSubstring("  generic  "));  // another class: not its ids
    CHECK_THAT(done.out, ContainsSubstring("4 MiB: 0000:00:01.0 BAR 0\n"));
}

TEST_CASE("a driver of the examples that cannot run on a function is a fault", "[lspci]") {
    sim::bus bus;
    switchtec::model model;
    auto config = model.function();
    config.msix_vectors = 0;
    config.intx = true;  // which the driver does not ask for
    const outcome done = run(dump_of(bus.add(config), "Memory controller: PMC-Sierra Inc. PM8536 PFX 96xG3"));
    CHECK(done.code == 1);
    CHECK(done.error.empty());
    CHECK_THAT(done.out, ContainsSubstring("  NO\n"));
    CHECK_THAT(done.out, ContainsSubstring("1 fault:\n  0000:00:01.0 switchtec: "));
}

TEST_CASE("the generic driver counts what arrives on each vector", "[lspci]") {
    sim::bus bus;
    sim::function& function = bus.add({.msix_vectors = 2048, .intx = true});
    const auto before = function.state();
    auto bound = pci::bind<lspci::generic_driver>(bus, function);
    REQUIRE(bound);
    CHECK(bound->state().vectors() == 2048);
    CHECK(bound->state().type() == pci::irq_type::msix);
    function.raise(0);
    function.raise(2047);
    function.raise(2047);
    CHECK(bound->state().interrupts(0) == 1);
    CHECK(bound->state().interrupts(1) == 0);
    CHECK(bound->state().interrupts(2047) == 2);
    CHECK(bound->unbind());
    CHECK(bus.ledger().clean());
    CHECK(difference(before, function.state()) == "");
}

TEST_CASE("the generic driver cuts a function off its INTx line, and puts it back", "[lspci]") {
    struct holds_line : sim::device_model {};  // with a model, nobody lowers the line but the model
    holds_line model;
    sim::bus bus;
    sim::function& function = bus.add({.intx = true, .model = &model});
    const auto before = function.state();
    auto bound = pci::bind<lspci::generic_driver>(bus, function);
    REQUIRE(bound);
    function.raise(0);
    CHECK(bound->state().interrupts(0) == 1);
    CHECK((function.read_config(pci::registers::command, 2).value() & pci::registers::command_bits::intx_disable) != 0);
    function.lower_intx();
    CHECK(bound->unbind());
    CHECK(difference(before, function.state()) == "");
    CHECK(bus.ledger().clean());
}

TEST_CASE("the generic driver serves a function that cannot interrupt", "[lspci]") {
    sim::bus bus;
    sim::function& function = bus.add({.pcie = true});
    auto bound = pci::bind<lspci::generic_driver>(bus, function);
    REQUIRE(bound);
    CHECK(bound->state().vectors() == 0);
    CHECK(bound->unbind());
    CHECK(bus.ledger().clean());
}

TEST_CASE("the generic driver fails where a function has interrupts and the machine none to give", "[lspci]") {
    sim::bus bus;
    bus.set_available_vectors(0);
    sim::function& function = bus.add({.msix_vectors = 4});
    CHECK_FALSE(pci::bind<lspci::generic_driver>(bus, function));
    CHECK(bus.ledger().clean());
}

TEST_CASE("the generic driver runs on any platform", "[lspci]") {
    devres::test::null_platform platform;
    devres::test::null_platform::function_type function;
    REQUIRE(platform.write_config(function, 0x3d, 1, 1));
    {
        auto bound = pci::bind<lspci::generic_driver>(platform, function);
        REQUIRE(bound);
        CHECK(bound->state().vectors() == 8);
        CHECK(function.fire(3));
        CHECK(bound->state().interrupts(3) == 1);
    }
    CHECK(function.idle());
    CHECK(platform.blocks() == 0);
}
