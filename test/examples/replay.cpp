// SPDX-License-Identifier: BSL-1.0
#include "replay/command.hpp"

#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/linux_model.hpp>

#include "support/catch.hpp"

using replay::device_kind;
using replay::parse;
namespace lm = devres::linux_model;

static_assert(replay::vectors_of(device_kind::rocker) == 4 && replay::vectors_of(device_kind::edu) == 1);
static_assert(replay::name_of(device_kind::rocker) == "rocker" && replay::name_of(device_kind::edu) == "edu");

namespace {

/// Operations as they are written.
std::string text_of(const std::vector<replay::operation>& operations) {
    std::string out;
    for (const replay::operation& each : operations)
        out += each.code + (each.number == 0 ? std::string() : std::to_string(each.number));
    return out;
}

/// What the command says, to standard output and to standard error.
struct answer {
    int code;
    std::string out;
    std::string errors;
};
answer run(const replay::request& asked) {
    std::ostringstream out;
    std::ostringstream errors;
    const int code = replay::run(asked, out, errors);
    return {code, out.str(), errors.str()};
}

replay::outcome outcome_of(const lm::kernel_version& version, const lm::patch_version& patch, device_kind kind,
                           std::string_view program) {
    return replay::machine(version, patch, kind).run(parse(program).value());
}

/// In a line: what the last probe answered, the warnings, what is left, and what becomes of the next driver.
std::string describe(const replay::outcome& of) {
    std::ostringstream out;
    out << (of.probe ? std::to_string(*of.probe) : "stopped");
    for (const lm::warning_kind each : of.warnings)
        out << ' ' << lm::name_of(each);
    if (of.after.vectors_live != 0)
        out << ", vectors " << of.after.vectors_live;
    if (of.after.handlers_live != 0)
        out << ", handlers " << of.after.handlers_live;
    out << (of.after.msix_enabled ? ", msix" : "") << (of.after.msi_enabled ? ", msi" : "")
        << (of.after.is_managed ? ", managed" : "") << (of.after.is_msi_managed ? ", msi managed" : "");
    if (of.after.enable_cnt != 0)
        out << ", enabled " << of.after.enable_cnt;
    if (!of.oops.empty())
        out << ", oops " << of.oops;
    if (of.rebind)
        out << ", rebind " << *of.rebind;
    return out.str();
}

struct row {
    const char* kernels;  // blanks between
    device_kind kind;
    const char* program;
    const char* expected;
    const lm::patch_version& patch = lm::unpatched;
};

void check(const row& each) {
    std::istringstream kernels(each.kernels);
    for (std::string name; kernels >> name;) {
        INFO("kernel " << name << ", patch " << each.patch.name << ", " << replay::name_of(each.kind) << ": "
                       << each.program);
        CHECK(describe(outcome_of(*lm::find_kernel(name), each.patch, each.kind, each.program)) == each.expected);
    }
}

constexpr auto on_rocker = device_kind::rocker;
constexpr auto on_edu = device_kind::edu;

}  // namespace

TEST_CASE("a program is drivers, each a probe and a remove, either of which may be empty") {
    const auto read = parse("EBA4QTP:F  :VVF EK999G1g9A0:");
    REQUIRE(read);
    CHECK(read->text == "EBA4QTP:F  :VVF EK999G1g9A0:");
    REQUIRE(read->drivers.size() == 3);
    CHECK(read->drivers[0].text == "EBA4QTP:F");
    CHECK(text_of(read->drivers[0].probe) == "EBA4QTP");
    CHECK(text_of(read->drivers[0].remove) == "F");
    CHECK(read->drivers[1].text == ":VVF");
    CHECK(read->drivers[1].probe.empty());
    CHECK(text_of(read->drivers[1].remove) == "VVF");
    CHECK(text_of(read->drivers[2].probe) == "EK999G1g9A");
    CHECK(read->drivers[2].probe[1].number == 999);
    CHECK(read->drivers[2].remove.empty());
}

