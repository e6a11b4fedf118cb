// SPDX-License-Identifier: BSL-1.0
#include "vfio/command.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <devres/devres.hpp>
#include <devres/vfio.hpp>

#include "nvme/exercise.hpp"
#include "rocker/exercise.hpp"
#include "vfio/class_name.hpp"

namespace vfio_command {
namespace {

namespace pci = devres::pci;
using devres::vfio::bus;

constexpr int failed = 1;
constexpr int wrong_use = 2;

/// Every function of the machine: what it is, who has it, what would be lost if vfio-pci took it, or how it takes it.
int list(std::ostream& to) {
    const auto all = devres::vfio::list_machine();
    std::size_t width = 0;
    for (const auto& each : all)
        width = std::max(width, class_name(each.class_code).size());
    for (const auto& each : all) {
        std::string what = class_name(each.class_code);
        what.resize(width, ' ');
        to << std::string(each.address.text()) << "  " << each.identifier << "  " << what << "  "
           << (each.driver.empty() ? "no driver" : each.driver)
           << (each.group ? ", IOMMU group " + std::to_string(*each.group) : std::string()) << '\n';
        if (each.bound())
            to << "    can be opened\n";
        else if (!each.commands.empty())
            to << "    nothing uses it; to bind it, as root: " << each.commands << '\n';
        for (const std::string& lost : each.lost)
            to << "    not to be taken: " << lost << '\n';
    }
    if (all.empty())
        to << "no PCI function is in /sys/bus/pci/devices\n";
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
