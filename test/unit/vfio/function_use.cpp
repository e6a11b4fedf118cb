// SPDX-License-Identifier: BSL-1.0
#include <devres/vfio/function_use.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "fake_kernel.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::test;

namespace {

namespace fs = std::filesystem;
using lines = std::vector<std::string>;

/// Stands in for the kernel: a disk's file has the number of the error that opening it gives.
int claim(const std::string& node, const std::string&) {
    std::ifstream file(node);
    int error = ENOENT;
    file >> error;
    return error;
}

/// A machine with one function, 0000:01:00.0 in group 7, whose folder is filled by hand.
struct used {
    fake_kernel kernel;
    fs::path folder, sys = kernel.root + "/sys";

    explicit used(const std::string& driver = "nvme") {
        kernel.add({.driver = driver});
        write(kernel.root + "/proc/consoles", "");
        fs::create_directories(kernel.root + "/proc/1");
        fs::create_directories(sys / "class/block");
        folder = sys / "bus/pci/devices/0000:01:00.0";
    }

    static void write(const fs::path& file, const std::string& text) {
        fs::create_directories(file.parent_path());
        std::ofstream(file) << text << '\n';
    }
    /// A device of a kind in a folder: its subsystem's link says which.
    [[nodiscard]] static fs::path device(const fs::path& at, const std::string& kind) {
        fs::create_directories(at);
        fs::create_directory_symlink("../../../class/" + kind, at / "subsystem");
        return at;
    }
    /// A block device, and its file.
    void block(const fs::path& at, const std::string& number) const {
        write(device(at, "block") / "dev", number);
        write(node(at.filename()), "0");
    }
    [[nodiscard]] fs::path node(const fs::path& name) const { return fs::path(kernel.root) / "dev" / name; }
    /// A disk with one partition, in a folder below the function's: that of an NVMe controller has no `block` in it.
    fs::path disk(const std::string& name, const std::string& number, const std::string& where = "nvme/nvme0") const {
        const fs::path at = folder / where / name;
        block(at, number + ":0");
        block(at / (name + "p1"), number + ":1");
        write(at / (name + "p1") / "partition", "1");
        return at;
    }
    void mounts(const std::string& text) { write(kernel.root + "/proc/self/mountinfo", text); }

    [[nodiscard]] vfio::function_use look(pci::address where = "0000:01:00.0") const {
        return vfio::detail::usage(sys, kernel.root + "/proc", kernel.root + "/dev", &claim).of(where);
    }
    [[nodiscard]] lines lost() const { return look().lost; }
};

}  // namespace

TEST_CASE("a function that nobody would miss comes with the commands that bind it") {
    const used machine;
    const auto found = machine.look();
    CHECK(found.lost == lines{});
    CHECK(found.driver == "nvme");
    CHECK(found.identifier == "1b36:0010");
    CHECK(found.class_code == 0x010802);
    CHECK(found.group == 7U);
    CHECK_FALSE(found.bound());
    CHECK(found.commands == "modprobe vfio-pci; echo vfio-pci > " + machine.folder.string() +
                                "/driver_override; echo 0000:01:00.0 > " + machine.folder.string() +
                                "/driver/unbind; echo 0000:01:00.0 > " + machine.sys.string() +
                                "/bus/pci/drivers_probe");
}