TEST_CASE("every operation is read, and blanks around drivers are not") {
    CHECK(parse(":")->drivers.size() == 1);
    const auto read = parse("  EedBA2048a1i9FIQVqfMmGgRrG1g2R3r4K0TPX:EedBA1a1i1FIQVqfMmGgRrKTP ");
    CHECK_FALSE(read);  // K needs a number
    CHECK(read.error().position == 65);
    CHECK(parse("  EedBA2048a1i9FIQVqfMmGgRrG1g2R3r4K0TPX:EedBA1a1i1FIQVqfMmGgRrK7TP ")->drivers.size() == 1);
}

TEST_CASE("what is no program is told with the place and the reason") {
    struct wrong {
        const char* program;
        std::size_t position;
        const char* message;
    };
    const wrong all[] = {
        {"", 1, "no driver: a program is PROBE:REMOVE"},
        {"   ", 1, "no driver: a program is PROBE:REMOVE"},
        {"EBA4", 5, "no ':' between probe and remove: a driver is PROBE:REMOVE, and either may be empty"},
        {"E: F", 5, "no ':' between probe and remove: a driver is PROBE:REMOVE, and either may be empty"},
        {"E:F:", 4, "a second ':': a driver is PROBE:REMOVE, drivers are separated by blanks"},
        {"Z:", 1, "no such operation: 'Z', must be one of EedBAaiFIQVqfMmGgRrKTPX"},
        {"E:\t", 3, "no such operation: '\t', must be one of EedBAaiFIQVqfMmGgRrKTPX"},
        {"4:", 1, "no such operation: '4', must be one of EedBAaiFIQVqfMmGgRrKTPX"},
        {"E:FX", 4, "'X' fails a probe: remove returns nothing"},
        {"EB4:", 3, "'B' takes no number"},
        {"E:T1", 4, "'T' takes no number"},
        {"EA:", 3, "'A' needs a number behind it: A1"},
        {"Ea:", 3, "'a' needs a number behind it: a1"},
        {"Ei:", 3, "'i' needs a number behind it: i1"},
        {":K", 3, "'K' needs a number behind it: K1"},
        {"A2049:", 2, "the number of 'A' must be 0 to 2048"},
        {"i99999999999:", 2, "the number of 'i' must be 0 to 2048"},
        {"K1000:", 2, "the number of 'K' must be 0 to 999"},
        {"G0:", 2, "the number of 'G' must be 1 to 9"},
        {":r10", 3, "the number of 'r' must be 1 to 9"},
    };
    for (const wrong& each : all) {
        INFO(each.program);
        const auto read = parse(each.program);
        REQUIRE_FALSE(read);
        CHECK(read.error().position == each.position);
        CHECK(read.error().message == each.message);
    }
}

