// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <devres/vfio/detail/disk_use.hpp>
#include <devres/vfio/detail/kernel_files.hpp>
#include <devres/vfio/detail/open_files.hpp>
#include <devres/vfio/detail/sys_files.hpp>
#include <devres/vfio/sysfs.hpp>

namespace devres::vfio::detail {

/// What the kernel has made of a function, in and below the function's folder, and who uses that.
class behind {
public:
    behind(const std::string& sysfs, const std::string& proc, const std::string& dev, claim_call claim)
        : root_(sysfs), proc_(proc), dev_(dev), disks_(sysfs, proc, dev, claim), kernel_(sysfs),
          consoles_(lines_of(proc + "/consoles")) {
        if (consoles_) {
            for (std::string& line : *consoles_)
                line.resize(std::min(line.find(' '), line.size()));
        }
    }

    /// Adds what would be lost without the function, a line each.
    void find(const std::string& folder, std::vector<std::string>& out) const {
        registers(folder.substr(folder.rfind('/') + 1), out);
        search(folder, {}, 0, out);
    }

private:
    using lines = std::vector<std::string>;

    /// What counts by being there.
    struct presence {
        const char* kind;
        const char* before;  // its name
        const char* after;
    };
    static constexpr presence present[] = {
        {"input", "input device ", " is behind it"},
        {"graphics", "console on ", ""},
        {"iommu", "an IOMMU: ", ""},
        {"dax", "memory ", " may be this machine's"},
        {"mtd", "flash memory ", " is behind it"},
        {"tpm", "the kernel may have keys in ", ""},
        {"mdev", "mediated device ", " is a part of it"},
        {"bluetooth", "what is connected to ", " cannot be seen"},
    };
    /// What counts by its state.
    struct activity {
        const char* kind;
        const char* file;
        std::string_view idle[2];
    };
    static constexpr activity active[] = {
        {"fc_host", "port_state", {"Offline", "Linkdown"}},
        {"udc", "state", {"not attached", "not attached"}},
        {"dma", "in_use", {"0", "0"}},
    };
    /// What the host shares by virtio, and devices of their own do not show.
    struct sharing {
        std::string_view driver;
        const char* lost;
    };
    static constexpr sharing shares[] = {
        {"virtio_mem", "memory of this machine's"},
        {"virtio_iommu", "an IOMMU"},
        {"vmw_vsock_virtio_transport", "connections to the host (vsock) cannot be seen"},
    };

    void search(const std::string& folder, const std::string& kind, unsigned depth, lines& out) const {
        const auto names = names_in(folder);
        if (!names) {
            out.push_back("what is behind it cannot be read (" + folder + ')');
            return;
        }
        for (const std::string& name : *names) {
            const std::string path = folder + '/' + name;
            if (!is_folder(path) || name == "power" || name == "msi_irqs")
                continue;
            const std::string of = target_of(path + "/subsystem");  // what kind of device; empty: none
            if (of.empty() && name == "net")
                networks(path, out);
            else if (of == "block")
                block(path, name, out);
            else if (!ends_at(path, name, of, kind, out)) {
                if (depth == most_depth)
                    out.push_back("what is behind it is too deep to be seen (" + path + ')');
                else
                    search(path, of, depth + 1, out);
            }
        }
    }

    /// Looks at one device of a kind, which is in the folder of one of another. @returns whether nothing below it counts
    bool ends_at(const std::string& path, const std::string& name, const std::string& kind, const std::string& above,
                 lines& out) const {
        if (kind == "input" && above == "sound")  // says what is plugged in
            return true;
        for (const presence& each : present) {
            if (kind != each.kind)
                continue;
            out.push_back(each.before + name + each.after);
            return true;
        }
        if (kind == "drm" && name.starts_with("card")) {
            out.push_back("what is drawn on " + name);
            return true;
        }
        if (kind == "thunderbolt" && name.find('-') != std::string::npos && !name.ends_with("-0"))  // a router's route
            out.push_back("Thunderbolt device " + name + " is behind it");
        if (kind == "cxl" && name.starts_with("mem"))
            out.push_back("memory " + name + " may be this machine's");
        for (const activity& each : active) {
            if (const std::string state = line_of(path + '/' + each.file);
                kind == each.kind && state != each.idle[0] && state != each.idle[1])
                out.push_back(name + " is in use (" + each.file + ": " + state + ')');
        }
        opened(path, name, false, out);
        if (kind == "tty")
            terminal(name, out);
        else if (kind == "infiniband")
            fabric(path, name, out);
        else if (kind == "nvme")
            multipath(path, name, out);
        else if (kind == "virtio")
            shared(target_of(path + "/driver"), out);
        else if (kind == "pci")
            taken(path, name, out);
        else if (kind == "usb" && target_of(path + "/driver") == "usbip-host")
            out.push_back("USB device " + name + " is lent to another machine");
        return false;
    }

