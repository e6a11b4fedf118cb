// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <devres/vfio/detail/sys_files.hpp>

namespace devres::vfio::detail {

/// The device files, and the registers of PCI functions, that programs have open or mapped, as far as this one may see them in
/// /proc.
class open_files {
public:
    explicit open_files(const std::string& proc) {
        const auto names = names_in(proc);
        const std::string space = path_of(proc + "/self/ns/pid");
        complete_ = names && exists(proc + "/1") && (space.empty() || space == first_space);
        for (const std::string& name : names.value_or(std::vector<std::string>())) {
            if (number_of(name))
                add_process(proc + '/' + name, name);
        }
    }

    /// Whether every program could be looked at.
    [[nodiscard]] bool complete() const noexcept { return complete_; }

    /// A program that has a device open: "qemu (4711)"; empty if none is known to.
    /// @param number of the device: 8:0
    [[nodiscard]] std::string holder(bool block, const std::string& number) const {
        return found((block ? 'b' : 'c') + number);
    }
    /// A program that has the registers of a function open, by its address: sysfs has a file for each BAR.
    [[nodiscard]] std::string holder(const std::string& address) const { return found(address); }

private:
    [[nodiscard]] std::string found(const std::string& what) const {
        const auto at = holders_.find(what);
        return at == holders_.end() ? std::string() : at->second;
    }
    void add_process(const std::string& folder, const std::string& process) {
        const std::string who = line_of(folder + "/comm") + " (" + process + ')';
        for (const char* const links : {"/fd", "/map_files"}) {
            const auto files = names_in(folder + links);
            complete_ = complete_ && files.has_value();
            for (const std::string& file : files.value_or(std::vector<std::string>()))
                add_file(folder + links + '/' + file, who);
        }
    }
    void add_file(const std::string& link, const std::string& who) {
        const std::string path = path_of(link);
        if (const std::size_t name = path.rfind("/resource"); name != std::string::npos && name != 0) {
            const std::size_t folder = path.rfind('/', name - 1) + 1;
            holders_.try_emplace(path.substr(folder, name - folder), who);
        }
        if (path.find("/dev/") == std::string::npos)
            return;  // and no file server is asked for what is none
        struct stat what{};
        if (::stat(link.c_str(), &what) != 0)
            complete_ = complete_ && errno != EPERM && errno != EACCES;
        else if (S_ISBLK(what.st_mode) || S_ISCHR(what.st_mode))
            holders_.try_emplace((S_ISBLK(what.st_mode) ? 'b' : 'c') + std::to_string(major(what.st_rdev)) + ':' +
                                     std::to_string(minor(what.st_rdev)),
                                 who);
    }

    static constexpr std::string_view first_space =
        "pid:[4026531836]";  // the others hide the processes outside of them

    bool complete_ = false;
    std::map<std::string, std::string> holders_;  // by kind and number, or by address
};

}  // namespace devres::vfio::detail