TEST_CASE("replay: what the kernel in the lab did, on every version (linux-semantics, section 4)") {
    const row rows[] = {
        {"5.16 6.1", on_rocker, "EBA4QTP:", "0, managed, rebind 0"},
        {"6.12 6.18", on_rocker, "EBA4QTP:", "0, rebind 0"},
        {"5.16", on_rocker, "EBA4QTP:F", "0, vectors 4, handlers 4, managed, enabled 1, oops free_msi_irqs"},
        {"6.1", on_rocker, "EBA4QTP:F", "0 rpe rpe rpe rpe, managed, rebind 0"},
        {"6.12 6.18", on_rocker, "EBA4QTP:F", "0 rpe rpe rpe rpe, rebind 0"},
        {"5.16 6.1", on_rocker, "EBA4qTP:fF", "0, managed, rebind 0"},
        {"6.12 6.18", on_rocker, "EBA4qTP:fF", "0, rebind 0"},
        {"5.16", on_rocker, "eBA4QTP:", "0, vectors 4, msix, enabled 1, rebind -22"},
        {"6.1", on_rocker, "eBA4QTP:", "0 msi_data, vectors 4, msix, enabled 1, rebind -22"},
        {"6.12 6.18", on_rocker, "eBA4QTP:", "0 irq_domain msi_data, vectors 4, msix, enabled 1, rebind -22"},
        {"6.1", on_rocker, "eBA4qTP:", "0 msi_data, vectors 4, handlers 4, msix, enabled 1, rebind -22"},
        {"6.12 6.18", on_rocker,
         "eBA4qTP:", "0 irq_domain msi_data, vectors 4, handlers 4, msix, enabled 1, rebind -22"},
        {"6.1", on_rocker, "MEBA4QTP:", "0 msi_data, vectors 4, msix, managed, msi managed, rebind -22"},
        {"6.12 6.18", on_rocker, "MEBA4QTP:", "0 irq_domain msi_data, vectors 4, msix, msi managed, rebind -22"},
        {"5.16 6.1", on_rocker, "EBA4A4:", "-22 double_enable, managed, rebind 0"},
        {"6.12 6.18", on_rocker, "EBA4A4:", "-22 double_enable, rebind 0"},
        {"5.16 6.1", on_rocker, "EBA4QX:", "-5, managed, rebind 0"},
        {"6.12 6.18", on_rocker, "EBA4QX:", "-5, rebind 0"},
        {"5.16 6.1 6.12 6.18", on_rocker, "A4EBQ:", "-22, rebind 0"},
        {"6.1", on_rocker, "EBA4Q: eBA4Q:", "0, managed, enabled 1, rebind 0"},
        {"6.12 6.18", on_rocker, "EBA4Q: eBA4Q:", "0 irq_domain msi_data, vectors 4, msix, enabled 1, rebind -22"},
        {"5.16 6.1", on_rocker, "EP:d", "0, managed, rebind 0"},
        {"6.12 6.18", on_rocker, "EP:d", "0 already_disabled, enabled -1, rebind 0"},
        {"6.1", on_rocker, "eBA4: eF:", "stopped msi_data, vectors 4, msix, enabled 2, oops mutex_lock"},

        {"5.16 6.1", on_edu, "EBA1QTP:", "0, managed, rebind 0"},
        {"6.12 6.18", on_edu, "EBA1QTP:", "0, rebind 0"},
        {"5.16", on_edu, "EBA1QTP:F", "0, vectors 1, handlers 1, managed, enabled 1, oops free_msi_irqs"},
        {"6.1", on_edu, "EBA1QTP:F", "0 rpe, managed, rebind 0"},
        {"6.12 6.18", on_edu, "EBA1QTP:F", "0 rpe, rebind 0"},
        {"6.1", on_edu, "EBA1qTP:fF", "0, managed, rebind 0"},
        {"5.16", on_edu, "eBA1QTP:", "0, vectors 1, msi, enabled 1, rebind -22"},
        {"6.1", on_edu, "eBA1QTP:", "0 msi_data, vectors 1, msi, enabled 1, oops pci_disable_msi"},
        {"6.12 6.18", on_edu, "eBA1QTP:", "0 irq_domain msi_data, vectors 1, msi, enabled 1, rebind -22"},
        {"6.1", on_edu, "eBA1qTP:", "0 msi_data, vectors 1, handlers 1, msi, enabled 1, oops pci_disable_msi"},
        {"6.1", on_edu, "MEBA1QTP:", "0 msi_data, vectors 1, msi, managed, msi managed, rebind -22"},
        {"5.16 6.1", on_edu, "EBA1A1:", "-22 double_enable, managed, rebind 0"},
        {"5.16 6.1", on_edu, "EBA1QX:", "-5, managed, rebind 0"},
        {"5.16 6.1 6.12 6.18", on_edu, "A1EBQ:", "-22, rebind 0"},
        {"6.1", on_edu, "EBA1Q: eBA1Q:", "0, managed, enabled 1, rebind 0"},
    };
    for (const row& each : rows)
        check(each);
}

