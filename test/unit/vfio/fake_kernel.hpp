// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <devres/testing.hpp>
#include <devres/vfio.hpp>

namespace devres::test {

/// The kernel's VFIO, in this process: functions with sysfs folders, group files and interrupts. Descriptors, eventfds, epoll
/// and memory are real; a device's file is a memory file with its regions at the kernel's offsets.
///
/// Each call that a platform makes is a step, except for waiting; the steps that are to fail do, with errno EIO.
class fake_kernel {
public:
    struct device {
        pci::address address = "0000:01:00.0";
        unsigned group = 7;
        std::string driver = "vfio-pci";
        unsigned msix = 4, msi = 2, intx = 1;
        bool tells_events = true;  // has the request and error interrupts
        bool can_reset = true;
        unsigned available = 1000;  // vectors that the machine has
        std::array<std::uint64_t, 6> bars = {0x4000, 0, 0, 0, 0, 0};
        std::vector<vfio_region_sparse_mmap_area> sparse = {};  // of BAR 0
        bool mappable = true;
        unsigned msix_table = 0x2000;  // in BAR 0
        std::string file = "";         // its own, under /dev/vfio/devices

        int memory = -1;
        int descriptor = -1;
        bool gone = false;
        bool bound = false;                                             // to an iommufd
        std::array<std::vector<int>, VFIO_PCI_NUM_IRQS> eventfds = {};  // duplicates
        bool intx_masked = false, intx_asserted = false;
        unsigned resets = 0;
    };

    static constexpr std::uint64_t region_size = std::uint64_t{1} << 40U;

    fake_kernel() {
        std::string name = std::filesystem::temp_directory_path() / "devres-vfio-XXXXXX";
        root = ::mkdtemp(name.data());
        std::filesystem::create_directories(root + "/dev/vfio");
        std::filesystem::create_directories(root + "/sys/bus/pci/devices");
        std::ofstream(root + "/dev/vfio/vfio");
        std::filesystem::create_directories(root + "/proc/self");
        std::ofstream(root + "/proc/self/mountinfo") << "22 1 8:1 / / rw - ext4 /dev/root rw\n";
        std::ofstream(root + "/proc/swaps") << "Filename Type Size Used Priority\n";
    }
    fake_kernel(const fake_kernel&) = delete;
    fake_kernel& operator=(const fake_kernel&) = delete;
    ~fake_kernel() {
        for (device& d : devices) {
            for (auto& fds : d.eventfds)
                drop(fds);
            if (d.memory >= 0)
                ::close(d.memory);
        }
        std::filesystem::remove_all(root);
    }

    /// Puts a function into sysfs.
    device& add(device what) {
        namespace fs = std::filesystem;
        devices.push_back(std::move(what));
        device& d = devices.back();
        const std::string name = d.address.text().c_str();
        const std::string folder = root + "/sys/bus/pci/devices/" + name;
        fs::create_directories(folder + "/msi_irqs");
        std::ofstream(folder + "/vendor") << "0x1b36\n";
        std::ofstream(folder + "/device") << "0x0010\n";
        std::ofstream(folder + "/irq") << "11\n";
        std::ofstream(folder + "/class") << "0x010802\n";
        for (unsigned i = 0; i != d.msix; ++i)
            std::ofstream(folder + "/msi_irqs/" + std::to_string(98 + i));  // of two and of three digits
        if (!d.driver.empty()) {
            fs::create_directories(root + "/sys/bus/pci/drivers/" + d.driver);
            fs::create_symlink(root + "/sys/bus/pci/drivers/" + d.driver, folder + "/driver");
        }
        if (d.group != 0) {
            const std::string group = root + "/sys/kernel/iommu_groups/" + std::to_string(d.group);
            fs::create_directories(group + "/devices/" + name);
            fs::create_symlink(group, folder + "/iommu_group");
            std::ofstream(root + "/dev/vfio/" + std::to_string(d.group));
        }
        if (!d.file.empty()) {
            fs::create_directories(folder + "/vfio-dev/" + d.file);
            fs::create_directories(root + "/dev/vfio/devices");
            std::ofstream(root + "/dev/vfio/devices/" + d.file);
            std::ofstream(root + "/dev/iommu");
        }
        d.memory = ::memfd_create("device", MFD_CLOEXEC);
        if (::ftruncate(d.memory, static_cast<off_t>(VFIO_PCI_NUM_REGIONS * region_size)) != 0)
            std::abort();
        write_capabilities(d);
        return d;
    }

