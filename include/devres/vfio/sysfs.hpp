// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <unistd.h>

#include <devres/pci/address.hpp>

namespace devres::vfio {

/// A function that is bound to vfio-pci, or to a driver of its kind.
struct bound_function {
    pci::address address;
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
        return root_ + "/bus/pci/devices/" + where.text().c_str();
    }
    [[nodiscard]] bool has(pci::address where) const { return ::access(folder(where).c_str(), F_OK) == 0; }

    /// The driver that has the function.
    [[nodiscard]] std::string driver(pci::address where) const { return target(folder(where) + "/driver"); }
    static bool is_vfio(std::string_view driver) { return driver.find("vfio") != std::string_view::npos; }

    /// The function's IOMMU group.
    [[nodiscard]] std::optional<unsigned> group(pci::address where) const {
        return number(target(folder(where) + "/iommu_group"));
    }

    /// The name of the function's own device file, under /dev/vfio/devices.
    [[nodiscard]] std::string device_file(pci::address where) const {
        const auto names = list(folder(where) + "/vfio-dev");
        return names.empty() ? std::string() : names.front();
    }

    /// The functions of a group whose drivers keep it from being used, with the drivers.
    [[nodiscard]] std::string in_the_way(unsigned group) const {
        std::string found;
        for (const std::string& name : list(root_ + "/kernel/iommu_groups/" + std::to_string(group) + "/devices")) {
            const auto where = pci::address::parse(name.c_str(), name.size());
            const std::string having = where ? driver(*where) : std::string();
            if (having.empty() || is_vfio(having))
                continue;
            found += found.empty() ? "" : ", ";
            found.append(name).append(" (").append(having).append(")");
        }
        return found;
    }

    /// The operating system's number of vector `index`: MSI and MSI-X vectors have theirs in ascending order.
    [[nodiscard]] std::optional<unsigned> irq(pci::address where, bool message, unsigned index) const {
        if (!message)
            return number(line(folder(where) + "/irq"));
        std::vector<unsigned> numbers;
        for (const std::string& name : list(folder(where) + "/msi_irqs")) {
            if (const auto irq = number(name))
                numbers.push_back(*irq);
        }
        std::sort(numbers.begin(), numbers.end());
        return index < numbers.size() ? std::optional(numbers[index]) : std::nullopt;
    }

    /// The functions that drivers of vfio's have, by address.
    [[nodiscard]] std::vector<bound_function> bound() const {
        std::vector<bound_function> found;
        for (const std::string& name : list(root_ + "/bus/pci/devices")) {
            const auto where = pci::address::parse(name.c_str(), name.size());
            if (!where)
                continue;
            std::string having = driver(*where);
            if (!is_vfio(having))
                continue;
            const auto id = [&](const char* what) {
                const std::string text = line(folder(*where) + what);  // 0x1b36
                return text.size() > 2 ? text.substr(2) : std::string();
            };
            found.push_back(
                {*where, std::move(having), group(*where).value_or(0), id("/vendor") + ":" + id("/device")});
        }
        std::sort(found.begin(), found.end(),
                  [](const bound_function& a, const bound_function& b) { return a.address < b.address; });
        return found;
    }

private:
    static std::optional<unsigned> number(const std::string& text) {
        unsigned value = 0;
        const auto end = text.data() + text.size();
        if (text.empty() || std::from_chars(text.data(), end, value).ptr != end)
            return std::nullopt;
        return value;
    }

    /// The last name of what a symbolic link points to.
    static std::string target(const std::string& link) {
        char path[512];
        const auto size = ::readlink(link.c_str(), path, sizeof(path));
        if (size <= 0)
            return {};
        const std::string_view text(path, static_cast<std::size_t>(size));
        return std::string(text.substr(text.rfind('/') + 1));
    }

    static std::string line(const std::string& path) {
        char text[64];
        std::string out;
        if (FILE* const file = std::fopen(path.c_str(), "re")) {
            if (std::fgets(text, sizeof(text), file) != nullptr)
                out = text;
            std::fclose(file);
        }
        while (!out.empty() && out.back() == '\n')
            out.pop_back();
        return out;
    }

    static std::vector<std::string> list(const std::string& path) {
        std::vector<std::string> names;
        DIR* const folder = ::opendir(path.c_str());
        if (folder == nullptr)
            return names;
        while (const dirent* const entry = ::readdir(folder)) {
            if (entry->d_name[0] != '.')
                names.emplace_back(entry->d_name);
        }
        ::closedir(folder);
        std::sort(names.begin(), names.end());
        return names;
    }

    std::string root_;
};

}  // namespace detail

/// The functions that are bound to vfio-pci, in the order of their addresses: those that `bus::open` can open.
[[nodiscard]] inline std::vector<bound_function> list_functions(const std::string& sysfs = "/sys") {
    return detail::sysfs(sysfs).bound();
}

}  // namespace devres::vfio