TEST_CASE("a disk that is mounted is not offered, however it is mounted") {
    used machine;
    const fs::path disk = machine.disk("nvme0n1", "259");
    CHECK(machine.lost() == lines{});
    SECTION("by its number") {
        machine.mounts("22 1 259:1 / / rw shared:1 - ext4 /dev/root rw");
        CHECK(machine.lost() == lines{"mounted: / on nvme0n1p1"});
    }
    SECTION("as a file system that has numbers of its own") {
        machine.mounts("22 1 0:30 / /home rw - btrfs /dev/nvme0n1 rw");
        CHECK(machine.lost() == lines{"mounted: /home on nvme0n1"});
    }
    SECTION("as swap") {
        used::write(machine.kernel.root + "/proc/swaps", "Filename Type\n/dev/nvme0n1p1   partition 1 0 -2");
        CHECK(machine.lost() == lines{"swap: nvme0n1p1"});
    }
    SECTION("through LVM") {
        fs::create_directories(disk / "nvme0n1p1/holders");
        used::write(machine.sys / "devices/virtual/block/dm-0/dev", "253:0");
        fs::create_directory_symlink(machine.sys / "devices/virtual/block/dm-0", machine.sys / "class/block/dm-0");
        fs::create_directory_symlink(machine.sys / "devices/virtual/block/dm-0", disk / "nvme0n1p1/holders/dm-0");
        CHECK(machine.lost() == lines{"nvme0n1p1 is part of dm-0"});
        machine.mounts("22 1 253:0 / /srv rw - xfs /dev/mapper/vg-srv rw");
        CHECK(machine.lost() == lines{"mounted: /srv on dm-0"});
    }
    SECTION("and where that cannot be read") {
        fs::remove(machine.kernel.root + "/proc/self/mountinfo");
        CHECK(machine.lost() ==
              lines{"what is mounted cannot be read (" + machine.kernel.root + "/proc/self/mountinfo)"});
    }
    CHECK(machine.look().commands.empty());
}

TEST_CASE("a disk behind an adapter is in folders of its own") {
    const used machine("ahci");
    (void)machine.disk("sda", "65", "ata1/host0/target0:0:0/0:0:0:0/block");
    CHECK(machine.lost() == lines{});
    used::write(machine.kernel.root + "/proc/self/mountinfo", "22 1 65:1 / / rw - ext4 /dev/root rw");
    CHECK(machine.lost() == lines{"mounted: / on sdap1"});
}

TEST_CASE("a disk that several controllers reach is in the folder of none of them") {
    const used machine;
    const fs::path controller = used::device(machine.folder / "nvme/nvme0", "nvme");
    (void)used::device(controller / "nvme0c0n1", "block");  // hidden, without a number
    const fs::path subsystem = machine.sys / "devices/virtual/nvme-subsystem/nvme-subsys0";
    machine.block(subsystem / "nvme0n1", "259:0");
    fs::create_directories(machine.sys / "class/nvme-subsystem");
    fs::create_directory_symlink(subsystem, machine.sys / "class/nvme-subsystem/nvme-subsys0");
    fs::create_directory_symlink(controller, subsystem / "nvme0");
    CHECK(machine.lost() == lines{});
    used::write(machine.kernel.root + "/proc/self/mountinfo", "22 1 259:0 / /srv rw - xfs /dev/nvme0n1 rw");
    CHECK(machine.lost() == lines{"mounted: /srv on nvme0n1"});
}

TEST_CASE("a path to a disk that is nowhere counts as in use") {
    const used machine;
    (void)used::device(used::device(machine.folder / "nvme/nvme0", "nvme") / "nvme0c0n1", "block");
    CHECK(machine.lost() == lines{"the disk that nvme0c0n1 is a path to cannot be found"});
}

TEST_CASE("whether a disk is held by somebody, only the kernel knows") {
    const used machine;
    (void)machine.disk("nvme0n1", "259");
    const fs::path node = machine.node("nvme0n1");
    const auto unseen = [&](const char* why) {
        return lines{"whether nvme0n1 is in use cannot be seen (" + node.string() + why + ')'};
    };
    SECTION("it may have one for itself") {
        used::write(node, std::to_string(EBUSY));
        CHECK(machine.lost() == lines{"held by a file system, a pool or a program: nvme0n1"});
        CHECK(machine.look().commands.empty());
    }
    SECTION("the file may not be there") {
        fs::remove(node);
        CHECK(machine.lost() == unseen(": No such file or directory"));
    }
    SECTION("the file may not be for everybody") {
        used::write(node, std::to_string(EACCES));
        CHECK(machine.lost() == unseen(": Permission denied"));
    }
    SECTION("the disk may not answer") {
        used::write(node, std::to_string(ENXIO));
        CHECK(machine.lost() == unseen(": No such device or address"));
    }
    SECTION("the file may be something else") {
        const auto found = vfio::use_of("0000:01:00.0", machine.sys, machine.kernel.root + "/proc", node.parent_path());
        CHECK(found.lost == unseen(" is another file"));
        CHECK(found.commands.empty());
    }
}