    [[nodiscard]] vfio::bus_options options(vfio::delivery handlers = vfio::delivery::polled) const {
        return {.handlers = handlers,
                .possible_cpus = 2,
                .sysfs = root + "/sys",
                .dev = root + "/dev",
                .proc = root + "/proc"};
    }

    void config(device& d, unsigned offset, unsigned width, std::uint32_t value) const {
        (void)!::pwrite(d.memory, &value, width,
                        static_cast<off_t>(VFIO_PCI_CONFIG_REGION_INDEX * region_size + offset));
    }
    [[nodiscard]] std::uint32_t config(const device& d, unsigned offset, unsigned width) const {
        std::uint32_t value = 0;
        (void)!::pread(d.memory, &value, width,
                       static_cast<off_t>(VFIO_PCI_CONFIG_REGION_INDEX * region_size + offset));
        return value;
    }

    /// The device interrupts. @returns whether anybody is told
    bool raise(device& d, unsigned index, unsigned vector) {
        const std::scoped_lock hold(lock);
        return signal(d, index, vector);
    }
    void assert_intx(device& d, bool asserted) {
        const std::scoped_lock hold(lock);
        d.intx_asserted = asserted;
        service_intx(d);
    }

    /// What is held of the kernel, in words; empty if nothing is.
    [[nodiscard]] std::string held() const {
        const std::scoped_lock hold(lock);
        std::string text;
        for (const auto& [fd, what] : descriptors)
            text += what + "; ";
        if (!memory.empty())
            text += std::to_string(memory.size()) + " mappings; ";
        if (!dma.empty())
            text += std::to_string(dma.size()) + " DMA mappings; ";
        for (const device& d : devices) {
            for (const auto& fds : d.eventfds)
                text += fds.empty() ? "" : "interrupts; ";
        }
        return text;
    }

    mutable std::mutex lock;
    std::string root;
    std::deque<device> devices;
    std::map<int, std::string> descriptors;  // that the platform has open, by what they are
    std::map<void*, std::size_t> memory;     // that it has mapped
    std::map<std::uint64_t, vfio_iommu_type1_dma_map> dma;
    std::set<unsigned> attached;             // groups in the container
    std::map<std::string, int> open_errors;  // by path below /dev
    std::map<unsigned long, int> ioctl_errors;
    std::vector<std::string> steps;
    std::set<std::size_t> failing;  // from 1
    unsigned set_irqs_calls = 0;
    bool viable = true;

    // What fake_calls forwards.

    bool fails(const std::string& step) {
        steps.push_back(step);
        if (!failing.contains(steps.size()))
            return false;
        errno = EIO;
        return true;
    }
    int keep(int fd, const std::string& what) {
        if (fd >= 0)
            descriptors.emplace(fd, what);
        return fd;
    }

