// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <devres/vfio/detail/sys_files.hpp>

namespace devres::vfio::detail {

/// Opens the block device of that number ("8:0") by its file as mount does, for itself alone, and closes it.
/// @returns 0; EBUSY if somebody has it, or a partition of it, alone; ENODEV if the file is another's; the error of the call that failed
[[nodiscard]] inline int claim_disk(const std::string& node, const std::string& number) {
    struct stat what{};
    if (::stat(node.c_str(), &what) != 0)
        return errno;
    if (!S_ISBLK(what.st_mode) ||
        std::to_string(major(what.st_rdev)) + ':' + std::to_string(minor(what.st_rdev)) != number)
        return ENODEV;
    const int file = ::open(node.c_str(), O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return errno;
    ::close(file);
    return 0;
}

/// `claim_disk`, or what a test has in its place.
using claim_call = int (*)(const std::string& node, const std::string& number);

/// What of this machine's block devices is mounted, is swap, or is held by somebody.
class disk_use {
public:
    disk_use(std::string sysfs, const std::string& proc, std::string dev, claim_call claim)
        : sysfs_(std::move(sysfs)), dev_(std::move(dev)), claim_(claim) {
        const auto mounts = lines_of(proc + "/self/mountinfo");
        const auto swaps = lines_of(proc + "/swaps");
        for (const std::string& line : mounts.value_or(std::vector<std::string>()))
            add_mount(line);
        for (const std::string& line : swaps.value_or(std::vector<std::string>())) {
            if (line.starts_with("/dev/"))
                swaps_.push_back(line.substr(5, line.find_first_of(" \t") - 5));
        }
        if (!mounts)
            unknown_ = "what is mounted cannot be read (" + proc + "/self/mountinfo)";
        else if (!swaps && exists(proc + "/swaps"))
            unknown_ = "what is swap cannot be read (" + proc + "/swaps)";
    }

    /// Why nothing is known; empty if it is.
    [[nodiscard]] const std::string& unknown() const noexcept { return unknown_; }

    /// What a disk, its partitions, and what is built on them (LVM, RAID, encryption) are used for, a line each.
    void find(const std::string& folder, const std::string& name, std::vector<std::string>& out) const {
        const std::size_t found = out.size();
        look_at(folder, name, out, 0);
        if (out.size() == found)
            ask(folder, name, out);
    }

    /// Whether a file system of that type is mounted.
    [[nodiscard]] bool mounted(std::string_view type) const {
        return std::any_of(mounts_.begin(), mounts_.end(), [&](const mount& each) { return each.type == type; });
    }

private:
    struct mount {
        std::string number;  // of the device: 8:1
        std::string source;  // behind /dev/
        std::string where;
        std::string type;
    };

    void look_at(const std::string& folder, const std::string& name, std::vector<std::string>& out,
                 unsigned depth) const {
        const std::string number = line_of(folder + "/dev");
        for (const mount& each : mounts_) {
            if ((!number.empty() && each.number == number) || each.source == name)
                out.push_back("mounted: " + each.where + " on " + name);
        }
        if (std::find(swaps_.begin(), swaps_.end(), name) != swaps_.end())
            out.push_back("swap: " + name);
        if (depth == most_depth) {
            out.push_back("what is built on " + name + " is too deep to be seen");
            return;
        }
        const auto holders = names_in(folder + "/holders");
        if (!holders)
            out.push_back("who holds " + name + " cannot be read");
        for (const std::string& holder : holders.value_or(std::vector<std::string>())) {
            const std::size_t before = out.size();
            look_at(sysfs_ + "/class/block/" + holder, holder, out, depth + 1);
            if (out.size() == before)
                out.push_back(name + " is part of " + holder);
        }
        for (const std::string& part : names_in(folder).value_or(std::vector<std::string>())) {
            if (exists(folder + '/' + part + "/partition"))
                look_at(folder + '/' + part, part, out, depth + 1);
        }
    }

    /// Asks the kernel whether somebody has the disk, or one of its partitions, for himself: file systems of several disks,
    /// pools, and mounts that this process does not see.
    void ask(const std::string& folder, const std::string& name, std::vector<std::string>& out) const {
        std::string node = dev_ + '/' + name;
        std::replace(node.begin() + static_cast<std::ptrdiff_t>(dev_.size()) + 1, node.end(), '!', '/');
        const int error = claim_(node, line_of(folder + "/dev"));
        if (error == EBUSY)
            out.push_back("held by a file system, a pool or a program: " + name);
        else if (error == ENODEV)
            out.push_back("whether " + name + " is in use cannot be seen (" + node + " is another file)");
        else if (error != 0 && error != ENOMEDIUM)
            out.push_back("whether " + name + " is in use cannot be seen (" + node + ": " + std::strerror(error) + ')');
    }

    /// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw"
    void add_mount(std::string_view line) {
        std::vector<std::string_view> words;
        while (!line.empty()) {
            const std::size_t end = std::min(line.find(' '), line.size());
            words.push_back(line.substr(0, end));
            line.remove_prefix(std::min(end + 1, line.size()));
        }
        if (words.size() < 5)
            return;
        mount found{std::string(words[2]), {}, std::string(words[4]), {}};
        const auto dash = std::find(words.begin(), words.end(), "-");
        if (words.end() - dash > 1)
            found.type = dash[1];
        if (words.end() - dash > 2 && dash[2].starts_with("/dev/"))
            found.source = dash[2].substr(5);
        mounts_.push_back(std::move(found));
    }

    static constexpr unsigned most_depth = 8;  // of what is built on what

    std::string sysfs_;
    std::string dev_;
    claim_call claim_;
    std::vector<mount> mounts_;
    std::vector<std::string> swaps_;
    std::string unknown_;
};

}  // namespace devres::vfio::detail
