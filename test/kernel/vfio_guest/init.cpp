// SPDX-License-Identifier: BSL-1.0
// The guest's init: loads modules, binds QEMU's devices to vfio-pci, runs the programs, and leaves.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

const std::set<std::string> wanted = {"0x1b36:0x0006", "0x1234:0x11e8", "0x8086:0x10d3", "0x1b36:0x0010"};

std::string line(const fs::path& path) {
    std::ifstream file(path);
    std::string text;
    std::getline(file, text);
    return text;
}

bool write(const fs::path& path, const std::string& text) {
    std::ofstream file(path);
    file << text << std::flush;
    return file.good();
}

std::vector<fs::path> files(const fs::path& folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder))
        found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

void load(const fs::path& module) {
    const int file = ::open(module.c_str(), O_RDONLY | O_CLOEXEC);
    if (::syscall(SYS_finit_module, file, "", 0) != 0)
        std::printf("guest: %s: %s\n", module.c_str(), std::strerror(errno));
    ::close(file);
}

void bind(const fs::path& device) {
    const std::string name = device.filename();
    write(device / "driver_override", "vfio-pci");
    if (fs::exists(device / "driver"))
        write(device / "driver" / "unbind", name);
    if (!write("/sys/bus/pci/drivers_probe", name) || !fs::exists(device / "driver"))
        std::printf("guest: %s could not be bound\n", name.c_str());
}

bool run(const fs::path& program) {
    std::vector<std::string> words = {program.string()};
    std::ifstream arguments(program.string() + ".arguments");
    for (std::string word; std::getline(arguments, word);)
        words.push_back(word);
    std::vector<char*> pointers;
    for (std::string& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::execv(pointers[0], pointers.data());
        std::printf("guest: %s: %s\n", program.c_str(), std::strerror(errno));
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    std::printf("guest: %s ended with %d\n", program.filename().c_str(), status);
    return status == 0;
}

}  // namespace

int main() {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    for (const char* folder : {"/proc", "/sys", "/dev", "/tmp"})
        ::mkdir(folder, 0755);
    ::mount("proc", "/proc", "proc", 0, nullptr);
    ::mount("sysfs", "/sys", "sysfs", 0, nullptr);
    ::mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
    ::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr);
    for (const fs::path& module : files("/modules"))
        load(module);
    for (const fs::path& device : files("/sys/bus/pci/devices")) {
        if (wanted.contains(line(device / "vendor") + ":" + line(device / "device")))
            bind(device);
    }
    bool good = true;
    for (const fs::path& program : files("/programs")) {
        if (program.extension() != ".arguments")
            good = run(program) && good;
    }
    std::puts(good ? "guest: all programs passed" : "guest: a program failed");
    std::fflush(stdout);
    ::tcdrain(1);
    ::reboot(RB_AUTOBOOT);
}
