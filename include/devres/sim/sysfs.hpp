// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <devres/sim/dump.hpp>

namespace devres::sim {

/// Reads the functions of this machine, or of a copy of its directory: `path` is
/// /sys/bus/pci/devices, or the directory of one function in it. Unlike a dump, it says the sizes of BARs. Without
/// root, the kernel shows 64 bytes of a function, which hold neither MSI nor MSI-X.
/// @returns them in the order of their addresses; `enoent` if there is no such directory or no function in it,
/// `eacces` if a file cannot be read, `einval` if it is too short to be a configuration space.
[[nodiscard]] inline result<std::vector<dumped_function>> read_sysfs(const std::filesystem::path& path) {
    namespace fs = std::filesystem;
    const auto read_one = [](const fs::path& directory, pci::address where) -> result<dumped_function> {
        dumped_function out;
        out.address = where;
        std::ifstream config(directory / "config", std::ios::binary);
        if (!config)
            return fail(errc::eacces);
        out.config.assign(std::istreambuf_iterator<char>(config), {});
        if (out.config.size() < 64 || out.config.size() > config_space::size)
            return fail(errc::einval);
        std::ifstream resource(directory / "resource");  // a line per BAR: first and last address, flags
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::uint64_t flags = 0;
        for (unsigned i = 0; i != pci::bar_count && resource >> std::hex >> first >> last >> flags; ++i) {
            if (flags != 0 && last >= first)
                out.bar_sizes[i] = last - first + 1;
        }
        return out;
    };
    const auto address_of = [](const fs::path& directory) {
        const std::string name = directory.filename().string();
        return pci::address::parse(name.data(), name.size());
    };

    std::vector<dumped_function> out;
    std::error_code error;
    if (const auto one = address_of(path); one && fs::exists(path / "config", error)) {
        auto function = read_one(path, *one);
        if (!function)
            return fail(function.error());
        out.push_back(std::move(*function));
        return out;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
        const auto where = address_of(entry.path());
        if (!where)
            continue;
        auto function = read_one(entry.path(), *where);
        if (!function)
            return fail(function.error());
        out.push_back(std::move(*function));
    }
    if (out.empty())
        return fail(error == std::errc::permission_denied ? errc::eacces : errc::enoent);
    std::sort(out.begin(), out.end(),
              [](const dumped_function& a, const dumped_function& b) { return a.address < b.address; });
    return out;
}

}  // namespace devres::sim
