// SPDX-License-Identifier: BSL-1.0
#include "hazards/hazards.hpp"

#include <string>
#include <utility>
#include <vector>

#include "hazards/catalogue.hpp"
#include "hazards/tour/page.hpp"
#include "hazards/tour/report.hpp"
#include "hazards/tour/terminal.hpp"
#include "output.hpp"

namespace hazards {

namespace {

/// Those of the build: both are folders.
const places of_the_build = {.answers = DEVRES_HAZARD_ANSWERS, .examples = DEVRES_EXAMPLES_SOURCE};

/// The compiler that refused, which is the one that compiles this.
#ifdef __clang__
constexpr const char* compiler_name = "clang++";
constexpr const char* compiler = "clang++ " __clang_version__;
#else
constexpr const char* compiler_name = "g++";
constexpr const char* compiler = "g++ " __VERSION__;
#endif

}  // namespace

std::vector<std::pair<std::string, std::string>> names() {
    std::vector<std::pair<std::string, std::string>> out;
    for (const hazard& each : catalogue)
        out.emplace_back(each.name, each.title);
    return out;
}

int run_hazards(examples::output out, const std::string& name) {
    unsigned number = 0;
    unsigned shown = 0;
    unsigned good = 0;
    for (const hazard& each : catalogue) {
        ++number;
        if (!name.empty() && name != each.name)
            continue;
        ++shown;
        good += show(out, number, examine(each, of_the_build), compiler) ? 1U : 0U;
    }
    out.summary(std::to_string(good) + " of " + std::to_string(shown) + " refused by " + compiler_name +
                ", and clean as corrected");
    return good == shown && shown != 0 ? 0 : 1;
}

bool show_first(examples::output& out) {
    const report first = examine(catalogue[0], of_the_build);
    show_briefly(out, first);
    return first.deviations.empty();
}

int write_page(std::ostream& out, std::ostream& errors) {
    std::vector<report> all;
    bool good = true;
    for (const hazard& each : catalogue) {
        all.push_back(examine(each, of_the_build));
        for (const std::string& wrong : all.back().deviations) {
            errors << each.name << ": not as expected: " << wrong << '\n';
            good = false;
        }
    }
    if (good)
        write_page(out, all);
    return good ? 0 : 1;
}

}  // namespace hazards