TEST_CASE("a drive without a medium has nothing to lose") {
    const used machine("ahci");
    machine.block(machine.folder / "ata1/host0/target0:0:0/0:0:0:0/block/sr0", "11:0");
    used::write(machine.node("sr0"), std::to_string(ENOMEDIUM));
    CHECK(machine.lost() == lines{});
}

TEST_CASE("what is built on a disk in more stories than can be looked at counts as in use") {
    const used machine;
    fs::path below = machine.disk("nvme0n1", "259");
    for (int i = 0; i != 10; ++i) {
        const fs::path above = machine.sys / "class/block" / ("dm-" + std::to_string(i));
        machine.block(above, "253:" + std::to_string(i));
        fs::create_directories(below / "holders");
        fs::create_directory_symlink(above, below / "holders" / above.filename());
        below = above;
    }
    CHECK(machine.lost() == lines{"what is built on dm-7 is too deep to be seen"});
}

TEST_CASE("a device file that a program has open counts") {
    used machine("snd_hda_intel");
    const fs::path process = fs::path(machine.kernel.root) / "proc/4711";
    used::write(process / "comm", "player");
    fs::create_directories(process / "fd");
    const auto sound = [&] { return used::device(machine.folder / "sound/card0/pcmC0D0p", "sound") / "dev"; };
    SECTION("by its number, whatever its name") {
        used::write(sound(), "1:3");
        CHECK(machine.lost() == lines{});
        fs::create_symlink("/dev/null", process / "fd/17");
        CHECK(machine.lost() == lines{"pcmC0D0p is open in player (4711)"});
        CHECK(machine.look().commands.empty());
    }
    SECTION("and one that is closed and still mapped") {
        used::write(sound(), "1:3");
        fs::create_directories(process / "map_files");
        fs::create_symlink("/dev/null", process / "map_files/7f0000000000-7f0000001000");
        CHECK(machine.lost() == lines{"pcmC0D0p is open in player (4711)"});
    }
    SECTION("and so do registers") {
        fs::create_symlink("/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.1/resource0", process / "fd/17");
        CHECK(machine.lost() == lines{});
        fs::create_symlink("/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/resource2_wc", process / "fd/18");
        CHECK(machine.lost() == lines{"the registers of 0000:01:00.0 are open in player (4711)"});
        (void)used::device(machine.folder / "pci10000:e0/10000:e1:00.0", "pci");
        fs::create_symlink("/sys/devices/pci0000:00/0000:01:00.0/pci10000:e0/10000:e1:00.0/resource0",
                           process / "fd/19");
        CHECK(machine.lost() == lines{"the registers of 0000:01:00.0 are open in player (4711)",
                                      "the registers of 10000:e1:00.0 are open in player (4711)"});
    }
    SECTION("not a disk of the same number") {
        (void)machine.disk("nvme0n1", "1");
        machine.block(machine.folder / "nvme/nvme0/nvme0n2", "1:3");
        fs::create_symlink("/dev/null", process / "fd/17");
        CHECK(machine.lost() == lines{});
    }
    SECTION("and so does one that cannot be looked at") {
        fs::remove(process / "fd");
        fs::create_symlink("fd", process / "fd");  // what a folder is that is not for everybody, also for root
        CHECK(machine.lost() == lines{});
        used::write(sound(), "1:3");
        CHECK(machine.lost() == lines{"whether pcmC0D0p is open in a program cannot be seen"});
        fs::remove_all(machine.folder / "sound");
        (void)machine.disk("nvme0n1", "259");
        CHECK(machine.lost() == lines{"whether nvme0n1 is open in a program cannot be seen"});
    }
}

