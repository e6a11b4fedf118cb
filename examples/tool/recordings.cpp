// SPDX-License-Identifier: BSL-1.0
#include "tool/recordings.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include <devres/testing/chart_svg.hpp>
#include <devres/testing/trace_json.hpp>

namespace examples {

namespace {

template <class Write>
bool write_file(const std::string& name, std::ostream& errors, Write write) {
    if (name.empty())
        return true;
    std::ofstream file(name, std::ios::binary);
    if (file.is_open())
        write(file);
    file.close();
    if (!file)
        errors << name << ": cannot be written: " << std::strerror(errno) << '\n';
    return !!file;
}

}  // namespace

bool write_recordings(const request& asked, std::ostream& errors) {
    if (asked.chart.empty() && asked.trace.empty())
        return true;
    const auto entries = switchtec_recording();
    const auto chart = [&](std::ostream& out) {
        devres::testing::write_chart_svg(out, entries,
                                         "A Switchtec: bound, used, unbound; then a probe that fails at its last step");
    };
    return write_file(asked.chart, errors, chart) && write_file(asked.trace, errors, [&](std::ostream& out) {
               devres::testing::write_chrome_trace(out, entries);
           });
}

}  // namespace examples