    int open(const std::string& path) {
        const std::scoped_lock hold(lock);
        if (fails("open " + path.substr(path.rfind('/') + 1)))
            return -1;
        if (const auto error = open_errors.find(path.substr(root.size())); error != open_errors.end()) {
            errno = error->second;
            return -1;
        }
        if (!std::filesystem::exists(path)) {
            errno = ENOENT;
            return -1;
        }
        for (device& d : devices) {
            if (path == root + "/dev/vfio/devices/" + d.file)
                return open_device(d);
        }
        return keep(::memfd_create("file", MFD_CLOEXEC), path.substr(root.size() + 4));
    }
    int close(int fd) {
        const std::scoped_lock hold(lock);
        for (device& d : devices) {
            if (d.descriptor == fd) {
                d.descriptor = -1;
                for (auto& fds : d.eventfds)
                    drop(fds);
            }
        }
        if (descriptors.erase(fd) != 1)
            std::abort();  // closed twice, or not its own
        return ::close(fd);
    }
    void* map(void* where, std::size_t size, int protection, int flags, int fd, std::uint64_t offset) {
        const std::scoped_lock hold(lock);
        if (fails("map"))
            return MAP_FAILED;
        void* const got = ::mmap(where, size, protection, flags, fd, static_cast<off_t>(offset));
        if (got != MAP_FAILED && (flags & MAP_FIXED) == 0)
            memory.emplace(got, size);
        return got;
    }
    int unmap(void* at, std::size_t size) {
        const std::scoped_lock hold(lock);
        if (memory.erase(at) != 1)
            std::abort();
        return ::munmap(at, size);
    }
    long transfer(int fd, void* data, std::size_t size, std::uint64_t offset, bool to_device) {
        const std::scoped_lock hold(lock);
        if (fails(to_device ? "write" : "read"))
            return -1;
        for (const device& d : devices) {
            if (d.descriptor == fd && d.gone) {
                errno = EIO;
                return -1;
            }
        }
        return to_device ? ::pwrite(fd, data, size, static_cast<off_t>(offset))
                         : ::pread(fd, data, size, static_cast<off_t>(offset));
    }
    int make(int fd, const char* what) {
        const std::scoped_lock hold(lock);
        if (fails(what)) {
            ::close(fd);
            errno = EIO;
            return -1;
        }
        return keep(fd, what);
    }
    int epoll_control(int epoll, int operation, int fd, epoll_event* event) {
        const std::scoped_lock hold(lock);
        return operation == EPOLL_CTL_ADD && fails("epoll_ctl") ? -1 : ::epoll_ctl(epoll, operation, fd, event);
    }

    int ioctl(int fd, unsigned long request, void* argument) {
        const std::scoped_lock hold(lock);
        if (fails("ioctl " + std::to_string(request & 0xffU)))
            return -1;
        if (const auto error = ioctl_errors.find(request); error != ioctl_errors.end()) {
            errno = error->second;
            return -1;
        }
        const std::string what = descriptors.contains(fd) ? descriptors[fd] : "";
        if (what == "/vfio/vfio" || what == "container")
            return container(request, argument);
#if DEVRES_VFIO_HAS_IOMMUFD
        if (what == "/iommu")
            return iommufd(request, argument);
#endif
        if (what.starts_with("/vfio/"))
            return group(static_cast<unsigned>(std::stoul(what.substr(6))), request, argument);
        for (device& d : devices) {
            if (d.descriptor == fd)
                return of_device(d, request, argument);
        }
        errno = EBADF;
        return -1;
    }

private:
    static int error(int number) {
        errno = number;
        return -1;
    }
    static void drop(std::vector<int>& fds) {
        for (const int fd : fds) {
            if (fd >= 0)
                ::close(fd);
        }
        fds.clear();
    }
    static bool signal(device& d, unsigned index, unsigned vector) {
        const auto& fds = d.eventfds[index];
        return vector < fds.size() && fds[vector] >= 0 && ::eventfd_write(fds[vector], 1) == 0;
    }
    static void service_intx(device& d) {
        if (d.intx_asserted && !d.intx_masked && signal(d, VFIO_PCI_INTX_IRQ_INDEX, 0))
            d.intx_masked = true;
    }

