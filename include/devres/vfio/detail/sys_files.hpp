// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/// Files of sysfs and /proc: short texts, links and folders.
namespace devres::vfio::detail {

[[nodiscard]] inline bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// A decimal number, and nothing else.
[[nodiscard]] inline std::optional<unsigned> number_of(const std::string& text) {
    unsigned value = 0;
    const auto end = text.data() + text.size();
    if (text.empty() || std::from_chars(text.data(), end, value).ptr != end)
        return std::nullopt;
    return value;
}
/// "0x1b36"; nothing if it is something else.
[[nodiscard]] inline std::optional<unsigned> hexadecimal_of(const std::string& text) {
    unsigned value = 0;
    const auto end = text.data() + text.size();
    if (!text.starts_with("0x") || std::from_chars(text.data() + 2, end, value, 16).ptr != end)
        return std::nullopt;
    return value;
}

/// The lines of a file; nothing if it cannot be read.
[[nodiscard]] inline std::optional<std::vector<std::string>> lines_of(const std::string& path) {
    FILE* const file = std::fopen(path.c_str(), "re");
    if (file == nullptr)
        return std::nullopt;
    std::vector<std::string> out;
    char* text = nullptr;
    std::size_t room = 0;
    for (::ssize_t size = 0; (size = ::getline(&text, &room, file)) > 0;)
        out.emplace_back(text, static_cast<std::size_t>(size) - (text[size - 1] == '\n' ? 1 : 0));
    std::free(text);
    const bool good = std::ferror(file) == 0;
    std::fclose(file);
    return good ? std::optional(std::move(out)) : std::nullopt;
}
/// Its first line; empty if it has none, or cannot be read.
[[nodiscard]] inline std::string line_of(const std::string& path) {
    const auto lines = lines_of(path);
    return lines && !lines->empty() ? lines->front() : std::string();
}

/// What a symbolic link points to; empty if it is none.
[[nodiscard]] inline std::string path_of(const std::string& link) {
    char path[4096];
    const auto size = ::readlink(link.c_str(), path, sizeof(path));
    return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}
/// The last name of that.
[[nodiscard]] inline std::string target_of(const std::string& link) {
    const std::string path = path_of(link);
    return path.substr(path.rfind('/') + 1);
}

/// What is in a folder, in order; nothing if it is there and cannot be read.
[[nodiscard]] inline std::optional<std::vector<std::string>> names_in(const std::string& path) {
    std::vector<std::string> names;
    DIR* const folder = ::opendir(path.c_str());
    if (folder == nullptr)
        return errno == ENOENT || errno == ENOTDIR ? std::optional(std::move(names)) : std::nullopt;
    for (;;) {
        errno = 0;
        const dirent* const entry = ::readdir(folder);
        if (entry == nullptr)
            break;
        if (entry->d_name[0] != '.')
            names.emplace_back(entry->d_name);
    }
    const bool good = errno == 0 || errno == ENOENT || errno == ESRCH;  // a process may end meanwhile
    ::closedir(folder);
    if (!good)
        return std::nullopt;
    std::sort(names.begin(), names.end());
    return names;
}

/// A folder itself, and no link to one.
[[nodiscard]] inline bool is_folder(const std::string& path) {
    struct stat what{};
    return ::lstat(path.c_str(), &what) == 0 && S_ISDIR(what.st_mode);
}

}  // namespace devres::vfio::detail