TEST_CASE("programs that are hidden may have a device file open") {
    const used machine("snd_hda_intel");
    used::write(used::device(machine.folder / "sound/card0/pcmC0D0p", "sound") / "dev", "1:3");
    const fs::path proc = fs::path(machine.kernel.root) / "proc";
    fs::create_directories(proc / "self/ns");
    fs::create_symlink("pid:[4026531836]", proc / "self/ns/pid");
    CHECK(machine.lost() == lines{});
    SECTION("outside of a container") {
        fs::remove(proc / "self/ns/pid");
        fs::create_symlink("pid:[4026532177]", proc / "self/ns/pid");
        CHECK(machine.lost() == lines{"whether pcmC0D0p is open in a program cannot be seen"});
    }
    SECTION("of other users") {
        fs::remove(proc / "1");
        CHECK(machine.lost() == lines{"whether pcmC0D0p is open in a program cannot be seen"});
    }
}

TEST_CASE("the kernel has device files open too, by any of their names") {
    const used machine;
    const fs::path disk = machine.disk("nvme0n1", "259");
    used::write(disk.parent_path() / "dev", "240:0");
    (void)used::device(disk.parent_path(), "nvme");
    const fs::path link = machine.node("disk/by-id/drive");
    fs::create_directories(link.parent_path());
    const auto [file, node] = GENERATE(table<const char*, const char*>(
        {{"class/block/loop3/loop/backing_file", "nvme0n1"},
         {"kernel/config/nvmet/subsystems/shelf/namespaces/1/device_path", "nvme0n1p1"},
         {"kernel/config/nvmet/subsystems/shelf/passthru/device_path", "nvme0"},
         {"kernel/config/target/core/fileio_0/drive/udev_path", "nvme0n1"},
         {"kernel/config/usb_gadget/stick/functions/mass_storage.0/lun.0/file", "nvme0n1"}}));
    used::write(machine.node(node), "0");
    fs::create_symlink(std::string("../../") + node, link);
    CHECK(machine.lost() == lines{});
    used::write(machine.sys / file, link);
    CHECK(machine.lost() ==
          lines{"the kernel has " + std::string(node) + " open (" + (machine.sys / file).string() + ')'});
}

TEST_CASE("a USB device may be lent to another machine") {
    const used machine("xhci_hcd");
    const fs::path stick = used::device(machine.folder / "usb1/1-1", "usb");
    CHECK(machine.lost() == lines{});
    fs::create_directory_symlink("../../../bus/usb/drivers/usbip-host", stick / "driver");
    CHECK(machine.lost() == lines{"USB device 1-1 is lent to another machine"});
}

TEST_CASE("virtual functions go with the physical one, whoever has which") {
    used machine(GENERATE("igb", ""));
    fs::create_directory_symlink("../0000:01:10.0", machine.folder / "virtfn0");
    CHECK(machine.lost() == lines{"its virtual function 0000:01:10.0 goes with it"});
    machine.kernel.add({.address = "0000:01:10.0", .group = 8, .driver = "vfio-pci"});
    CHECK(machine.lost() == lines{"its virtual function 0000:01:10.0 goes with it, and vfio-pci has that"});
}

TEST_CASE("a terminal counts if it is a console, or may be one") {
    const used machine("serial");
    (void)used::device(machine.folder / "0000:01:00.0:0/tty/ttyS4", "tty");
    CHECK(machine.lost() == lines{});
    used::write(machine.kernel.root + "/proc/consoles", "ttyS4                -W- (EC p a)    4:68");
    CHECK(machine.lost() == lines{"console on ttyS4"});
    fs::remove(machine.kernel.root + "/proc/consoles");
    CHECK(machine.lost() == lines{"whether ttyS4 is a console cannot be read"});
}