    void write_capabilities(device& d) const {
        config(d, PCI_VENDOR_ID, 4, 0x00101b36);
        config(d, PCI_CLASS_REVISION, 4, 0x01080200);
        config(d, PCI_SUBSYSTEM_VENDOR_ID, 4, 0x11001af4);
        config(d, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
        config(d, PCI_CAPABILITY_LIST, 1, 0x40);
        config(d, 0x40, 2, PCI_CAP_ID_PM | 0x50 << 8U);
        config(d, 0x50, 2, PCI_CAP_ID_MSIX);
        config(d, 0x50 + PCI_MSIX_FLAGS, 2, d.msix - 1);
        config(d, 0x50 + PCI_MSIX_TABLE, 4, d.msix_table);
    }

    int container(unsigned long request, void* argument) {
        switch (request) {
        case VFIO_GET_API_VERSION: return VFIO_API_VERSION;
        case VFIO_CHECK_EXTENSION: return 1;
        case VFIO_SET_IOMMU: return 0;
        case VFIO_IOMMU_GET_INFO: {
            auto* const info = static_cast<vfio_iommu_type1_info*>(argument);
            struct {
                vfio::detail::capability cap;
                vfio_iova_range range[2];
            } list = {{{.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, .version = 1, .next = 0}, 2, 0},
                      {{0, 0xfedf'ffff}, {0xfef0'0000, 0xff'ffff'ffff}}};
            const auto needed = static_cast<__u32>(sizeof(*info) + sizeof(list));
            if (info->argsz >= needed) {
                info->flags = VFIO_IOMMU_INFO_CAPS;
                info->cap_offset = sizeof(*info);
                std::memcpy(info + 1, &list, sizeof(list));
            }
            info->argsz = needed;
            return 0;
        }
        case VFIO_IOMMU_MAP_DMA: {
            const auto& map = *static_cast<vfio_iommu_type1_dma_map*>(argument);
            if (map.vaddr % 4096 != 0 || map.iova % 4096 != 0 || map.size % 4096 != 0 || map.size == 0)
                return error(EINVAL);
            return dma.emplace(map.iova, map).second ? 0 : error(EEXIST);
        }
        case VFIO_IOMMU_UNMAP_DMA: {
            const auto& unmap = *static_cast<vfio_iommu_type1_dma_unmap*>(argument);
            const auto found = dma.find(unmap.iova);
            if (found == dma.end() || found->second.size != unmap.size)
                return error(EINVAL);
            dma.erase(found);
            return 0;
        }
        default: return error(ENOTTY);
        }
    }

#if DEVRES_VFIO_HAS_IOMMUFD
    int iommufd(unsigned long request, void* argument) {
        switch (request) {
        case IOMMU_IOAS_ALLOC: static_cast<iommu_ioas_alloc*>(argument)->out_ioas_id = 5; return 0;
        case IOMMU_IOAS_IOVA_RANGES: {
            auto& ask = *static_cast<iommu_ioas_iova_ranges*>(argument);
            *reinterpret_cast<iommu_iova_range*>(ask.allowed_iovas) = {0x20'0000, 0xffff'ffff};
            ask.num_iovas = 1;
            return 0;
        }
        case IOMMU_IOAS_MAP: {
            const auto& map = *static_cast<iommu_ioas_map*>(argument);
            const bool good = map.ioas_id == 5 && map.iova % 4096 == 0 && map.length % 4096 == 0 &&
                              (map.flags & IOMMU_IOAS_MAP_FIXED_IOVA) != 0 &&
                              (map.flags & (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)) != 0;
            if (!good)
                return error(EINVAL);
            const vfio_iommu_type1_dma_map as{
                .argsz = 0,
                .flags = ((map.flags & IOMMU_IOAS_MAP_READABLE) != 0 ? VFIO_DMA_MAP_FLAG_READ : 0U) |
                         ((map.flags & IOMMU_IOAS_MAP_WRITEABLE) != 0 ? VFIO_DMA_MAP_FLAG_WRITE : 0U),
                .vaddr = map.user_va,
                .iova = map.iova,
                .size = map.length};
            return dma.emplace(map.iova, as).second ? 0 : error(EEXIST);
        }
        case IOMMU_IOAS_UNMAP:
            return dma.erase(static_cast<iommu_ioas_unmap*>(argument)->iova) == 1 ? 0 : error(ENOENT);
        default: return error(ENOTTY);
        }
    }
#endif

    int group(unsigned number, unsigned long request, void* argument) {
        switch (request) {
        case VFIO_GROUP_GET_STATUS:
            static_cast<vfio_group_status*>(argument)->flags = viable ? unsigned{VFIO_GROUP_FLAGS_VIABLE} : 0U;
            return 0;
        case VFIO_GROUP_SET_CONTAINER: attached.insert(number); return 0;
        case VFIO_GROUP_UNSET_CONTAINER: attached.erase(number); return 0;
        case VFIO_GROUP_GET_DEVICE_FD:
            for (device& d : devices) {
                if (d.group == number && std::strcmp(d.address.text().c_str(), static_cast<char*>(argument)) == 0)
                    return open_device(d);
            }
            return error(ENODEV);
        default: return error(ENOTTY);
        }
    }

public:
    /// A descriptor for the device, as its group gives one out.
    int open_device(device& d) {
        d.descriptor = keep(::dup(d.memory), "device");
        return d.descriptor;
    }

private:
    [[nodiscard]] static unsigned irq_count(const device& d, unsigned index) {
        const std::array<unsigned, VFIO_PCI_NUM_IRQS> counts = {d.intx, d.msi, d.msix, d.tells_events ? 1U : 0U,
                                                                d.tells_events ? 1U : 0U};
        return counts[index];
    }

    static int of_device(device& d, unsigned long request, void* argument) {
        switch (request) {
        case VFIO_DEVICE_GET_INFO: {
            auto& info = *static_cast<vfio_device_info*>(argument);
            info.flags = VFIO_DEVICE_FLAGS_PCI | (d.can_reset ? VFIO_DEVICE_FLAGS_RESET : 0U);
            info.num_regions = VFIO_PCI_NUM_REGIONS;
            info.num_irqs = VFIO_PCI_NUM_IRQS;
            return 0;
        }
        case VFIO_DEVICE_GET_IRQ_INFO: {
            auto& info = *static_cast<vfio_irq_info*>(argument);
            if (irq_count(d, info.index) == 0 && info.index >= VFIO_PCI_ERR_IRQ_INDEX)
                return error(EINVAL);
            info.flags = VFIO_IRQ_INFO_EVENTFD;
            info.count = irq_count(d, info.index);
            return 0;
        }
        case VFIO_DEVICE_GET_REGION_INFO: return region(d, static_cast<vfio_region_info*>(argument));
        case VFIO_DEVICE_SET_IRQS: return set_irqs(d, *static_cast<vfio_irq_set*>(argument));
        case VFIO_DEVICE_RESET: ++d.resets; return 0;
#if DEVRES_VFIO_HAS_IOMMUFD
        case VFIO_DEVICE_BIND_IOMMUFD:
            d.bound = static_cast<vfio_device_bind_iommufd*>(argument)->iommufd >= 0;
            return 0;
        case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
            return d.bound && static_cast<vfio_device_attach_iommufd_pt*>(argument)->pt_id == 5 ? 0 : error(EINVAL);
#endif
        default: return error(ENOTTY);
        }
    }

    static int region(device& d, vfio_region_info* info) {
        info->offset = info->index * region_size;
        info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
        info->size = info->index < 6 ? d.bars[info->index] : info->index == VFIO_PCI_CONFIG_REGION_INDEX ? 4096 : 0;
        if (info->index >= 6 || info->size == 0 || !d.mappable)
            return 0;
        info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
        if (info->index != 0 || d.sparse.empty())
            return 0;
        info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
        const auto areas = d.sparse.size() * sizeof(d.sparse[0]);
        const auto needed = static_cast<__u32>(sizeof(*info) + sizeof(vfio::detail::capability) + areas);
        if (info->argsz >= needed) {
            const vfio::detail::capability cap{{.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1, .next = 0},
                                               static_cast<__u32>(d.sparse.size()),
                                               0};
            info->cap_offset = sizeof(*info);
            std::memcpy(info + 1, &cap, sizeof(cap));
            std::memcpy(reinterpret_cast<char*>(info + 1) + sizeof(cap), d.sparse.data(), areas);
        }
        info->argsz = needed;
        return 0;
    }

    static int set_irqs(device& d, const vfio_irq_set& set) {
        auto& fds = d.eventfds[set.index];
        const unsigned count = irq_count(d, set.index);
        if (set.start + set.count > count)
            return error(EINVAL);
        if ((set.flags & VFIO_IRQ_SET_ACTION_TRIGGER) == 0) {
            if (set.index != VFIO_PCI_INTX_IRQ_INDEX)
                return error(ENOTTY);
            if (fds.empty())
                return error(EINVAL);
            d.intx_masked = (set.flags & VFIO_IRQ_SET_ACTION_MASK) != 0;
            service_intx(d);
            return 0;
        }
        if (set.count == 0) {
            drop(fds);
            d.intx_masked = false;
            return 0;
        }
        if ((set.flags & VFIO_IRQ_SET_DATA_EVENTFD) == 0) {
            if (fds.empty())
                return error(EINVAL);
            for (unsigned i = set.start; i != set.start + set.count; ++i)
                (void)signal(d, set.index, i);
            return 0;
        }
        if (set.index != VFIO_PCI_ERR_IRQ_INDEX && set.index != VFIO_PCI_REQ_IRQ_INDEX && set.count > d.available)
            return static_cast<int>(d.available);
        drop(fds);
        for (unsigned i = 0; i != set.count; ++i) {
            int fd = -1;
            std::memcpy(&fd, set.data + i * sizeof(int), sizeof(int));
            fds.push_back(::dup(fd));
        }
        service_intx(d);
        return 0;
    }
};

/// The fake kernel as a platform calls it.
struct fake_calls {
    fake_kernel* kernel = nullptr;

