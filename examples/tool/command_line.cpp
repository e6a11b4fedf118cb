// SPDX-License-Identifier: BSL-1.0
#include "tool/command_line.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "hazards/hazards.hpp"

namespace examples {

namespace {

/// Where Linux shows the functions of the machine that we run on.
constexpr const char* this_machine = "/sys/bus/pci/devices";

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

/// Operands: one at least.
void add_operands(CLI::App& command, const std::string& name, std::vector<std::string>& to, const std::string& about) {
    command.add_option(name, to, about)->required()->type_name("")->expected(1, -1);
}

void describe(CLI::App& app) {
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.get_formatter()->column_width(16);
    app.require_subcommand(0, 1);
    app.fallthrough();  // options may stand behind the command
    app.set_help_flag("-h,--help", "Say all this");
    app.footer("Options are for every command, and may stand behind it.\n"
               "Exit code: 0 if every ledger is clean, 1 if not, 2 for wrong use: a command line, or a FILE, that\n"
               "cannot be understood. Colour is for terminals, or everywhere if CLICOLOR_FORCE is set and not\n"
               "0; not used if NO_COLOR is set.\n"
               "examples/run survey [TREE]: who frees the interrupt vectors of Linux's drivers (docs/survey.md).");
}

void add_options(CLI::App& app, request& asked) {
    app.add_flag("-q,--quiet", asked.quiet, "Only a verdict for each example, and the problems");
    app.add_flag("-v,--verbose", asked.verbose, "all: everything that happens; lspci: BARs too");
    app.add_flag("--no-color", asked.no_color, "No colour, on a terminal either");
}

void add_demonstrations(CLI::App& app, request& asked) {
    app.add_subcommand("all", "Every example, on one screen (default); lspci with the dumps that come with it");
    for (const demonstration& each : demonstrations()) {
        auto* const command = app.add_subcommand(each.name, std::string("A driver for ") + each.about);
        if (std::string_view(each.name) != "switchtec")
            continue;
        command->description(command->get_description() + ".\n--chart FILE.svg, --trace FILE.json write what happened");
        command->add_option("--chart", asked.chart, "Write when it held what as a picture")->type_name("FILE.svg");
        command->add_option("--trace", asked.trace, "Write the same for ui.perfetto.dev")->type_name("FILE.json");
    }
}

void add_hazards(CLI::App& app, request& asked) {
    auto* const command = app.add_subcommand(
        "hazards", "[NAME]: ownership faults of C drivers: what Linux does with them, and who refuses them\n"
                   "here. --list names them; --markdown writes them as docs/ownership.md");
    std::vector<std::string> known;
    for (const auto& [name, title] : hazards::names())
        known.push_back(name);
    auto* const name = command->add_option("NAME", asked.hazard, "Only this one")
                           ->type_name("")
                           ->check(CLI::IsMember(std::move(known)));
    auto* const list = command->add_flag("--list", asked.hazard_names, "Their names")->excludes(name);
    command->add_flag("--markdown", asked.page, "Write docs/ownership.md instead")->excludes(name)->excludes(list);
}

void add_lspci(CLI::App& app, request& asked) {
    auto* const command = app.add_subcommand(
        "lspci", "[FILE...]: the machine that each FILE describes, a driver on each of its functions; without\n"
                 "FILE, this one. FILE is text with the output of lspci -xxxx in it, a mail for example, or\n"
                 "the kernel's pci=earlydump, or a hexdump of a file of sysfs; a copy of /sys/bus/pci/devices;\n"
                 "- is standard input");
    command
        ->add_option("FILE", asked.dumps,
                     "Text with the output of lspci -xxxx, or a directory; - is standard input; none: this machine")
        ->type_name("")
        ->expected(0, -1);
    command
        ->add_option("--which", asked.which,
                     "Of functions or machines that are there N times, take the N-th (default: of functions that with\n"
                     "most bytes, of machines the first)")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
}

void add_replay(CLI::App& app, replay::request& asked) {
    auto* const command = app.add_subcommand(
        "replay", "PROGRAM...: what Linux does when C drivers do this with a device, on a model of it; a\n"
                  "JSON object for each PROGRAM. A PROGRAM is PROBE:REMOVE, a letter for each operation, as in\n"
                  "EBA4QTP:F; --explain says in words what it does and what became of it");
    add_operands(*command, "PROGRAM", asked.programs,
                 "A program, as in EBA4QTP:F; test/kernel/README.md has the letters");
    command->add_option("--kernel", asked.kernel, "5.16, 6.1 (default), 6.12 or 6.18")->type_name("VERSION");
    command->add_option("--patch", asked.patch, "none (default), v1-1, v1-full or v3")->type_name("VERSION");
    command->add_option("--device", asked.device, "rocker (default): 4 MSI-X vectors; edu: 1 MSI vector, INTx")
        ->type_name("DEVICE");
    auto* const explain = command->add_flag("--explain", asked.explain,
                                            "In words, with what each letter and warning means");
    command->add_flag("--events", asked.events, "Every event before the summary, a JSON object each")
        ->excludes(explain);
}

void add_vfio(CLI::App& app, vfio_command::request& asked) {
    auto* const command = app.add_subcommand(
        "vfio", "ADDRESS: the driver of a real device that vfio-pci has, and its test. --list shows such\n"
                "devices, and the commands that bind the others; docs/vfio.md says more");
    auto* const address = command->add_option("ADDRESS", asked.address, "Of a PCI function, as in 0000:04:00.0")
                              ->type_name("");
    command
        ->add_flag("--list", asked.list,
                   "Every function: who uses it, and the commands that bind those that nobody does")
        ->excludes(address);
    command->add_flag("--overwrite", asked.overwrite, "What the device stores may be overwritten");
}

/// @returns the exit code if there is nothing more to do
std::optional<int> parse(CLI::App& app, int argc, char** argv) {
    try {
        app.parse(argc, argv);
        return std::nullopt;
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& wrong) {
        std::string what = wrong.what();
        std::ranges::replace(what, '\n', ' ');
        std::cerr << app.get_name() << ": " << what << " (see --help)\n";
        return wrong_use;
    }
}

/// Adds the examples that the command stands for, every one without a command.
void select(const CLI::App& app, request& asked) {
    const bool every = app.got_subcommand("all") || app.get_subcommands().empty();
    for (const demonstration& each : demonstrations()) {
        if (every || app.got_subcommand(each.name))
            asked.demonstrations.push_back(each);
    }
    asked.hazards = every || app.got_subcommand("hazards");
    if (every)
        asked.dumps = our_dumps();
    else if (app.got_subcommand("lspci") && asked.dumps.empty())
        asked.dumps = {this_machine};
    asked.overview = every && !asked.verbose && !asked.quiet;
}

}  // namespace

std::pair<request, std::optional<int>> read_command_line(int argc, char** argv) {
    CLI::App app("Drivers written with devres, run on simulated machines.", argc > 0 ? argv[0] : "devres-examples");
    request asked;
    replay::request programs;
    vfio_command::request device;
    describe(app);
    add_options(app, asked);
    add_demonstrations(app, asked);
    add_hazards(app, asked);
    add_lspci(app, asked);
    add_replay(app, programs);
    add_vfio(app, device);
    for (auto* const command : app.get_subcommands({}))
        command->group("Commands");

    if (const auto done = parse(app, argc, argv))
        return {{}, done};
    select(app, asked);
    if (app.got_subcommand("replay"))
        asked.programs = std::move(programs);
    if (app.got_subcommand("vfio")) {
        if (!device.list && device.address.empty()) {
            std::cerr << app.get_name() << ": vfio: ADDRESS or --list is required (see --help)\n";
            return {{}, wrong_use};
        }
        asked.device = std::move(device);
    }
    return {std::move(asked), std::nullopt};
}

}  // namespace examples