TEST_CASE("a fabric's port counts while it is not down") {
    const used machine("mlx5_core");
    const fs::path state = used::device(machine.folder / "infiniband/mlx5_0", "infiniband") / "ports/1/state";
    used::write(state, "4: ACTIVE");
    CHECK(machine.lost() == lines{"port 1 of mlx5_0 is 4: ACTIVE"});
    used::write(state, "1: DOWN");
    CHECK(machine.lost() == lines{});
}

TEST_CASE("a file system that the host shares may be mounted in any namespace") {
    const used machine("virtio-pci");
    fs::create_directory_symlink("../../bus/virtio/drivers/virtiofs",
                                 used::device(machine.folder / "virtio0", "virtio") / "driver");
    CHECK(machine.lost() == lines{"whether a file system of type virtiofs is mounted cannot be seen"});
    used::write(machine.kernel.root + "/proc/self/mountinfo", "22 1 0:30 / / rw - virtiofs rootfs rw");
    CHECK(machine.lost() == lines{"a file system of type virtiofs is mounted"});
}

TEST_CASE("what the host shares by virtio shows in no device") {
    const auto [driver, lost] = GENERATE(table<const char*, const char*>(
        {{"virtio_mem", "memory of this machine's"},
         {"virtio_iommu", "an IOMMU"},
         {"vmw_vsock_virtio_transport", "connections to the host (vsock) cannot be seen"},
         {"virtio_console", "console on hvc0 may be its"}}));
    const used machine("virtio-pci");
    used::write(machine.kernel.root + "/proc/consoles", "hvc0                 -W- (EC  p  )  229:0");
    const fs::path device = used::device(machine.folder / "virtio0", "virtio");
    fs::create_directory_symlink("../../bus/virtio/drivers/virtio_rng", device / "driver");
    CHECK(machine.lost() == lines{});
    fs::remove(device / "driver");
    fs::create_directory_symlink(std::string("../../bus/virtio/drivers/") + driver, device / "driver");
    CHECK(machine.lost() == lines{lost});
    if (std::string(driver) == "virtio_console") {
        fs::remove(machine.kernel.root + "/proc/consoles");
        CHECK(machine.lost() == lines{"whether a console is on it cannot be read"});
    }
}

TEST_CASE("devices of some kinds count by being there") {
    const auto [kind, name, lost] = GENERATE(table<const char*, const char*, const char*>(
        {{"iommu", "ivhd0", "an IOMMU: ivhd0"},
         {"dax", "dax0.0", "memory dax0.0 may be this machine's"},
         {"cxl", "mem0", "memory mem0 may be this machine's"},
         {"mtd", "mtd0", "flash memory mtd0 is behind it"},
         {"tpm", "tpm0", "the kernel may have keys in tpm0"},
         {"mdev", "83b8f4f2", "mediated device 83b8f4f2 is a part of it"},
         {"bluetooth", "hci0", "what is connected to hci0 cannot be seen"},
         {"thunderbolt", "0-301", "Thunderbolt device 0-301 is behind it"}}));
    const used machine("driver");
    (void)used::device(machine.folder / "some" / name, kind);
    CHECK(machine.lost() == lines{lost});
}

TEST_CASE("a controller of Thunderbolt alone has nothing behind it") {
    const used machine("thunderbolt");
    (void)used::device(used::device(machine.folder / "domain0", "thunderbolt") / "0-0", "thunderbolt");
    CHECK(machine.lost() == lines{});
}

TEST_CASE("devices of some kinds count by their state") {
    const auto [path, file, idle, busy] = GENERATE(table<const char*, const char*, const char*, const char*>(
        {{"host0/fc_host/host0", "port_state", "Linkdown", "Online"},
         {"udc/dwc3.0", "state", "not attached", "configured"},
         {"dma/dma0chan1", "in_use", "0", "2"}}));
    const used machine("driver");
    const fs::path at = machine.folder / path;
    (void)used::device(at, at.parent_path().filename());
    used::write(at / file, idle);
    CHECK(machine.lost() == lines{});
    used::write(at / file, busy);
    CHECK(machine.lost() == lines{at.filename().string() + " is in use (" + file + ": " + busy + ')'});
    fs::remove(at / file);
    CHECK(machine.lost().size() == 1);
}

