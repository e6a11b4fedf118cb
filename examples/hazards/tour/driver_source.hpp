// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <istream>
#include <string>
#include <vector>

namespace hazards {

/// A line of a driver's source: '-' if only the driver with the hazard has it, '+' if only the one without.
struct source_line {
    char sign;
    std::string text;

    friend bool operator==(const source_line&, const source_line&) = default;
};

/// A hazard's header, in which both versions of its driver stand.
struct driver_source {
    std::vector<std::string> file;     ///< every line
    std::vector<source_line> drivers;  ///< what is in the namespace, both versions in one
};

[[nodiscard]] inline driver_source read_driver(std::istream& from) {
    driver_source out;
    bool inside = false;
    char sign = ' ';
    for (std::string line; std::getline(from, line);) {
        out.file.push_back(line);
        if (line.starts_with("namespace "))
            inside = true;
        else if (line.starts_with("}  // namespace"))
            inside = false;
        else if (line.starts_with("#ifdef DEVRES_HAZARD"))
            sign = '-';
        else if (line.starts_with("#else"))
            sign = '+';
        else if (line.starts_with("#endif"))
            sign = ' ';
        else if (inside && (!line.empty() || !out.drivers.empty()))
            out.drivers.push_back({sign, line});
    }
    while (!out.drivers.empty() && out.drivers.back().text.empty())
        out.drivers.pop_back();
    return out;
}

}  // namespace hazards
