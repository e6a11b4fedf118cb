// SPDX-License-Identifier: BSL-1.0

/// The examples' tool: `devres-examples [all | switchtec | vmd | rocker | nvme | hazards | lspci FILE... |
/// replay PROGRAM... | vfio ADDRESS]`.
///
/// An example is a header that offers `int run_...(..., examples::output)`, which answers 0 if every ledger was
/// clean in the end and 1 if not. Wrong use is one line on standard error, nothing on standard output, and exit
/// code 2.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "demonstrations.hpp"
#include "hazards/hazards.hpp"
#include "lspci/lspci.hpp"
#include "output.hpp"
#include "replay/command.hpp"
#include "vfio/command.hpp"

namespace {

constexpr int wrong_use = 2;

/// What the command line asks for.
struct request {
    std::vector<examples::demonstration> demonstrations{};
    bool hazards = false;
    bool page = false;
    std::vector<std::string> dumps{};
    std::optional<replay::request> programs{};
    std::optional<vfio_command::request> device{};
    bool quiet = false;
    bool no_color = false;
};

struct example {
    std::string name;
    std::string about;
    std::function<int(examples::output)> run;
};

/// The dumps that come with the examples, by names that are short where we are among them.
std::vector<std::string> our_dumps() {
    namespace fs = std::filesystem;
    std::vector<std::string> dumps;
    for (const auto& entry : fs::directory_iterator(DEVRES_EXAMPLES_DATA)) {
        if (entry.path().extension() != ".lspci")
            continue;
        const std::string from_here = entry.path().lexically_proximate(fs::current_path()).string();
        dumps.push_back(from_here.starts_with("..") ? entry.path().string() : from_here);
    }
    std::ranges::sort(dumps);
    return dumps;
}

/// @returns what is asked for, or the exit code if that is nothing (more)
std::pair<request, std::optional<int>> read_command_line(int argc, char** argv) {
    const std::string name = argc > 0 ? argv[0] : "devres-examples";
    CLI::App app("Drivers written with devres, run on simulated machines.", name);
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.get_formatter()->column_width(16);
    app.require_subcommand(0, 1);
    app.fallthrough();  // options may stand behind the command
    app.set_help_flag("-h,--help", "Say all this");
    app.footer("Options are for every command, and may stand behind it.\n"
               "Exit code: 0 if every ledger is clean, 1 if not, 2 for wrong use: a command line, or a FILE, that\n"
               "cannot be understood. Colour is for terminals, and not used if NO_COLOR is set.");

    request asked;
    app.add_flag("-q,--quiet", asked.quiet, "Only a verdict for each example, and the problems");
    app.add_flag("--no-color", asked.no_color, "No colour, on a terminal either");
    const auto* const all = app.add_subcommand("all",
                                               "Every example, lspci with the dumps that come with it (default)");
    for (const examples::demonstration& each : examples::demonstrations())
        app.add_subcommand(each.name, std::string("A driver for ") + each.about);
    auto* const hazards = app.add_subcommand(
        "hazards", "Ownership faults of C drivers: what Linux does with them, and who refuses them here.\n"
                   "--markdown writes it as docs/ownership.md");
    hazards->add_flag("--markdown", asked.page, "Write docs/ownership.md instead");
    auto* const lspci = app.add_subcommand(
        "lspci", "FILE...: the machine that each FILE describes, a driver on each of its functions.\n"
                 "FILE is the output of lspci -xxxx; - is standard input");
    lspci->add_option("FILE", asked.dumps, "The output of lspci -xxxx; - is standard input")
        ->required()
        ->type_name("")
        ->expected(1, -1);
    auto* const replay = app.add_subcommand(
        "replay", "PROGRAM...: what Linux does when C drivers do this with a device, on a model of it; a\n"
                  "JSON object for each PROGRAM. A PROGRAM is PROBE:REMOVE, a letter for each operation, as in\n"
                  "EBA4QTP:F; test/kernel/README.md has the letters");
    replay::request programs;
    replay
        ->add_option("PROGRAM", programs.programs, "A program, as in EBA4QTP:F; test/kernel/README.md has the letters")
        ->required()
        ->type_name("")
        ->expected(1, -1);
    replay->add_option("--kernel", programs.kernel, "5.16, 6.1 (default), 6.12 or 6.18")->type_name("VERSION");
    replay->add_option("--patch", programs.patch, "none (default), v1-1, v1-full or v3")->type_name("VERSION");
    replay->add_option("--device", programs.device, "rocker (default): 4 MSI-X vectors; edu: 1 MSI vector, INTx")
        ->type_name("DEVICE");
    replay->add_flag("--events", programs.events, "Every event before the summary, a JSON object each");
    auto* const vfio = app.add_subcommand(
        "vfio", "ADDRESS: the driver of a real device that vfio-pci has, and its test. --list shows such\n"
                "devices, and the commands that bind the others; docs/vfio.md says more");
    vfio_command::request device;
    auto* const address = vfio->add_option("ADDRESS", device.address, "Of a PCI function, as in 0000:04:00.0")
                              ->type_name("");
    vfio->add_flag("--list", device.list, "The functions that vfio-pci has, and the commands that bind the others")
        ->excludes(address);
    vfio->add_flag("--overwrite", device.overwrite, "What the device stores may be overwritten");
    for (auto* const command : app.get_subcommands({}))
        command->group("Commands");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return {{}, app.exit(help)};
    } catch (const CLI::ParseError& wrong) {
        std::string what = wrong.what();
        std::ranges::replace(what, '\n', ' ');
        std::cerr << name << ": " << what << " (see --help)\n";
        return {{}, wrong_use};
    }
    if (vfio->parsed() && !device.list && device.address.empty()) {
        std::cerr << name << ": vfio: ADDRESS or --list is required (see --help)\n";
        return {{}, wrong_use};
    }
    const bool every = all->parsed() || app.get_subcommands().empty();
    for (const examples::demonstration& each : examples::demonstrations()) {
        if (every || app.got_subcommand(each.name))
            asked.demonstrations.push_back(each);
    }
    asked.hazards = every || hazards->parsed();
    if (replay->parsed())
        asked.programs = std::move(programs);
    if (vfio->parsed())
        asked.device = std::move(device);
    if (every)
        asked.dumps = our_dumps();
    return {std::move(asked), std::nullopt};
}