TEST_CASE("some classes are used without a device that shows it") {
    const auto [code, driver, lost] = GENERATE(table<const char*, const char*, const char*>(
        {{"0x080020", "", "a part of the machine itself"},
         {"0x080600", "", "a part of the machine itself"},
         {"0x050210", "", "memory that may be this machine's"},
         {"0x0b4000", "4xxx", "what 4xxx encrypts with it cannot be seen"},
         {"0x108000", "ccp", "what ccp encrypts with it cannot be seen"},
         {"0x030200", "nvidia", "what nvidia draws or computes with it cannot be seen"},
         {"0x010802", "pciback", "a guest of Xen's may have it"}}));
    const used machine(driver);
    used::write(machine.folder / "class", code);
    CHECK(machine.lost() == lines{lost});
    CHECK(machine.look().commands.empty());
}

TEST_CASE("these classes are not") {
    const auto [code, driver] = GENERATE(table<const char*, const char*>(
        {{"0x080501", "sdhci-pci"}, {"0x088000", ""}, {"0x030200", ""}, {"0x030200", "pci-stub"}, {"0x0b4000", ""}}));
    const used machine(driver);
    used::write(machine.folder / "class", code);
    CHECK(machine.lost() == lines{});
}

TEST_CASE("behind a function may be others") {
    const used machine("vmd");
    const fs::path inner = used::device(
        used::device(machine.folder / "pci10000:e0/10000:e0:06.0", "pci") / "10000:e1:00.0", "pci");
    CHECK(machine.lost() == lines{});
    (void)machine.disk("nvme1n1", "259", "pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme1");
    used::write(machine.kernel.root + "/proc/self/mountinfo", "22 1 259:1 / / rw - ext4 /dev/root rw");
    CHECK(machine.lost() == lines{"mounted: / on nvme1n1p1"});
    fs::remove_all(inner / "nvme");
    fs::create_directory_symlink("../../bus/pci/drivers/vfio-pci", inner / "driver");
    CHECK(machine.lost() == lines{"function 10000:e1:00.0 is behind it, and vfio-pci has that"});
}

TEST_CASE("what is too deep to be looked at counts as in use") {
    const used machine("xhci_hcd");
    std::string deep;
    for (int i = 0; i != 30; ++i)
        deep += "hub/";
    fs::create_directories(machine.folder / deep);
    REQUIRE(machine.lost().size() == 1);
    CHECK(machine.lost().front().starts_with("what is behind it is too deep to be seen ("));
}

TEST_CASE("the firmware's picture needs no driver") {
    const used machine("");
    SECTION("where the function says so") {
        used::write(machine.folder / "boot_vga", "1");
        CHECK(machine.lost() == lines{"the display that the machine started with"});
    }
    SECTION("where the function says so, which has no legacy of VGA's") {
        used::write(machine.folder / "boot_display", "1");
        CHECK(machine.lost() == lines{"the display that the machine started with"});
    }
    SECTION("where nothing says so") {
        used::write(machine.folder / "class", GENERATE("0x038000", "0x030000"));
        CHECK(machine.lost() == lines{"whether the firmware's picture is on it cannot be seen"});
        used::write(machine.folder / "boot_vga", "0");
        CHECK(machine.lost() == lines{});
    }
    SECTION("where the console does") {
        (void)used::device(machine.folder / "simple-framebuffer.0/drm/card0", "drm");
        (void)used::device(machine.folder / "simple-framebuffer.0/graphics/fb0", "graphics");
        CHECK(machine.lost() == lines{"what is drawn on card0", "console on fb0"});
    }
}

