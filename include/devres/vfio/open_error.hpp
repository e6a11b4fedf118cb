// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <devres/core/result.hpp>
#include <devres/vfio/function_use.hpp>
#include <devres/vfio/sysfs.hpp>

namespace devres::vfio {

/// Why a function cannot be opened.
struct open_error {
    errc code{};         ///< as docs/vfio.md has them
    std::string text{};  ///< one line: what was asked for, what is wrong where, and what to do about it

    /// the text
    friend std::ostream& operator<<(std::ostream& out, const open_error& error) { return out << error.text; }
};

namespace detail {

/// The errors of opening the function at an address, each with its line.
class open_errors {
public:
    open_errors(const sysfs& known, pci::address where) : known_(known), name_(where.text()), where_(where) {}
    open_errors(const sysfs& known, std::string name) : known_(known), name_(std::move(name)) {}

    /// The function that they are about; 0000:00:00.0 where only a descriptor is known.
    [[nodiscard]] pci::address where() const noexcept { return where_; }

    [[nodiscard]] open_error no_such_function() const {
        return {errc::enodev, name_ + ": there is no such PCI function; `lspci -D` lists those there are"};
    }
    /// With the commands that bind it, where nothing is lost by that.
    [[nodiscard]] open_error other_driver(const function_use& found) const {
        std::string text = name_ + (found.driver.empty() ? ": it has no driver" : ": it is bound to " + found.driver) +
                           ", not vfio-pci; ";
        if (!found.commands.empty())
            text += "as root: " + found.commands;
        else
            text += "it is not to be taken: " + joined(found.lost);
        return {found.driver.empty() ? errc::enodev : errc::ebusy, std::move(text)};
    }
    [[nodiscard]] open_error no_iommu() const {
        return {errc::enodev, name_ +
                                  ": it is in no IOMMU group; switch the IOMMU on in the firmware (VT-d, AMD-Vi), and "
                                  "boot with intel_iommu=on on Intel"};
    }
    [[nodiscard]] open_error no_module(const std::string& file, const char* module) const {
        return {errc::enoent, name_ + ": there is no " + file + "; as root: modprobe " + module};
    }
    [[nodiscard]] open_error no_permission(const std::string& file) const {
        return {errc::eacces, name_ + ": no permission to open " + file + "; as root: chown USER " + file};
    }
    [[nodiscard]] open_error busy(const std::string& file) const {
        return {errc::ebusy, name_ + ": another process has " + file + " open; `fuser " + file + "` shows which"};
    }
    [[nodiscard]] open_error open_here() const { return {errc::ebusy, name_ + ": this bus has it open already"}; }
    [[nodiscard]] open_error not_viable(unsigned group, const function_use& found) const {
        const std::string others = known_.in_the_way(group);
        return {errc::ebusy, name_ + ": its IOMMU group " + std::to_string(group) + " is not viable, because " +
                                 (others.empty() ? "a driver that is not vfio's has another function of it"
                                                 : "other drivers have functions of it: " + others) +
                                 (found.commands.empty() ? "; that is not to be changed: " + joined(found.lost)
                                                         : "; as root: " + found.commands)};
    }
    [[nodiscard]] open_error unsafe_interrupts() const {
        return {errc::eperm, name_ +
                                 ": the machine cannot remap interrupts, so the kernel refuses to let programs have "
                                 "devices; switch interrupt remapping on, or as root, if every such program is "
                                 "trusted: echo 1 > /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"};
    }
    [[nodiscard]] open_error not_pci() const {
        return {errc::einval, name_ + ": the file descriptor is of no PCI function of vfio's"};
    }
    /// A step that no message of its own explains.
    [[nodiscard]] open_error failed(const std::string& step, errc error) const {
        return {error, name_ + ": " + step + ": " + message(error)};
    }

    /// Opening one of vfio's files failed.
    [[nodiscard]] open_error file(const std::string& path, const char* module, errc error) const {
        switch (error) {
        case errc::enoent:
        case errc::enodev:
        case errc::enxio: return no_module(path, module);
        case errc::eacces:
        case errc::eperm: return no_permission(path);
        case errc::ebusy: return busy(path);
        default: return failed("open " + path, error);
        }
    }

private:
    static std::string joined(const std::vector<std::string>& lines) {
        std::string out;
        for (const std::string& line : lines)
            out.append(out.empty() ? "" : "; ").append(line);
        return out;
    }

    const sysfs& known_;
    std::string name_;
    pci::address where_;
};

}  // namespace detail
}  // namespace devres::vfio
