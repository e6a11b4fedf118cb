// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "hazards/tour/c_program.hpp"
#include "hazards/tour/driver_source.hpp"
#include "hazards/tour/late_interrupt.hpp"
#include "hazards/tour/refusal.hpp"
#include "hazards/tour/text.hpp"

// The tour itself is run by cli.py. Here are its parts, with what must not be mistaken for something else.

namespace {

using namespace hazards;
using lines = std::vector<std::string>;

refusal refusal_in(const std::string& text) {
    std::istringstream from(text);
    return read_refusal(from, "hazards/drivers/some.hpp");
}

lines texts(const std::vector<phase_line>& of, const std::string& phase) {
    lines out;
    std::string now;
    for (const phase_line& each : of) {
        if (!each.phase.empty())
            now = each.phase;
        if (now == phase)
            out.push_back(each.text);
    }
    return out;
}

bool contain(const lines& all, const std::string& line) { return std::ranges::find(all, line) != all.end(); }

}  // namespace

TEST_CASE("a refusal is the first rule that fails, and the line of the driver that it fails at") {
    const std::string gnu =
        "/x/hazards/drivers/some.hpp: In instantiation of 'probe':\n"
        "/x/core/rule.hpp:9:1: error: not of the driver\n"
        "/x/hazards/drivers/some.hpp:17:5: error: no matching function for call to 'f()'\n"
        "note: candidate: 'requires rule<A, {\"devres[D005] only a candidate\"}>'\n"
        "rule.hpp:21:9: required for the satisfaction of 'rule<B, text<9>{\"devres[D001] no\"}>' [with]\n"
        "/x/hazards/drivers/some.hpp:18:5: error: another\n"
        "rule.hpp:21:9: required for the satisfaction of 'rule<B, text<9>{\"devres[D002] late\"}>'\n";
    CHECK(refusal_in(gnu).line == 17);
    CHECK(refusal_in(gnu).message == "devres[D001] no");
    CHECK(refusal_in(gnu).code() == "D001");

    const std::string clang = "/x/hazards/drivers/some.hpp:8:14: error: no matching function for call to 'f'\n"
                              "note: candidate template ignored: constraints not satisfied\n"
                              "note: because 'rule<is_same_v<a, b>, \"devres[D003] no\">' evaluated to false\n";
    CHECK(refusal_in(clang).line == 8);
    CHECK(refusal_in(clang).message == "devres[D003] no");
}

TEST_CASE("without an error in the driver there is no refusal") {
    CHECK(refusal_in("").line == 0);
    CHECK(refusal_in("").code().empty());
    CHECK(refusal_in("because 'rule<a, \"devres[D003] no\">' evaluated to false\n").message.empty());
    CHECK(refusal_in("/x/hazards/drivers/awesome.hpp:8:14: error: of another header\n").line == 0);
}

TEST_CASE("a driver is shown with both of its versions in one") {
    std::istringstream from("#include <x>\n"
                            "/// About it.\n"
                            "namespace hazards::some {\n"
                            "\n"
                            "struct driver {\n"
                            "#ifdef DEVRES_HAZARD\n"
                            "    wrong\n"
                            "#else\n"
                            "    right\n"
                            "#endif\n"
                            "};\n"
                            "\n"
                            "}  // namespace hazards::some\n");
    const driver_source read = read_driver(from);
    CHECK(read.drivers ==
          std::vector<source_line>{{' ', "struct driver {"}, {'-', "    wrong"}, {'+', "    right"}, {' ', "};"}});
    REQUIRE(read.file.size() == 13);
    CHECK(read.file[6] == "    wrong");
}

TEST_CASE("vectors are named as a range where they are one") {
    CHECK(vectors_named({2}) == "vector 2");
    CHECK(vectors_named({0, 1, 2}) == "vectors 0 to 2");
    CHECK(vectors_named({3, 2}) == "vectors 3 to 2");
    CHECK(vectors_named({0, 2}) == "vectors 0, 2");
    CHECK(vectors_named({1, 1}) == "vectors 1, 1");
}