TEST_CASE("a network interface counts while it is up") {
    used machine("e1000e");
    used::write(machine.folder / "net/eth0/flags", "0x1002");
    CHECK(machine.lost() == lines{});
    used::write(machine.folder / "net/eth0/flags", "0x1003");
    CHECK(machine.lost() == lines{"network interface eth0 is up"});
    fs::remove(machine.folder / "net/eth0/flags");
    CHECK(machine.lost() == lines{"the state of network interface eth0 cannot be read"});
    fs::remove_all(machine.folder / "net/eth0");
    CHECK(machine.lost() == lines{"its network interfaces are in another namespace"});
}

TEST_CASE("a display, a console and a keyboard are not taken") {
    used machine("xhci_hcd");
    used::write(machine.folder / "boot_vga", "1");
    (void)used::device(machine.folder / "drm/card0", "drm");
    (void)used::device(machine.folder / "drm/card0/card0-DP-1", "drm");
    (void)used::device(machine.folder / "graphics/fb0", "graphics");
    (void)used::device(machine.folder / "usb1/1-1/1-1:1.0/0003:046D:C31C.0001/input/input4", "input");
    CHECK(machine.lost() == lines{"the display that the machine started with", "what is drawn on card0",
                                  "console on fb0", "input device input4 is behind it"});
}

TEST_CASE("the plugs of a sound card are no keyboard") {
    const used machine("snd_hda_intel");
    const fs::path card = used::device(machine.folder / "sound/card0", "sound");
    (void)used::device(card / "input7", "input");
    CHECK(machine.lost() == lines{});
}

TEST_CASE("a bridge is never offered") {
    used machine("");
    used::write(machine.folder / "class", "0x060400");
    CHECK(machine.lost() == lines{"a bridge"});
    CHECK(machine.look().commands.empty());
    fs::remove(machine.folder / "class");
    CHECK(machine.lost() == lines{"its class cannot be read (" + machine.folder.string() + "/class)"});
}

TEST_CASE("the other functions of a group are looked at too") {
    used machine;
    machine.kernel.add({.address = "0000:01:00.1", .driver = "e1000e"});
    CHECK(machine.lost() == lines{});
    CHECK(machine.look().commands.find("/0000:01:00.1/driver/unbind") != std::string::npos);
    const fs::path other = machine.sys / "bus/pci/devices/0000:01:00.1";
    used::write(other / "net/eth1/flags", "0x1003");
    CHECK(machine.lost() == lines{"IOMMU group 7 also holds 0000:01:00.1, network interface eth1 is up"});
    used::write(other / "class", "0x060100");
    CHECK(machine.lost() == lines{"IOMMU group 7 also holds 0000:01:00.1, a bridge"});
    machine.kernel.add({.address = "0000:01:00.2", .driver = "pcieport"});
    machine.kernel.add({.address = "0000:01:00.3", .driver = "vfio-pci"});
    CHECK(machine.lost().size() == 1);
}

TEST_CASE("without an IOMMU group nothing is offered") {
    fake_kernel kernel;
    kernel.add({.group = 0, .driver = "nvme"});
    const auto found = vfio::use_of("0000:01:00.0", kernel.root + "/sys", kernel.root + "/proc");
    CHECK(found.lost == lines{"it is in no IOMMU group"});
    CHECK(found.commands.empty());
}

TEST_CASE("opening a function that is in use says what for, and no command") {
    used machine("e1000e");
    used::write(machine.folder / "net/eth0/flags", "0x1003");
    fake_bus bus(machine.kernel.options(), fake_calls{&machine.kernel});
    const auto opened = bus.open("0000:01:00.0");
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::ebusy);
    CHECK(opened.error().text == "0000:01:00.0: it is bound to e1000e, not vfio-pci; it is not to be taken: network "
                                 "interface eth0 is up");
}

TEST_CASE("every function of a machine is listed, in order") {
    used machine;
    machine.kernel.add({.address = "0000:00:02.0", .group = 8, .driver = "vfio-pci"});
    const auto all = vfio::list_machine(machine.sys, machine.kernel.root + "/proc");
    REQUIRE(all.size() == 2);
    CHECK(all[0].address == pci::address("0000:00:02.0"));
    CHECK(all[0].bound());
    CHECK(all[1].lost.empty());
}