TEST_CASE("replay: what else the language of the lab can say") {
    const row rows[] = {
        {"5.16 6.1 6.12 6.18", on_rocker, ":", "0, rebind 0"},
        {"5.16 6.1 6.12 6.18", on_edu, ":", "0, rebind 0"},
        {"6.1", on_rocker, "X:", "-5, rebind 0"},
        {"6.1", on_rocker, "B:", "0, rebind 0"},
        {"6.1", on_rocker, ":F", "0, rebind 0"},
        {"6.1", on_rocker, ":EBA4QTP", "0, managed, rebind 0"},
        {"6.1", on_rocker, "EBA5:", "-22, managed, rebind 0"},  // MSI's error: it has none
        {"6.1", on_rocker, "EBi5QTP:", "0, managed, rebind 0"},
        {"6.12", on_rocker, "EBi4QTP:", "0, rebind 0"},
        {"6.1", on_rocker, "EBA4QTQ:", "-16, managed, rebind 0"},
        {"6.1", on_rocker, "EBA4QFIQ:", "-16 rpe rpe rpe rpe, managed, rebind 0"},  // number 0 is the timer's
        {"6.1", on_rocker, "EBA4QTP:VF", "0, managed, rebind 0"},
        {"6.1", on_rocker, "EBA4QTP:VVF",
         "0 devres_warn already_free devres_warn already_free devres_warn already_free devres_warn already_free, "
         "managed, rebind 0"},
        {"6.1", on_edu, "EBA1Qf:", "0 already_free, managed, rebind 0"},
        {"6.1", on_edu, "EBA1qV:", "0 devres_warn, managed, rebind 0"},
        {"6.1", on_edu, "EBA1QTP:FV", "0 rpe, managed, rebind 0"},
        {"6.1", on_edu, "EBA1i1QTP:", "0 double_enable, managed, rebind 0"},  // seems to get INTx
        {"6.1", on_edu, "EBi2QTP:", "0, managed, rebind 0"},
        {"6.1", on_edu, "EBA1QFIQ:", "0 rpe, managed, rebind 0"},  // the second is on INTx
        {"6.12", on_rocker, "ee:dd", "0, rebind 0"},
        {"6.12", on_rocker, "ed:d", "0 already_disabled, enabled -1, rebind 0"},
        {"6.1", on_rocker, "EBA4Mm:", "0, managed, rebind 0"},
        {"6.1", on_rocker, "g:", "0 devres_warn, rebind 0"},
        {"6.1", on_rocker, "r:", "0 devres_warn, rebind 0"},
        {"6.1", on_rocker, "R:", "0, rebind 0"},
        {"5.16", on_rocker, "R:", "0 devres_warn, rebind 0"},
        {"6.1", on_rocker, "G1g1g1:", "stopped, oops add_dr"},
        {"6.1", on_rocker, "G1K1r1R1:", "0 devres_warn, rebind 0"},
        {"6.1", on_rocker, "EBGA4gRP:", "0, managed, rebind 0"},
        {"6.12", on_rocker, "eBGA4QgTP:R", "0 irq_domain msi_data, vectors 4, msix, enabled 1, rebind -22"},
    };
    for (const row& each : rows)
        check(each);
}