    void networks(const std::string& folder, lines& out) const {
        const auto names = names_in(folder);
        if (!names)
            out.push_back("its network interfaces cannot be read (" + folder + ')');
        else if (names->empty())  // the folder goes with the last of them
            out.emplace_back("its network interfaces are in another namespace");
        for (const std::string& name : names.value_or(lines())) {
            const auto flags = hexadecimal_of(line_of(folder + '/' + name + "/flags"));
            if (!flags)
                out.push_back("the state of network interface " + name + " cannot be read");
            else if ((*flags & 1U) != 0)  // IFF_UP
                out.push_back("network interface " + name + " is up");
        }
    }
    void block(const std::string& folder, const std::string& name, lines& out) const {
        if (!exists(folder + "/dev"))
            return;  // a path to a disk of a subsystem
        if (!disks_.unknown().empty())
            out.push_back(disks_.unknown());
        const std::size_t found = out.size();
        disks_.find(folder, name, out);
        if (out.size() == found)
            opened(folder, name, true, out);
        for (const std::string& part : names_in(folder).value_or(lines())) {
            if (out.size() == found && exists(folder + '/' + part + "/partition"))
                opened(folder + '/' + part, part, true, out);
        }
    }

    /// Looks for who has the file of a device open, if it has one: programs, and the kernel.
    void opened(const std::string& folder, const std::string& name, bool is_block, lines& out) const {
        const std::string number = line_of(folder + "/dev");
        if (number.empty())
            return;
        if (const std::string holder = kernel_.holder(dev_ + '/' + name); !holder.empty())
            out.push_back("the kernel has " + name + " open (" + holder + ')');
        if (const std::string holder = programs().holder(is_block, number); !holder.empty())
            out.push_back(name + " is open in " + holder);
        else if (!programs().complete())
            out.push_back("whether " + name + " is open in a program cannot be seen");
    }

    /// Looks for a program that has the BARs of a function open.
    void registers(const std::string& name, lines& out) const {
        if (const std::string holder = programs().holder(name); !holder.empty())
            out.push_back("the registers of " + name + " are open in " + holder);
    }
    [[nodiscard]] const open_files& programs() const {
        if (!programs_)
            programs_.emplace(proc_);
        return *programs_;
    }

    /// The disks of controllers that share a subsystem: they are in none of their folders. Those have paths to them, which are
    /// disks without a number.
    void multipath(const std::string& folder, const std::string& controller, lines& out) const {
        std::string unfound;
        for (const std::string& path : names_in(folder).value_or(lines())) {
            const std::string disk = folder + '/' + path;
            if (target_of(disk + "/subsystem") == "block" && !exists(disk + "/dev"))
                unfound = path;
        }
        const std::string all = root_ + "/class/nvme-subsystem";
        for (const std::string& subsystem : names_in(all).value_or(lines())) {
            const std::string common = all + '/' + subsystem;
            if (!exists(common + '/' + controller))
                continue;
            search(common, {}, 1, out);
            for (const std::string& disk : names_in(common).value_or(lines())) {
                if (target_of(common + '/' + disk + "/subsystem") == "block")
                    unfound.clear();
            }
        }
        if (!unfound.empty())
            out.push_back("the disk that " + unfound + " is a path to cannot be found");
    }

    void terminal(const std::string& name, lines& out) const {
        if (!consoles_)
            out.push_back("whether " + name + " is a console cannot be read");
        else if (std::find(consoles_->begin(), consoles_->end(), name) != consoles_->end())
            out.push_back("console on " + name);
    }
    static void fabric(const std::string& folder, const std::string& name, lines& out) {
        const auto ports = names_in(folder + "/ports");
        if (!ports)
            out.push_back("the ports of " + name + " cannot be read");
        for (const std::string& port : ports.value_or(lines())) {
            const std::string state = line_of(folder + "/ports/" + port + "/state");
            if (!state.starts_with("1:"))  // down
                out.push_back("port " + port + " of " + name + " is " + (state.empty() ? "?" : state));
        }
    }
    /// Adds what the host shares by virtio, by the driver that has it.
    void shared(const std::string& driver, lines& out) const {
        for (const sharing& each : shares) {
            if (driver == each.driver)
                out.emplace_back(each.lost);
        }
        if (driver == "virtio_console") {  // its terminals are in no folder of its own
            if (!consoles_)
                out.emplace_back("whether a console is on it cannot be read");
            for (const std::string& name : consoles_.value_or(lines())) {
                if (name.starts_with("hvc"))
                    out.push_back("console on " + name + " may be its");
            }
        }
        const char* const type = driver == "virtiofs" ? "virtiofs" : driver == "9pnet_virtio" ? "9p" : nullptr;
        if (type == nullptr)
            return;
        if (disks_.mounted(type))
            out.push_back(std::string("a file system of type ") + type + " is mounted");
        else  // only this namespace's mounts are known
            out.push_back(std::string("whether a file system of type ") + type + " is mounted cannot be seen");
    }
    /// A function behind this one (VMD): what its driver makes of it is below it; a program that has it is not.
    void taken(const std::string& folder, const std::string& name, lines& out) const {
        registers(name, out);
        if (const std::string driver = target_of(folder + "/driver"); sysfs::is_vfio(driver))
            out.push_back("function " + name + " is behind it, and " + driver + " has that");
    }

    static constexpr unsigned most_depth = 24;  // of folders behind a function

    std::string root_;
    std::string proc_;
    std::string dev_;
    disk_use disks_;
    kernel_files kernel_;
    mutable std::optional<open_files> programs_;  // once they are asked for
    std::optional<lines> consoles_;               // nothing: they cannot be read
};

}  // namespace devres::vfio::detail
