// SPDX-License-Identifier: BSL-1.0
#include "tool/prepared.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "hazards/hazards.hpp"
#include "lspci/lspci.hpp"
#include "output.hpp"

namespace examples {

namespace {

/// The functions of a dump; nothing, and one line on standard error, if there are none.
std::optional<std::vector<devres::sim::dumped_function>> read(const std::string& name, unsigned which) {
    if (name == "-")
        return lspci::read_dump(std::cin, "standard input", std::cerr, which);
    std::error_code ignored;
    if (std::filesystem::is_directory(name, ignored))
        return lspci::read_directory(name, std::cerr);
    std::ifstream file(name);
    if (!file.is_open()) {
        std::cerr << name << ": " << std::strerror(errno) << '\n';
        return std::nullopt;
    }
    return lspci::read_dump(file, name, std::cerr, which);
}

}  // namespace

std::pair<std::vector<prepared>, bool> prepare(const request& asked) {
    std::vector<prepared> out;
    bool wrong = false;
    for (const demonstration& each : asked.demonstrations)
        out.push_back({each.name, each.name, "", each.about, each.run});
    if (asked.hazards)
        out.push_back({"hazards", "hazards", "", "ownership faults, in C on Linux and with devres",
                       [name = asked.hazard](output to) { return hazards::run_hazards(std::move(to), name); }});
    for (const std::string& dump : asked.dumps) {
        auto functions = read(dump, asked.which);
        wrong = wrong || !functions;
        if (functions)
            out.push_back({"lspci " + dump, "lspci", std::filesystem::path(dump).filename().string(),
                           "a driver on each function",
                           [machine = std::move(*functions), bars = asked.verbose](output to) {
                               return lspci::run_machine(machine, std::move(to), bars);
                           }});
    }
    return {std::move(out), wrong};
}

std::pair<int, std::string> run_one(const prepared& what, std::ostream& to, output_options options) {
    std::string found;
    options.summary = &found;
    output out(to, options);
    out.title(what.name + ": " + what.about);
    const int code = what.run(out);
    return {code, std::move(found)};
}

int run(const std::vector<prepared>& all, std::ostream& to, const output_options& options) {
    struct outcome {
        int code;
        std::string found;
    };
    output out(to, options);
    std::size_t width = 0;
    for (const prepared& each : all)
        width = std::max(width, each.name.size());
    std::vector<outcome> outcomes;
    for (const prepared& each : all) {
        if (!outcomes.empty())
            out.line();
        auto [code, found] = run_one(each, to, options);
        if (options.quiet)
            out.verdict(code == 0, each.name, found, width);
        outcomes.push_back({code, std::move(found)});
    }
    out.line();
    for (std::size_t i = 0; i != all.size() && !options.quiet; ++i)
        out.verdict(outcomes[i].code == 0, all[i].name, outcomes[i].found, width);
    return std::ranges::max(outcomes, {}, &outcome::code).code;
}

}  // namespace examples
