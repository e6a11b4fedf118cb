// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "hazards/devres_side.hpp"
#include "hazards/driver_source.hpp"
#include "hazards/hazard.hpp"
#include "hazards/linux_side.hpp"
#include "hazards/refusal.hpp"

namespace hazards {

/// All there is to tell of a hazard, after everything in it was run.
struct told {
    const hazard* what = nullptr;
    linux_side in_linux;
    driver_source driver;
    refusal refused;
    devres_run in_devres;             ///< on 6.1
    outcome_row on_kernels;           ///< the driver of this library
    std::vector<std::string> untrue;  ///< what is not as the tour says

    [[nodiscard]] std::string header() const { return "hazards/" + std::string(what->name) + ".hpp"; }
    /// The line of the driver that is refused.
    [[nodiscard]] std::string refused_line() const {
        if (refused.line == 0 || refused.line > driver.file.size())
            return "";
        const std::string& line = driver.file[refused.line - 1];
        return line.substr(std::min(line.find_first_not_of(' '), line.size()));
    }
};

/// Where the compiler's answers and the sources are.
struct places {
    std::string answers;
    std::string examples;
};

[[nodiscard]] inline told tell(const hazard& what, const places& from) {
    told out;
    out.what = &what;
    out.in_linux = what.tell();
    out.in_devres = what.run(lm::linux_6_1, what.device);
    out.untrue = out.in_linux.untrue;

    std::ifstream source(from.examples + "/" + out.header());
    out.driver = read_driver(source);
    std::ifstream answer(from.answers + "/" + std::string(what.name) + ".txt");
    out.refused = read_refusal(answer, out.header());
    if (out.refused_line().empty() || out.refused.code() != what.code)
        out.untrue.push_back("the compiler does not refuse it with " + std::string(what.code) + ": " +
                             out.refused.message);

    out.on_kernels.what = "with devres";
    for (const lm::kernel_version& version : lm::kernel_versions) {
        const devres_run run = what.run(version, what.device);
        out.on_kernels.on_kernel.push_back(run.in_words());
        for (const std::string& fault : run.faults)
            out.untrue.push_back("with devres, Linux " + std::string(version.name) + ": " + fault);
    }
    return out;
}

}  // namespace hazards