TEST_CASE("replay: the patches (linux-semantics, section 3)") {
    const row rows[] = {
        {"6.1", on_rocker, "EBA4QTP:", "0 msi_data, vectors 4, msix, managed, msi managed, rebind -22", lm::patch_v1_1},
        {"6.12 6.18", on_rocker, "EBA4QTP:", "0 irq_domain msi_data, vectors 4, msix, msi managed, rebind -22",
         lm::patch_v1_1},
        {"6.1", on_edu, "EBA1QTP:", "0 msi_data, vectors 1, msi, managed, msi managed, rebind -22", lm::patch_v1_1},
        {"6.12 6.18", on_edu, "EBA1QTP:", "0 irq_domain msi_data, vectors 1, msi, msi managed, rebind -22",
         lm::patch_v1_1},
        {"6.1", on_rocker, "EBA4QTP:VF", "0, managed, msi managed, rebind 0", lm::patch_v1_1},
        {"6.1", on_rocker, "EBa4QTP:", "0, managed, rebind 0", lm::patch_v1_1},
        {"6.1", on_rocker, "EBA4:F EBa4:", "0 msi_data, vectors 4, msix, managed, msi managed, rebind -22",
         lm::patch_v1_1},
        {"6.1", on_rocker, "EBA5: EBa4:", "0 msi_data, vectors 4, msix, managed, msi managed, rebind -22",
         lm::patch_v1_1},
        {"5.16", on_rocker, "EBA4QTP:", "0, managed, msi managed, rebind 0", lm::patch_v1_1},

        {"6.1", on_rocker, "EBA4QTP:", "0, managed, msi managed, rebind 0", lm::patch_v1_full},
        {"6.12 6.18", on_rocker, "EBA4QTP:", "0, msi managed, rebind 0", lm::patch_v1_full},
        {"6.1", on_edu, "EBA1QTP:", "0, managed, msi managed, rebind 0", lm::patch_v1_full},
        {"6.1", on_rocker, "eBA4:d", "0, msi managed, rebind 0", lm::patch_v1_full},
        {"6.1", on_rocker, "EBA4: eBa4:d", "0, managed, msi managed, rebind 0", lm::patch_v1_full},
        {"6.1", on_rocker, "EBa4QTP:", "0 msi_data, vectors 4, msix, managed, rebind -22", lm::patch_v1_full},
        {"6.12 6.18", on_rocker, "EBa4QTP:", "0 irq_domain msi_data, vectors 4, msix, rebind -22", lm::patch_v1_full},
        {"6.1", on_edu, "EBa1QTP:", "0 msi_data, vectors 1, msi, managed, oops pci_disable_msi", lm::patch_v1_full},
        {"6.12 6.18", on_edu, "EBa1QTP:", "0 irq_domain msi_data, vectors 1, msi, rebind -22", lm::patch_v1_full},

        {"6.1", on_rocker, "EBA4QTP:", "0, managed, rebind 0", lm::patch_v3},
        {"6.1", on_edu, "EBA1QTP:", "0, managed, rebind 0", lm::patch_v3},
        {"6.12 6.18", on_rocker, "EBA4QTP:", "0, rebind 0", lm::patch_v3},
        {"6.1", on_rocker, "eBA4QTP:", "0 msi_data, vectors 4, msix, enabled 1, rebind -22", lm::patch_v3},
    };
    for (const row& each : rows)
        check(each);
}

TEST_CASE("replay: whatever a program does, its machine can be taken down and the same comes out again") {
    const auto again = [](const char* program, device_kind kind) {
        for (const lm::kernel_version& version : lm::kernel_versions) {
            for (const lm::patch_version& patch : lm::patch_versions) {
                INFO(program << " on " << version.name << ", patch " << patch.name);
                CHECK(describe(outcome_of(version, patch, kind, program)) ==
                      describe(outcome_of(version, patch, kind, program)));
            }
        }
    };
    for (const char* const program :
         {"EBA4QTP:F EBA4QTP:", "eBA4qT: EBA4QTP:", "G1g1g1:", "K1GBEA4QTgK2:R", "eBA4: eF:"})
        again(program, on_rocker);
    for (const char* const program : {"EBA1QTP:F EBA1QTP:", "eBA1qT: EBA1QTP:", "EBi2QTFIQT:", "eBA1: eF:"})
        again(program, on_edu);
}

