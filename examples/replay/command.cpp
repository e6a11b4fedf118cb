// SPDX-License-Identifier: BSL-1.0
#include "replay/command.hpp"

#include <string_view>
#include <utility>

#include "replay/explanation.hpp"
#include "replay/json.hpp"

namespace replay {

namespace {

template <class Rows>
std::string names_of(const Rows& rows) {
    std::string out;
    for (const auto& row : rows)
        out += (out.empty() ? "" : ", ") + std::string(row.name);
    return out;
}

}  // namespace

int run(const request& asked, std::ostream& to, std::ostream& errors) {
    const auto wrong = [&](std::string_view option, const std::string& value, const std::string& right) {
        errors << "replay: " << option << ' ' << value << ": must be one of " << right << '\n';
        return 2;
    };
    const lm::kernel_version* const version = lm::find_kernel(asked.kernel);
    if (version == nullptr)
        return wrong("--kernel", asked.kernel, names_of(lm::kernel_versions));
    const lm::patch_version* const patch = lm::find_patch(asked.patch);
    if (patch == nullptr)
        return wrong("--patch", asked.patch, names_of(lm::patch_versions));
    if (asked.device != "rocker" && asked.device != "edu")
        return wrong("--device", asked.device, "rocker, edu");
    const device_kind kind = asked.device == "rocker" ? device_kind::rocker : device_kind::edu;

    std::vector<program> programs;
    for (const std::string& text : asked.programs) {
        auto read = parse(text);
        if (!read) {
            errors << "replay: '" << text << "', position " << read.error().position << ": " << read.error().message
                   << '\n';
            return 2;
        }
        programs.push_back(std::move(*read));
    }
    for (const program& each : programs) {
        machine fresh(*version, *patch, kind);
        const outcome out = fresh.run(each);
        if (asked.events)
            print_events(to, each, out);
        if (asked.explain)
            explain(to, each, *version, *patch, kind, out);
        else
            print_summary(to, each, *version, *patch, kind, out);
    }
    return 0;
}

}  // namespace replay
