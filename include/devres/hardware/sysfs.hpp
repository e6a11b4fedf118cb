// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <devres/hardware/dump.hpp>
#include <devres/hardware/dump_report.hpp>

namespace devres::hardware {

namespace detail {

/// One function's directory: its configuration space, and what the kernel says of its BARs.
[[nodiscard]] inline result<dumped_function> read_sysfs_function(const std::filesystem::path& directory,
                                                                 pci::address where) {
    constexpr std::uint64_t io_resource = 0x100;  // of a resource's flags
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
        if (flags == 0 || last < first)
            continue;
        out.bar_sizes[i] = last - first + 1;
        out.io_bars |= (flags & io_resource) != 0 ? 1U << i : 0;
    }
    return out;
}

}  // namespace detail

/// Reads the functions of this machine, or of a copy of its directory: `path` is
/// /sys/bus/pci/devices, or the directory of one function in it. Unlike a dump, it says the sizes of BARs. Without
/// root, the kernel shows 64 bytes of a function, which hold neither MSI nor MSI-X. A function that cannot be read is left
/// out, and said in `report`.
/// @returns them in the order of their addresses; `enoent` if there is no such directory or no function in it; if none can
/// be read, `eacces`, or `einval` if its file is too short to be a configuration space
[[nodiscard]] inline result<std::vector<dumped_function>> read_sysfs(const std::filesystem::path& path,
                                                                     dump_report* report = nullptr) {
    namespace fs = std::filesystem;
    const auto address_of = [](const fs::path& directory) -> std::optional<pci::address> {
        const std::string name = directory.filename().string();
        const auto found = pci::address::parse(name.data(), name.size());
        return found ? std::optional(*found) : std::nullopt;
    };
    std::vector<std::pair<pci::address, fs::path>> directories;
    std::error_code error;
    const fs::path whole = path.has_filename() ? path : path.parent_path();
    if (const auto one = address_of(whole); one && fs::exists(whole / "config", error)) {
        directories.emplace_back(*one, whole);
    } else {
        for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
            if (const auto where = address_of(entry.path()))
                directories.emplace_back(*where, entry.path());
        }
    }
    std::sort(directories.begin(), directories.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

    dump_report said;
    std::vector<dumped_function> out;
    errc wrong = error == std::errc::permission_denied ? errc::eacces : errc::enoent;
    for (const auto& [where, directory] : directories) {
        auto function = detail::read_sysfs_function(directory, where);
        if (function) {
            out.push_back(std::move(*function));
            continue;
        }
        wrong = function.error();
        std::error_code unknown;
        const fs::path config = directory / "config";
        const std::string why = wrong == errc::eacces
                                    ? " is not there or cannot be opened: left out, a function needs it"
                                    : " has " + std::to_string(fs::file_size(config, unknown)) +
                                          " bytes: left out, a configuration space has 64 to 4096";
        said.remarks.push_back(std::string(where.text()) + ": " + config.string() + why);
    }
    if (out.empty())
        said.reason = said.remarks.empty()
                          ? "no function is in " + path.string() +
                                ", which should have a folder for each, such as 0000:03:00.0, with its file config"
                          : said.remarks.front();
    if (report != nullptr)
        *report = std::move(said);
    if (out.empty())
        return fail(wrong);
    return out;
}

}  // namespace devres::hardware
