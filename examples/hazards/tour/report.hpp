// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "hazards/hazard.hpp"
#include "hazards/tour/devres_side.hpp"
#include "hazards/tour/driver_source.hpp"
#include "hazards/tour/linux_side.hpp"
#include "hazards/tour/refusal.hpp"

namespace hazards {

/// What is known of a hazard after everything in it was run.
struct report {
    const hazard* what = nullptr;
    linux_side in_linux;
    driver_source driver;
    refusal refused;
    devres_run in_devres;                 ///< on 6.1
    outcome_row on_kernels;               ///< the driver of this library
    std::vector<std::string> deviations;  ///< what is not as the tour says

    [[nodiscard]] std::string header() const { return "hazards/drivers/" + std::string(what->name) + ".hpp"; }
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

[[nodiscard]] inline report examine(const hazard& what, const places& from) {
    report out;
    out.what = &what;
    out.in_linux = what.run_in_linux();
    out.in_devres = what.run_with_devres(lm::linux_6_1, what.device);
    out.deviations = out.in_linux.deviations;

    std::ifstream source(from.examples + "/" + out.header());
    out.driver = read_driver(source);
    std::ifstream answer(from.answers + "/" + std::string(what.name) + ".txt");
    out.refused = read_refusal(answer, out.header());
    if (out.refused_line().empty() || out.refused.code() != what.code)
        out.deviations.push_back("the compiler does not refuse it with " + std::string(what.code) + ": " +
                                 out.refused.message);

    out.on_kernels.what = "with devres";
    for (const lm::kernel_version& version : lm::kernel_versions) {
        const devres_run run = what.run_with_devres(version, what.device);
        out.on_kernels.on_kernel.push_back(run.in_words());
        for (const std::string& fault : run.faults)
            out.deviations.push_back("with devres, Linux " + std::string(version.name) + ": " + fault);
    }
    return out;
}

}  // namespace hazards