TEST_CASE("replay prints a summary with exactly the keys of the lab, in their order") {
    const auto done = run({.programs = {"EBA4QTP:F", "eBA4: eF:"}});
    CHECK(done.code == 0);
    CHECK(done.errors.empty());
    CHECK(
        done.out ==
        R"({"program":"EBA4QTP:F","kernel":"6.1","patch":"none","device":"rocker","probe":0,)"
        R"("warnings":["rpe","rpe","rpe","rpe"],"vectors_live":0,"handlers_live":0,"msix_enabled":false,)"
        R"("msi_enabled":false,"is_managed":true,"is_msi_managed":false,"enable_cnt":0,"oops":null,"rebind":0})"
        "\n"
        R"({"program":"eBA4: eF:","kernel":"6.1","patch":"none","device":"rocker","probe":null,)"
        R"("warnings":["msi_data"],"vectors_live":4,"handlers_live":0,"msix_enabled":true,)"
        R"("msi_enabled":false,"is_managed":false,"is_msi_managed":false,"enable_cnt":2,"oops":"mutex_lock","rebind":null})"
        "\n");
    const auto other = run({.kernel = "6.12", .patch = "v1-full", .device = "edu", .programs = {"EBA1:"}});
    CHECK(other.out ==
          R"({"program":"EBA1:","kernel":"6.12","patch":"v1-full","device":"edu","probe":0,)"
          R"("warnings":[],"vectors_live":0,"handlers_live":0,"msix_enabled":false,)"
          R"("msi_enabled":false,"is_managed":false,"is_msi_managed":true,"enable_cnt":0,"oops":null,"rebind":0})"
          "\n");
}

TEST_CASE("replay prints the events in order: vectors freed under managed handlers") {
    const auto done = run({.events = true, .programs = {"EBA4QTP:F"}});
    CHECK(done.code == 0);
    const std::string events = done.out.substr(0, done.out.find("{\"program\""));
    CHECK(events ==
          R"({"event":"bind","driver":"EBA4QTP:F"}
{"event":"add","node":"pcim_release"}
{"event":"add","node":"devm_attr_group_remove"}
{"event":"add","node":"msi_device_data_release"}
{"event":"add","node":"pcim_msi_release"}
{"event":"alloc","result":4}
{"event":"request","vector":0,"result":0}
{"event":"add","node":"devm_irq_release 0"}
{"event":"request","vector":1,"result":0}
{"event":"add","node":"devm_irq_release 1"}
{"event":"request","vector":2,"result":0}
{"event":"add","node":"devm_irq_release 2"}
{"event":"request","vector":3,"result":0}
{"event":"add","node":"devm_irq_release 3"}
{"event":"fire","vector":0,"handled":1}
{"event":"fire","vector":1,"handled":1}
{"event":"fire","vector":2,"handled":1}
{"event":"fire","vector":3,"handled":1}
{"event":"state","vectors_live":4,"handlers_live":4,"msix_enabled":true,"msi_enabled":false,"is_managed":true,"is_msi_managed":true,"enable_cnt":1}
{"event":"probe","result":0}
{"event":"unbind"}
{"event":"free","vectors":4}
{"event":"warning","kind":"rpe","text":"remove_proc_entry: removing non-empty directory 'irq/24', leaking at least 'lab0'"}
{"event":"warning","kind":"rpe","text":"remove_proc_entry: removing non-empty directory 'irq/25', leaking at least 'lab1'"}
{"event":"warning","kind":"rpe","text":"remove_proc_entry: removing non-empty directory 'irq/26', leaking at least 'lab2'"}
{"event":"warning","kind":"rpe","text":"remove_proc_entry: removing non-empty directory 'irq/27', leaking at least 'lab3'"}
{"event":"release","node":"devm_irq_release 3"}
{"event":"free_irq","vector":3,"found":false}
{"event":"release","node":"devm_irq_release 2"}
{"event":"free_irq","vector":2,"found":false}
{"event":"release","node":"devm_irq_release 1"}
{"event":"free_irq","vector":1,"found":false}
{"event":"release","node":"devm_irq_release 0"}
{"event":"free_irq","vector":0,"found":false}
{"event":"release","node":"pcim_msi_release"}
{"event":"release","node":"msi_device_data_release"}
{"event":"release","node":"devm_attr_group_remove"}
{"event":"release","node":"pcim_release"}
{"event":"unbound"}
)");
}

