// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <devres/vfio/detail/behind.hpp>
#include <devres/vfio/detail/sys_files.hpp>
#include <devres/vfio/sysfs.hpp>

/// Who uses a function of this machine, and so what is lost if vfio-pci takes it.
namespace devres::vfio {

/// A function, and what this machine does with it.
struct function_use {
    pci::address address;           ///< where it is
    std::string identifier;         ///< vendor and device: 1b36:0010
    std::uint32_t class_code = 0;   ///< base class, subclass and interface
    std::string driver;             ///< empty: none
    std::optional<unsigned> group;  ///< of the IOMMU; without one it cannot be opened
    std::vector<std::string> lost;  ///< by taking it, a line each: "mounted: / on nvme0n1p2"; also what is not known
    std::string commands;  ///< that bind it, and what has to come with it, to vfio-pci; empty unless that is safe

    [[nodiscard]] bool bound() const { return detail::sysfs::is_vfio(driver); }  ///< `bus::open` may open it
};

namespace detail {

/// Looks through a machine's functions for what they are used for.
class usage {
public:
    usage(const std::string& sysfs, const std::string& proc, const std::string& dev, claim_call claim = &claim_disk)
        : known_(sysfs), root_(sysfs), behind_(sysfs, proc, dev, claim) {}

    [[nodiscard]] function_use of(pci::address where) const {
        function_use out = identity(where);
        out.lost = by_taking(where);
        if (!out.group) {
            out.lost.emplace_back("it is in no IOMMU group");
            return out;
        }
        std::vector<pci::address> taken{where};
        for (const pci::address other : known_.members(*out.group)) {
            if (other == where || stays(other))
                continue;
            const std::string name(other.text());
            for (const std::string& lost : by_taking(other))
                out.lost.push_back("IOMMU group " + std::to_string(*out.group) + " also holds " + name + ", " + lost);
            taken.push_back(other);
        }
        if (out.lost.empty())
            out.commands = commands(taken);
        return out;
    }

private:
    [[nodiscard]] function_use identity(pci::address where) const {
        function_use out;
        const std::string folder = known_.folder(where);
        out.address = where;
        out.identifier = known_.identifier(where);
        out.class_code = hexadecimal_of(line_of(folder + "/class")).value_or(0);
        out.driver = known_.driver(where);
        out.group = known_.group(where);
        return out;
    }

    /// Another function of a group that may keep its driver: it has vfio's, or none, or is a bridge of the kernel's.
    [[nodiscard]] bool stays(pci::address where) const {
        const std::string driver = known_.driver(where);
        return driver.empty() || sysfs::is_vfio(driver) || driver == "pcieport" || driver == "pci-stub";
    }

    /// What is lost if this function is taken, its group apart.
    [[nodiscard]] std::vector<std::string> by_taking(pci::address where) const {
        std::vector<std::string> out;
        const std::string folder = known_.folder(where);
        const auto code = hexadecimal_of(line_of(folder + "/class"));
        if (!code)
            out.push_back("its class cannot be read (" + folder + "/class)");
        if (code && *code >> 16U == 0x06) {
            out.emplace_back("a bridge");
            return out;
        }
        if (sysfs::is_vfio(known_.driver(where)))
            return out;
        by_class(folder, code.value_or(0) >> 8U, known_.driver(where), out);
        for (const std::string& name : names_in(folder).value_or(std::vector<std::string>())) {
            if (name.starts_with("virtfn"))
                out.push_back(virtual_function(target_of(folder + '/' + name)));
        }
        behind_.find(folder, out);  // without a driver too: the console of the firmware is there
        return out;
    }
    /// What a function of a class may be used for without a device that shows it.
    static void by_class(const std::string& folder, unsigned code, const std::string& driver,
                         std::vector<std::string>& out) {
        const bool works = !driver.empty() && driver != "pci-stub";
        const std::string boot_vga = line_of(folder + "/boot_vga");
        if (boot_vga == "1" || line_of(folder + "/boot_display") == "1")
            out.emplace_back("the display that the machine started with");
        else if (!works && code >> 8U == 0x03 && code != 0x0302 && boot_vga.empty())  // 0302 has no picture
            out.emplace_back("whether the firmware's picture is on it cannot be seen");
        if (works && code >> 8U == 0x03 && !exists(folder + "/drm"))
            out.push_back("what " + driver + " draws or computes with it cannot be seen");
        if (works && (code >> 8U == 0x10 || code == 0x0b40))
            out.push_back("what " + driver + " encrypts with it cannot be seen");
        if (code >> 8U == 0x08 && code != 0x0805 && code != 0x0880)
            out.emplace_back("a part of the machine itself");  // interrupts, timers, an IOMMU: no driver has them
        if (code == 0x0502)                                    // CXL
            out.emplace_back("memory that may be this machine's");
        if (driver == "pciback")
            out.emplace_back("a guest of Xen's may have it");
    }
    [[nodiscard]] std::string virtual_function(const std::string& name) const {
        const std::string driver = target_of(root_ + "/bus/pci/devices/" + name + "/driver");
        return "its virtual function " + name + " goes with it" +
               (driver.empty() ? "" : ", and " + driver + " has that");
    }

    [[nodiscard]] std::string commands(const std::vector<pci::address>& all) const {
        std::string out = "modprobe vfio-pci";
        for (const pci::address where : all) {
            const std::string driver = known_.driver(where);
            if (sysfs::is_vfio(driver))
                continue;
            const std::string name(where.text());
            const std::string device = known_.folder(where);
            out += "; echo vfio-pci > " + device + "/driver_override; " +
                   (driver.empty() ? "" : "echo " + name + " > " + device + "/driver/unbind; ") + "echo " + name +
                   " > " + root_ + "/bus/pci/drivers_probe";
        }
        return out;
    }

    sysfs known_;
    std::string root_;
    behind behind_;
};

}  // namespace detail

/// Looks at one function: who has it, and what is lost if vfio-pci takes it. What cannot be read counts as in use, and so do a
/// disk whose file cannot be opened (only the kernel knows whether somebody has it for himself) and a device that a program may
/// have open which cannot be looked at: only root sees enough.
[[nodiscard]] inline function_use use_of(pci::address where, const std::string& sysfs = "/sys",
                                         const std::string& proc = "/proc", const std::string& dev = "/dev") {
    return detail::usage(sysfs, proc, dev).of(where);
}

/// Looks at every function of the machine, in the order of their addresses.
[[nodiscard]] inline std::vector<function_use>
list_machine(const std::string& sysfs = "/sys", const std::string& proc = "/proc", const std::string& dev = "/dev") {
    const detail::usage looked(sysfs, proc, dev);
    std::vector<function_use> out;
    for (const pci::address where : detail::sysfs(sysfs).all())
        out.push_back(looked.of(where));
    return out;
}

}  // namespace devres::vfio
