// SPDX-License-Identifier: BSL-1.0
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sim/driver.hpp"
#include "support/catch.hpp"

using namespace test;
namespace fs = std::filesystem;

namespace {

/// A directory of functions, as sysfs has it.
struct devices {
    fs::path path = fs::temp_directory_path() / ("devres-sysfs-" + std::to_string(::getpid()));

    devices() { fs::create_directories(path); }
    devices(const devices&) = delete;
    devices& operator=(const devices&) = delete;
    ~devices() { fs::remove_all(path); }

    void add(const std::string& address, std::size_t bytes, const std::string& resources) const {
        fs::create_directories(path / address);
        std::string config(bytes, '\0');
        config[0] = '\x36';
        config[1] = '\x1b';
        if (bytes > 0x17)
            config[0x17] = '\x40';  // BAR 1
        std::ofstream(path / address / "config", std::ios::binary) << config;
        std::ofstream(path / address / "resource") << resources;
    }
};

const std::string resources = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
                              "0x0000000040000000 0x000000004001ffff 0x0000000000040200\n"
                              "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";

}  // namespace

TEST_CASE("functions are read from a directory like that of sysfs, with the true sizes of their BARs") {
    const devices made;
    made.add("0000:02:00.0", 4096, resources);
    made.add("0000:01:00.0", 64, resources);
    fs::create_directories(made.path / "something else");
    const auto found = hardware::read_sysfs(made.path);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK(found->at(0).address == devres::pci::address("01:00.0"));
    CHECK(found->at(1).address == devres::pci::address("02:00.0"));
    CHECK(found->at(1).config.size() == 4096);
    sim::bus bus;
    auto& f = bus.add(found->at(1));
    CHECK(f.bar_size(pci::bar_number(0)) == 0);
    CHECK(f.bar_size(pci::bar_number(1)) == 0x20000);
    CHECK(f.notes().empty());
    const auto one = hardware::read_sysfs(made.path / "0000:02:00.0");
    REQUIRE(one);
    CHECK(one->size() == 1);
}

TEST_CASE("a directory that is not one of functions is refused") {
    const devices made;
    CHECK(hardware::read_sysfs(made.path).error() == errc::enoent);
    CHECK(hardware::read_sysfs(made.path / "nowhere").error() == errc::enoent);
    hardware::dump_report report;
    (void)hardware::read_sysfs(made.path, &report);
    CHECK(report.reason == "no function is in " + made.path.string() +
                               ", which should have a folder for each, such as 0000:03:00.0, with its file config");
    made.add("0000:02:00.0", 10, "");
    const std::string config = "0000:02:00.0: " + (made.path / "0000:02:00.0" / "config").string();
    CHECK(hardware::read_sysfs(made.path, &report).error() == errc::einval);
    CHECK(report.reason == config + " has 10 bytes: left out, a configuration space has 64 to 4096");
    fs::remove(made.path / "0000:02:00.0" / "config");
    CHECK(hardware::read_sysfs(made.path, &report).error() == errc::eacces);
    CHECK(report.reason == config + " is not there or cannot be opened: left out, a function needs it");
    made.add("0000:03:00.0", 64, resources);
    REQUIRE(hardware::read_sysfs(made.path, &report).value().size() == 1);
    CHECK(report.summary().starts_with(config));
}