TEST_CASE("replay prints the events in order: a group is released newest first, vectors with it") {
    const auto done = run({.kernel = "6.12", .device = "edu", .events = true, .programs = {"EK1GA1QgK2R:"}});
    const std::string events = done.out.substr(0, done.out.find("{\"program\""));
    CHECK(events ==
          R"({"event":"bind","driver":"EK1GA1QgK2R:"}
{"event":"add","node":"pcim_disable_device"}
{"event":"add","node":"action 1"}
{"event":"add","node":"grp<"}
{"event":"add","node":"devm_attr_group_remove"}
{"event":"add","node":"msi_device_data_release"}
{"event":"add","node":"pcim_msi_release"}
{"event":"alloc","result":1}
{"event":"request","vector":0,"result":0}
{"event":"add","node":"devm_irq_release 0"}
{"event":"add","node":"grp>"}
{"event":"add","node":"action 2"}
{"event":"release","node":"grp<"}
{"event":"release","node":"devm_irq_release 0"}
{"event":"free_irq","vector":0,"found":true}
{"event":"release","node":"pcim_msi_release"}
{"event":"free","vectors":1}
{"event":"release","node":"msi_device_data_release"}
{"event":"release","node":"devm_attr_group_remove"}
{"event":"probe","result":0}
{"event":"unbind"}
{"event":"release","node":"action 2"}
{"event":"release","node":"action 1"}
{"event":"release","node":"pcim_disable_device"}
{"event":"unbound"}
)");
}

TEST_CASE("replay prints the other events: messages, removed nodes, an oops, each driver's bind") {
    const auto done = run({.events = true, .programs = {"EX: EBA1QQ: EBA1QV: G1g1g1:"}});
    for (const char* const line : {
             R"line({"event":"bind","driver":"EX:"})line",
             R"line({"event":"probe","result":-5})line",
             R"line({"event":"message","text":"probe of devres_lab failed with error -5"})line",
             R"line({"event":"bind","driver":"EBA1QQ:"})line",
             R"line({"event":"request","vector":0,"result":-16})line",
             R"line({"event":"message","text":"Flags mismatch irq 24. 00000000 (lab0) vs. 00000000 (lab0)"})line",
             R"line({"event":"remove","node":"devm_irq_release 0"})line",
             R"line({"event":"oops","function":"add_dr"})line",
         }) {
        INFO(line);
        CHECK(done.out.find(line + std::string("\n")) != std::string::npos);
    }
    CHECK(done.out.find("rebind\"}") == std::string::npos);
}

TEST_CASE("replay: a device that fires without a handler, or without bus master, calls nobody") {
    for (const auto& [program, calls] :
         {std::pair{"EBA4TQT:", "00001111"}, {"EA4QT:", "0000"}, {"EBA4QTFT:", "11110000"}}) {
        INFO(program);
        std::string fired;
        for (const lm::event& each : outcome_of(lm::linux_6_1, lm::unpatched, on_rocker, program).events) {
            if (each.kind == lm::event_kind::fire)
                fired += std::to_string(each.value);
        }
        if (std::string_view(program) == "EBA4TQT:")
            CHECK(fired.size() == 8);  // what was pending comes with the handler, before the second time
        CHECK(fired == calls);
    }
}

TEST_CASE("replay: a request that cannot be understood is answered with what it must be, and nothing runs") {
    const auto refused = [](const replay::request& asked) {
        const auto done = run(asked);
        CHECK(done.code == 2);
        CHECK(done.out.empty());
        return done.errors;
    };
    CHECK(refused({.kernel = "6.2", .programs = {":"}}) ==
          "replay: --kernel 6.2: must be one of 5.16, 6.1, 6.12, 6.18\n");
    CHECK(refused({.patch = "v2", .programs = {":"}}) ==
          "replay: --patch v2: must be one of none, v1-1, v1-full, v3\n");
    CHECK(refused({.device = "nvme", .programs = {":"}}) == "replay: --device nvme: must be one of rocker, edu\n");
    CHECK(refused({.programs = {"E:", "E4:"}}) == "replay: 'E4:', position 2: 'E' takes no number\n");
    const auto none = run({});
    CHECK(none.code == 0);
    CHECK(none.out.empty());
}
