// SPDX-License-Identifier: BSL-1.0
#include "hazards/hazards.hpp"

#include <string>
#include <utility>
#include <vector>

#include "hazards/catalogue.hpp"
#include "hazards/page.hpp"
#include "hazards/told.hpp"
#include "hazards/tour.hpp"

namespace hazards {

namespace {

/// Those of the build: both are folders.
const places of_the_build = {.answers = DEVRES_HAZARD_ANSWERS, .examples = DEVRES_EXAMPLES_SOURCE};

/// The compiler that refused, which is the one that compiles this.
constexpr const char* compiler =
#ifdef __clang__
    "clang++ " __clang_version__;
#else
    "g++ " __VERSION__;
#endif

}  // namespace

int run_hazards(examples::output out) {
    bool good = true;
    unsigned number = 0;
    for (const hazard& each : catalogue)
        good = show(out, ++number, tell(each, of_the_build), compiler) && good;
    return good ? 0 : 1;
}

int write_page(std::ostream& out, std::ostream& errors) {
    std::vector<told> all;
    bool good = true;
    for (const hazard& each : catalogue) {
        all.push_back(tell(each, of_the_build));
        for (const std::string& wrong : all.back().untrue) {
            errors << each.name << ": not as told: " << wrong << '\n';
            good = false;
        }
    }
    if (good)
        write_page(out, all);
    return good ? 0 : 1;
}

}  // namespace hazards
