// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <glob.h>

#include <devres/vfio/detail/sys_files.hpp>

namespace devres::vfio::detail {

/// The device files that the kernel itself has open, for itself or for other machines, without being alone with them: no program
/// has them, and whoever asks for one gets it.
class kernel_files {
public:
    explicit kernel_files(const std::string& sysfs) {
        for (const char* const where : named)
            add(sysfs + where);
    }

    /// The file of sysfs that names this device file; empty if none does. A link that leads to it is another name of it.
    [[nodiscard]] std::string holder(const std::string& node) const {
        const auto found = std::find_if(files_.begin(), files_.end(),
                                        [&](const file& each) { return each.node == resolved(node); });
        return found == files_.end() ? std::string() : found->holder;
    }

private:
    struct file {
        std::string node;
        std::string holder;
    };

    static constexpr const char* named[] = {
        "/class/block/loop*/loop/backing_file",
        "/kernel/config/nvmet/subsystems/*/namespaces/*/device_path",
        "/kernel/config/nvmet/subsystems/*/passthru/device_path",
        "/kernel/config/target/core/*/*/udev_path",
        "/kernel/config/usb_gadget/*/functions/*/lun.*/file",
    };

    void add(const std::string& pattern) {
        ::glob_t found{};
        if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
            for (std::size_t i = 0; i != found.gl_pathc; ++i) {
                const std::string holder = found.gl_pathv[i];
                files_.push_back({resolved(line_of(holder)), holder});
            }
        }
        ::globfree(&found);
    }

    /// A path without links; as it is where it leads nowhere.
    static std::string resolved(const std::string& path) {
        char* const real = ::realpath(path.c_str(), nullptr);
        const std::string out = real == nullptr ? path : real;
        std::free(real);
        return out;
    }

    std::vector<file> files_;
};

}  // namespace devres::vfio::detail
