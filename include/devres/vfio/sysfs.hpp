// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <devres/pci/address.hpp>
#include <devres/vfio/detail/sys_files.hpp>

/// What sysfs says of PCI functions and their drivers.
namespace devres::vfio {

/// A function that is bound to vfio-pci, or to a driver of its kind.
struct bound_function {
    pci::address address;    ///< where it is
    std::string driver;      ///< vfio-pci, mlx5_vfio_pci, ...
    unsigned group = 0;      ///< of the IOMMU
    std::string identifier;  ///< vendor and device, as lspci -n writes them: 1b36:0010
};

namespace detail {

/// What sysfs says of PCI functions. Strings are empty where it says nothing.
class sysfs {
public:
    explicit sysfs(std::string root) : root_(std::move(root)) {}

    [[nodiscard]] std::string folder(pci::address where) const {
        return root_ + "/bus/pci/devices/" + std::string(where.text());
    }
    [[nodiscard]] bool has(pci::address where) const { return exists(folder(where)); }

    /// The driver that has the function.
    [[nodiscard]] std::string driver(pci::address where) const { return target_of(folder(where) + "/driver"); }
    static bool is_vfio(std::string_view driver) { return driver.find("vfio") != std::string_view::npos; }

    /// The function's IOMMU group.
    [[nodiscard]] std::optional<unsigned> group(pci::address where) const {
        return number_of(target_of(folder(where) + "/iommu_group"));
    }

    /// The name of the function's own device file, under /dev/vfio/devices.
    [[nodiscard]] std::string device_file(pci::address where) const {
        const auto names = list(folder(where) + "/vfio-dev");
        return names.empty() ? std::string() : names.front();
    }

    /// Vendor and device, as lspci -n writes them.
    [[nodiscard]] std::string identifier(pci::address where) const {
        const auto id = [&](const char* what) {
            const std::string text = line_of(folder(where) + what);  // 0x1b36
            return text.size() > 2 ? text.substr(2) : std::string();
        };
        return id("/vendor") + ":" + id("/device");
    }

    /// Every function, in the order of addresses, and those of a group.
    [[nodiscard]] std::vector<pci::address> all() const { return addresses_in(root_ + "/bus/pci/devices"); }
    [[nodiscard]] std::vector<pci::address> members(unsigned group) const {
        return addresses_in(root_ + "/kernel/iommu_groups/" + std::to_string(group) + "/devices");
    }

    /// The functions of a group whose drivers keep it from being used, with the drivers.
    [[nodiscard]] std::string in_the_way(unsigned group) const {
        std::string found;
        for (const pci::address where : members(group)) {
            const std::string having = driver(where);
            if (having.empty() || is_vfio(having))
                continue;
            found += found.empty() ? "" : ", ";
            found.append(std::string(where.text())).append(" (").append(having).append(")");
        }
        return found;
    }

    /// The operating system's number of vector `index`: MSI and MSI-X vectors have theirs in ascending order.
    [[nodiscard]] std::optional<unsigned> irq(pci::address where, bool message, unsigned index) const {
        if (!message)
            return number_of(line_of(folder(where) + "/irq"));
        std::vector<unsigned> numbers;
        for (const std::string& name : list(folder(where) + "/msi_irqs")) {
            if (const auto irq = number_of(name))
                numbers.push_back(*irq);
        }
        std::sort(numbers.begin(), numbers.end());
        return index < numbers.size() ? std::optional(numbers[index]) : std::nullopt;
    }

    /// The functions that drivers of vfio's have, by address.
    [[nodiscard]] std::vector<bound_function> bound() const {
        std::vector<bound_function> found;
        for (const pci::address where : all()) {
            std::string having = driver(where);
            if (is_vfio(having))
                found.push_back({where, std::move(having), group(where).value_or(0), identifier(where)});
        }
        return found;
    }

private:
    static std::vector<std::string> list(const std::string& path) {
        return names_in(path).value_or(std::vector<std::string>());
    }
    static std::vector<pci::address> addresses_in(const std::string& path) {
        std::vector<pci::address> out;
        for (const std::string& name : list(path)) {
            if (const auto where = pci::address::parse(name.c_str(), name.size()))
                out.push_back(*where);
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    std::string root_;
};

}  // namespace detail

/// The functions that are bound to vfio-pci, in the order of their addresses: those that `bus::open` can open.
[[nodiscard]] inline std::vector<bound_function> list_functions(const std::string& sysfs = "/sys") {
    return detail::sysfs(sysfs).bound();
}

}  // namespace devres::vfio
