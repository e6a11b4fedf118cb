// SPDX-License-Identifier: BSL-1.0

/// The examples' tool: `devres-examples [all | switchtec | vmd | rocker | nvme | hazards [NAME] | lspci [FILE...] |
/// replay PROGRAM... | vfio ADDRESS]`.
///
/// An example is a header that offers `int run_...(..., examples::output)`, which answers 0 if every ledger was
/// clean in the end and 1 if not. Wrong use is one line on standard error, nothing on standard output, and exit
/// code 2.

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include "hazards/hazards.hpp"
#include "output_options.hpp"
#include "replay/command.hpp"
#include "tool/command_line.hpp"
#include "tool/overview.hpp"
#include "tool/prepared.hpp"
#include "tool/recordings.hpp"
#include "vfio/command.hpp"

namespace {

/// Whether what we write there is seen, on something that can colour and erase.
bool is_terminal(int file) {
    const char* const kind = std::getenv("TERM");
    return isatty(file) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

/// The exit code, after everything is written; 1 if it cannot be.
int written(int code) {
    std::cout.flush();
    if (!std::cout) {
        std::cerr << "standard output: cannot be written\n";
        return 1;
    }
    return code;
}

bool is_set(const char* variable) {
    const char* const value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

bool is_set_to(const char* variable, std::string_view what) {
    const char* const value = std::getenv(variable);
    return value != nullptr && value == what;
}

}  // namespace

int main(int argc, char** argv) try {
    const auto [asked, done] = examples::read_command_line(argc, argv);
    if (done)
        return *done;
    if (asked.page)
        return written(hazards::write_page(std::cout, std::cerr));
    if (asked.hazard_names) {
        for (const auto& [name, title] : hazards::names())
            std::cout << name << std::string(20 - name.size(), ' ') << title << '\n';
        return written(0);
    }
    if (asked.programs)
        return written(replay::run(*asked.programs, std::cout, std::cerr));
    if (asked.device)
        return written(vfio_command::run(*asked.device, std::cout, std::cerr));
    if (!examples::write_recordings(asked, std::cerr))
        return examples::wrong_use;
    const auto [prepared, wrong] = examples::prepare(asked);
    if (prepared.empty())
        return examples::wrong_use;
    const bool wanted = is_terminal(STDOUT_FILENO) || (is_set("CLICOLOR_FORCE") && !is_set_to("CLICOLOR_FORCE", "0"));
    const examples::output_options options{.colour = wanted && !asked.no_color && !is_set("NO_COLOR"),
                                           .quiet = asked.quiet,
                                           .progress = {&std::cerr, is_terminal(STDERR_FILENO)}};
    const int code = written(asked.overview ? examples::show_overview(prepared, std::cout, options)
                                            : examples::run(prepared, std::cout, options));
    return wrong ? examples::wrong_use : code;
} catch (const std::exception& unexpected) {
    std::cerr << "devres-examples: " << unexpected.what() << '\n';
    return 1;
}