/// The functions of a dump; nothing, and one line on standard error, if there are none.
std::optional<std::vector<devres::sim::dumped_function>> read(const std::string& name) {
    if (name == "-")
        return lspci::read_dump(std::cin, "standard input", std::cerr);
    std::error_code ignored;
    const bool is_directory = std::filesystem::is_directory(name, ignored);
    std::ifstream file;
    if (!is_directory)
        file.open(name);
    if (!file.is_open()) {
        std::cerr << name << ": " << std::strerror(is_directory ? EISDIR : errno) << '\n';
        return std::nullopt;
    }
    return lspci::read_dump(file, name, std::cerr);
}

/// Everything is read before anything is written. @returns nothing if a file is wrong
std::optional<std::vector<example>> prepare(const request& asked) {
    std::vector<example> out;
    for (const examples::demonstration& each : asked.demonstrations)
        out.push_back({each.name, each.about, each.run});
    if (asked.hazards)
        out.push_back({"hazards", "ownership faults, in C on Linux and with devres", hazards::run_hazards});
    for (const std::string& dump : asked.dumps) {
        auto functions = read(dump);
        if (!functions)
            return std::nullopt;
        out.push_back(
            {"lspci " + dump, "a driver on each function", [machine = std::move(*functions)](examples::output to) {
                 return lspci::run_machine(machine, std::move(to));
             }});
    }
    return out;
}

/// @returns the exit code
int run(const std::vector<example>& all, examples::output out) {
    std::vector<int> codes;
    for (const example& each : all) {
        out.title(each.name + ": " + each.about);
        codes.push_back(each.run(out));
        if (out.quiet())
            out.verdict(codes.back() == 0, each.name);
    }
    if (!out.quiet()) {
        out.line();
        for (std::size_t i = 0; i != all.size(); ++i)
            out.verdict(codes[i] == 0, all[i].name);
    }
    return std::ranges::max(codes);
}

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

}  // namespace

int main(int argc, char** argv) try {
    const auto [asked, done] = read_command_line(argc, argv);
    if (done)
        return *done;
    if (asked.page)
        return written(hazards::write_page(std::cout, std::cerr));
    if (asked.programs)
        return written(replay::run(*asked.programs, std::cout, std::cerr));
    if (asked.device)
        return written(vfio_command::run(*asked.device, std::cout, std::cerr));
    const auto prepared = prepare(asked);
    if (!prepared)
        return wrong_use;
    const examples::output_options options{.colour = is_terminal(STDOUT_FILENO) && !asked.no_color &&
                                                     !is_set("NO_COLOR"),
                                           .quiet = asked.quiet,
                                           .progress = is_terminal(STDERR_FILENO) ? &std::cerr : nullptr};
    return written(run(*prepared, {std::cout, options}));
} catch (const std::exception& unexpected) {
    std::cerr << "devres-examples: " << unexpected.what() << '\n';
    return 1;
}