    int open(const char* path, int) const noexcept { return kernel->open(path); }
    int close(int fd) const noexcept { return kernel->close(fd); }
    int ioctl(int fd, unsigned long request, void* argument) const noexcept {
        if (request == VFIO_DEVICE_SET_IRQS)
            ++kernel->set_irqs_calls;
        return kernel->ioctl(fd, request, argument);
    }
    int ioctl(int fd, unsigned long request, int) const noexcept { return kernel->ioctl(fd, request, nullptr); }
    void* map(void* where, std::size_t size, int protection, int flags, int fd, std::uint64_t offset) const noexcept {
        return kernel->map(where, size, protection, flags, fd, offset);
    }
    int unmap(void* memory, std::size_t size) const noexcept { return kernel->unmap(memory, size); }
    long read_at(int fd, void* to, std::size_t size, std::uint64_t offset) const noexcept {
        return kernel->transfer(fd, to, size, offset, false);
    }
    long write_at(int fd, const void* from, std::size_t size, std::uint64_t offset) const noexcept {
        return kernel->transfer(fd, const_cast<void*>(from), size, offset, true);
    }
    int make_eventfd() const noexcept { return kernel->make(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"); }
    int make_epoll() const noexcept { return kernel->make(::epoll_create1(EPOLL_CLOEXEC), "epoll"); }
    int epoll_control(int epoll, int operation, int fd, epoll_event* event) const noexcept {
        return kernel->epoll_control(epoll, operation, fd, event);
    }
    int epoll_wait(int epoll, epoll_event* events, int most, int timeout) const noexcept {
        return ::epoll_wait(epoll, events, most, timeout);
    }
};

using fake_bus = vfio::basic_bus<fake_calls>;
using fake_function = fake_bus::function_type;

/// A bus with one function open.
struct fake_fixture {
    fake_kernel kernel;
    fake_kernel::device& hardware = kernel.add({});
    fake_bus bus{kernel.options(), fake_calls{&kernel}};
    fake_function& f = *bus.open("0000:01:00.0").value();

    /// Calls what is to be called. @returns how many
    unsigned poll() { return bus.poll(0).value(); }
};

/// What a handler is registered with: counts, for each vector.
struct vector_counter {
    std::array<std::atomic<unsigned>, 8> interrupts{};

    static pci::irq_return on_irq(void* self, pci::vector_index vector) noexcept {
        ++static_cast<vector_counter*>(self)->interrupts[vector.value()];
        return pci::irq_return::handled;
    }
    pci::irq_action action() noexcept { return {.entry = &on_irq, .context = this, .name = "counter"}; }
    [[nodiscard]] std::vector<unsigned> all(unsigned count) const {
        return std::vector<unsigned>(interrupts.begin(), interrupts.begin() + count);
    }
};

}  // namespace devres::test
