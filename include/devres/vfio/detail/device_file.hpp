// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include <linux/vfio.h>

#include <devres/core/detail/exceptions.hpp>
#include <devres/vfio/system.hpp>

/// A function's file descriptor: its regions and interrupts, as VFIO has them.
namespace devres::vfio::detail {

static_assert(std::endian::native == std::endian::little,
              "<devres/vfio.hpp> is for little-endian processors: it reads registers as PCI has them");

/// The beginning of a capability that is a list, as vfio_region_info_cap_sparse_mmap is.
struct capability {
    vfio_info_cap_header header{};
    __u32 count = 0;
    __u32 reserved = 0;
};

/// A part of a BAR, in bytes from its start.
struct bar_area {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// Where a region of a device is in its file, and which parts of it can be mapped.
struct region_layout {
    std::uint64_t size = 0;
    std::uint64_t offset = 0;
    std::vector<bar_area> mappable;
};

/// An open device of vfio's, and what can be asked of it.
template <class System>
class device_file {
public:
    device_file() noexcept = default;
    device_file(const System& system, file<System> device) noexcept : system_(system), file_(std::move(device)) {}

    [[nodiscard]] int fd() const noexcept { return file_.get(); }
    /// Gives the descriptor up without closing it.
    void release() noexcept { file_.release(); }
    [[nodiscard]] const System& system() const noexcept { return system_; }

    [[nodiscard]] result<vfio_device_info> info() const noexcept {
        vfio_device_info info{};
        info.argsz = sizeof(info);
        DEVRES_TRY(checked(system_.ioctl(fd(), VFIO_DEVICE_GET_INFO, &info)));
        return info;
    }

    /// How many interrupts of a kind there are; 0 where there is no such kind.
    [[nodiscard]] result<unsigned> irq_count(unsigned index) const noexcept {
        vfio_irq_info info{};
        info.argsz = sizeof(info);
        info.index = index;
        if (system_.ioctl(fd(), VFIO_DEVICE_GET_IRQ_INFO, &info) != 0) {
            if (last_error() == errc::einval)
                return 0U;
            return fail(last_error());
        }
        return (info.flags & VFIO_IRQ_INFO_EVENTFD) != 0 ? info.count : 0U;
    }

    /// Where a region is. @returns the system's error, or `enomem`
    [[nodiscard]] result<region_layout> region(unsigned index) const noexcept {
        return devres::detail::unless_out_of_memory([&]() -> result<region_layout> {
            std::vector<unsigned char> bytes(sizeof(vfio_region_info));
            vfio_region_info info{};
            for (int attempt = 0; attempt != 2; ++attempt) {  // the second time with room for the capabilities
                info.argsz = static_cast<__u32>(bytes.size());
                info.index = index;
                std::memcpy(bytes.data(), &info, sizeof(info));
                DEVRES_TRY(checked(system_.ioctl(fd(), VFIO_DEVICE_GET_REGION_INFO, bytes.data())));
                std::memcpy(&info, bytes.data(), sizeof(info));
                if (info.argsz <= bytes.size())
                    break;
                bytes.resize(info.argsz);
            }
            region_layout layout{info.size, info.offset, {}};
            if ((info.flags & VFIO_REGION_INFO_FLAG_MMAP) != 0 && !sparse_areas(bytes, info, layout.mappable))
                layout.mappable.push_back({0, info.size});
            return layout;
        });
    }

    /// Sets interrupts: `action` and `data` are flags of VFIO_IRQ_SET. One call, whatever `count` is.
    /// @returns 0; for vectors of which the machine has too few, how many it has; the system's error
    result<int> set_irqs(unsigned index, unsigned flags, unsigned start, unsigned count, const int* eventfds = nullptr,
                         void* buffer = nullptr) const noexcept {
        vfio_irq_set set{};
        const std::size_t data = eventfds != nullptr ? count * sizeof(int) : 0;
        set.argsz = static_cast<__u32>(sizeof(set) + data);
        set.flags = flags;
        set.index = index;
        set.start = start;
        set.count = count;
        if (data == 0)
            return checked(system_.ioctl(fd(), VFIO_DEVICE_SET_IRQS, &set));
        std::memcpy(buffer, &set, sizeof(set));
        std::memcpy(static_cast<unsigned char*>(buffer) + sizeof(set), eventfds, data);
        return checked(system_.ioctl(fd(), VFIO_DEVICE_SET_IRQS, buffer));
    }
    /// Has one interrupt of a kind signal an eventfd.
    result<int> signal(unsigned index, int eventfd) const noexcept {
        alignas(vfio_irq_set) unsigned char buffer[sizeof(vfio_irq_set) + sizeof(int)];
        return set_irqs(index, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1, &eventfd, buffer);
    }
    /// Gives all interrupts of a kind back.
    void disable_irqs(unsigned index) const noexcept {
        const devres::detail::errno_guard keep;
        (void)set_irqs(index, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0);
    }

    result<> reset() const noexcept {
        DEVRES_TRY(checked(system_.ioctl(fd(), VFIO_DEVICE_RESET, nullptr)));
        return {};
    }

    /// Reads or writes a value of `width` bytes, little-endian as PCI is. @returns false if the device does not answer
    bool read(std::uint64_t offset, unsigned width, void* value) const noexcept {
        const devres::detail::errno_guard keep;
        return system_.read_at(fd(), value, width, offset) == static_cast<long>(width);
    }
    bool write(std::uint64_t offset, unsigned width, const void* value) const noexcept {
        const devres::detail::errno_guard keep;
        return system_.write_at(fd(), value, width, offset) == static_cast<long>(width);
    }

private:
    /// The areas of a region of which only parts can be mapped. @returns false if the kernel names none
    static bool sparse_areas(const std::vector<unsigned char>& bytes, const vfio_region_info& info,
                             std::vector<bar_area>& areas) {
        std::size_t at = (info.flags & VFIO_REGION_INFO_FLAG_CAPS) != 0 ? info.cap_offset : 0;
        capability cap;
        while (at != 0 && at + sizeof(vfio_info_cap_header) <= bytes.size()) {
            std::memcpy(&cap, bytes.data() + at, std::min(sizeof(cap), bytes.size() - at));
            if (cap.header.id == VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
                at += sizeof(cap);
                for (unsigned i = 0; i != cap.count && at + sizeof(vfio_region_sparse_mmap_area) <= bytes.size(); ++i) {
                    vfio_region_sparse_mmap_area area{};
                    std::memcpy(&area, bytes.data() + at, sizeof(area));
                    areas.push_back({area.offset, area.offset + area.size});
                    at += sizeof(area);
                }
                return true;
            }
            at = cap.header.next;
        }
        return false;
    }

    [[no_unique_address]] System system_{};
    file<System> file_;
};

}  // namespace devres::vfio::detail