TEST_CASE("a text is broken at blanks only") {
    CHECK(wrapped("one two three", 8) == lines{"one two", "three"});
    CHECK(wrapped("one two", 7) == lines{"one two"});
    CHECK(wrapped("unbreakable x", 4) == lines{"unbreakable", "x"});
}

TEST_CASE("the C driver's steps are its program's operations, by the functions' names") {
    using detail::steps_of, detail::parsed;
    CHECK(steps_of(parsed("EA4QTP:fF"), "none") ==
          std::vector<phase_line>{{"probe", "pcim_enable_device(pdev)"},
                                  {"", "pci_alloc_irq_vectors(pdev, 4, 4, PCI_IRQ_MSIX | PCI_IRQ_MSI)"},
                                  {"", "devm_request_irq() on each vector"},
                                  {"remove", "free_irq() on each vector"},
                                  {"", "pci_free_irq_vectors(pdev)"}});
    CHECK(steps_of(parsed("A4:"), "v3").front().text.starts_with("pcim_alloc_irq_vectors("));
    CHECK(steps_of(parsed("a4:"), "v3").front().text.starts_with("pci_alloc_irq_vectors("));
}

TEST_CASE("what Linux does is said in the phase in which it does it") {
    replay::machine machine(lm::linux_6_1, lm::unpatched, replay::device_kind::rocker);
    const replay::outcome found = machine.run(detail::parsed("EBA4QTP:F"));
    const auto phases = detail::phases_of(found.events);
    CHECK(contain(texts(phases, "probe"), "request_irq  vectors 0 to 3"));
    CHECK(contain(texts(phases, "remove"), "free         4 vectors"));
    CHECK(contain(texts(phases, "remove"), "             (and 3 more of these)"));
    CHECK(contain(texts(phases, "devres"), "free_irq     vectors 3 to 0: there is no such handler"));
    CHECK(in_words(found) == "4 warnings, 4 handlers leak");
    CHECK(left_behind(found) == "the records of 4 handlers");
}

TEST_CASE("what is not as expected is noticed") {
    const auto never = [](const lm::kernel_version&, const replay::outcome&) { return false; };
    CHECK(run({.text = "EBA4QTP:", .rows = {{"none", never}}}).deviations.size() == 4);
    const auto always = [](const lm::kernel_version&, const replay::outcome&) { return true; };
    CHECK(run({.text = "EBA4QTP:", .rows = {{"none", always}}}).deviations.empty());
    CHECK(run({.text = "EBA4QTP:", .rows = {{"none", always}}, .confirmed_by = "EBA4QTP:F"}).deviations.size() == 1);
}

TEST_CASE("a handler of switchtec's is called with freed data when probe fails, not in remove") {
    for (const lm::kernel_version& version : lm::kernel_versions) {
        CAPTURE(version.name);
        const late_calls failing = run_switchtec(version, switchtec_end::probe_error);
        CHECK(failing.with_freed == 1);
        CHECK(failing.nothing_left);
        CHECK(contain(texts(failing.events, "error path"), "probe says   -EFAULT"));
        CHECK(contain(texts(failing.events, "devres"), "free_irq     vector 0"));
        const late_calls removed = run_switchtec(version, switchtec_end::remove);
        CHECK(removed.with_freed == 0);
        CHECK(contain(texts(removed.events, "remove"), "interrupt    vector 0: not sent"));
    }
}

TEST_CASE("every handler of VMD's that is called after its SRCU is cleaned up counts") {
    const late_calls found = run_vmd(lm::linux_6_1);
    CHECK(found.with_freed == 4);
    CHECK(found.nothing_left);
    CHECK(found.next == 0);
    CHECK(texts(found.events, "devres").front() == "free_irq     vectors 3 to 0");
}
