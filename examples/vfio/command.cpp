// SPDX-License-Identifier: BSL-1.0
#include "vfio/command.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include <devres/devres.hpp>
#include <devres/vfio.hpp>

#include "nvme/exercise.hpp"
#include "rocker/exercise.hpp"

namespace vfio_command {
namespace {

namespace pci = devres::pci;
using devres::vfio::bus;

constexpr int failed = 1;
constexpr int wrong_use = 2;

/// The functions of the machine, by address.
std::vector<pci::address> functions() {
    std::vector<pci::address> all;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/bus/pci/devices", ignored)) {
        const std::string name = entry.path().filename();
        if (const auto where = pci::address::parse(name.c_str(), name.size()))
            all.push_back(*where);
    }
    std::sort(all.begin(), all.end());
    return all;
}

/// What vfio-pci has, and how it would get the others.
int list(std::ostream& to) {
    const auto bound = devres::vfio::list_functions();
    for (const auto& each : bound)
        to << each.address.text().c_str() << ": bound to " << each.driver << ", " << each.identifier << ", IOMMU group "
           << each.group << '\n';
    bus nothing_open;
    for (const pci::address where : functions()) {
        if (std::ranges::find(bound, where, &devres::vfio::bound_function::address) != bound.end())
            continue;
        if (const auto function = nothing_open.open(where); !function)
            to << function.error() << '\n';
    }
    return 0;
}

template <class Driver>
bool drives(const pci::device_id& function) {
    return std::ranges::any_of(Driver::ids, [&](const pci::device_id& id) { return id.matches(function); });
}

}  // namespace

int run(const request& asked, std::ostream& to, std::ostream& errors) {
    if (asked.list)
        return list(to);
    const auto refuse = [&](const std::string& why) {
        errors << asked.address << ": " << why << '\n';
        return wrong_use;
    };
    const auto where = pci::address::parse(asked.address.c_str(), asked.address.size());
    if (!where)
        return refuse("is no address of a PCI function: must be as in 0000:04:00.0");
    bus machine;
    const auto function = machine.open(*where);
    if (!function) {
        errors << function.error() << '\n';
        return wrong_use;
    }
    const auto tell = [&](std::string_view line) { to << asked.address << ": " << line << std::endl; };
    const pci::device_id id = machine.id(**function);
    std::string wrong;
    if (drives<rocker::driver>(id)) {
        wrong = rocker::exercise(machine, **function, tell);
    } else if (drives<nvme::driver>(id)) {
        if (!asked.overwrite)
            return refuse("the test of an NVMe controller writes blocks 0 to 9999, and what was in them is lost: "
                          "--overwrite allows it");
        wrong = nvme::exercise(machine, **function, tell);
    } else {
        return refuse("no example drives this function: there are drivers for QEMU's rocker and for NVMe controllers");
    }
    for (const std::string& line : machine.held(**function)) {
        tell("still held: " + line);
        wrong += wrong.empty() ? "something is left" : "";
    }
    tell(wrong.empty() ? "all is well" : "wrong: " + wrong);
    return wrong.empty() ? 0 : failed;
}

}  // namespace vfio_command
