// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <linux/vfio.h>
#if __has_include(<linux/iommufd.h>)
#include <linux/iommufd.h>
#endif

#include <devres/pci/types.hpp>
#include <devres/vfio/detail/device_file.hpp>
#include <devres/vfio/detail/iova_space.hpp>
#include <devres/vfio/system.hpp>

/// 1 if the headers of this kernel know iommufd and device files of vfio's (Linux 6.6).
#if defined(IOMMUFD_TYPE) && defined(VFIO_DEVICE_BIND_IOMMUFD)
#define DEVRES_VFIO_HAS_IOMMUFD 1
#else
#define DEVRES_VFIO_HAS_IOMMUFD 0
#endif

namespace devres::vfio::detail {

/// What the devices of a bus reach memory through: a container of groups, or an address space of an iommufd. Both are
/// given devices first and mappings then; the last device takes the mappings with it.
template <class System>
class iommu {
public:
    iommu() noexcept = default;
    explicit iommu(const System& system) noexcept : system_(system) {}

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] bool is_container() const noexcept { return kind_ == kind::container; }

    /// A container that is open, and has an IOMMU if `ready`.
    void use_container(file<System> container, bool ready) noexcept {
        file_ = std::move(container);
        kind_ = kind::container;
        ready_ = ready;
    }
    /// No devices are left.
    void close() noexcept { file_ = {}; }
    /// As close, but the file stays open.
    void release() noexcept { file_.release(); }

    /// Whether it is a container of this version of vfio's, with an IOMMU of the kind that is used here.
    [[nodiscard]] result<> check_container() const noexcept {
        DEVRES_TRY(const int version, checked(system_.ioctl(file_.get(), VFIO_GET_API_VERSION, 0)));
        DEVRES_TRY(const int type1, checked(system_.ioctl(file_.get(), VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU)));
        if (version != VFIO_API_VERSION || type1 == 0)
            return fail(errc::enotsupp);
        return {};
    }

    /// Puts a group into the container; the first one gives it its IOMMU.
    result<> add_group(int group) noexcept {
        int container = file_.get();
        DEVRES_TRY(checked(system_.ioctl(group, VFIO_GROUP_SET_CONTAINER, &container)));
        if (ready_)
            return {};
        if (const auto set = checked(system_.ioctl(file_.get(), VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU)); !set) {
            remove_group(group);
            return fail(set.error());
        }
        ready_ = true;
        return {};
    }
    void remove_group(int group) noexcept {
        const devres::detail::errno_guard keep;
        (void)system_.ioctl(group, VFIO_GROUP_UNSET_CONTAINER, nullptr);
    }

#if DEVRES_VFIO_HAS_IOMMUFD
    /// An iommufd that is open: makes an address space in it.
    result<> use_iommufd(file<System> iommufd) noexcept {
        iommu_ioas_alloc space{};
        space.size = sizeof(space);
        DEVRES_TRY(checked(system_.ioctl(iommufd.get(), IOMMU_IOAS_ALLOC, &space)));
        file_ = std::move(iommufd);
        kind_ = kind::iommufd;
        space_ = space.out_ioas_id;
        return {};
    }
    /// Ties a device's own file to the address space.
    result<> add_device(int device) noexcept {
        vfio_device_bind_iommufd bound{};
        bound.argsz = sizeof(bound);
        bound.iommufd = file_.get();
        DEVRES_TRY(checked(system_.ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bound)));
        vfio_device_attach_iommufd_pt attached{};
        attached.argsz = sizeof(attached);
        attached.pt_id = space_;
        DEVRES_TRY(checked(system_.ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attached)));
        return {};
    }
#endif

    /// Lets the devices read, write, or both, whole pages of memory at `iova`.
    result<> map(void* memory, std::uint64_t size, std::uint64_t iova, pci::dma_direction direction) const noexcept {
        const bool reads = direction != pci::dma_direction::from_device;
        const bool writes = direction != pci::dma_direction::to_device;
#if DEVRES_VFIO_HAS_IOMMUFD
        if (kind_ == kind::iommufd) {
            iommu_ioas_map map{};
            map.size = sizeof(map);
            map.flags = IOMMU_IOAS_MAP_FIXED_IOVA | (reads ? IOMMU_IOAS_MAP_READABLE : 0U) |
                        (writes ? IOMMU_IOAS_MAP_WRITEABLE : 0U);
            map.ioas_id = space_;
            map.user_va = reinterpret_cast<std::uintptr_t>(memory);
            map.length = size;
            map.iova = iova;
            DEVRES_TRY(checked(system_.ioctl(file_.get(), IOMMU_IOAS_MAP, &map)));
            return {};
        }
#endif
        vfio_iommu_type1_dma_map map{};
        map.argsz = sizeof(map);
        map.flags = (reads ? VFIO_DMA_MAP_FLAG_READ : 0U) | (writes ? VFIO_DMA_MAP_FLAG_WRITE : 0U);
        map.vaddr = reinterpret_cast<std::uintptr_t>(memory);
        map.iova = iova;
        map.size = size;
        DEVRES_TRY(checked(system_.ioctl(file_.get(), VFIO_IOMMU_MAP_DMA, &map)));
        return {};
    }
    void unmap(std::uint64_t size, std::uint64_t iova) const noexcept {
        const devres::detail::errno_guard keep;
#if DEVRES_VFIO_HAS_IOMMUFD
        if (kind_ == kind::iommufd) {
            iommu_ioas_unmap unmap{};
            unmap.size = sizeof(unmap);
            unmap.ioas_id = space_;
            unmap.iova = iova;
            unmap.length = size;
            (void)system_.ioctl(file_.get(), IOMMU_IOAS_UNMAP, &unmap);
            return;
        }
#endif
        vfio_iommu_type1_dma_unmap unmap{};
        unmap.argsz = sizeof(unmap);
        unmap.iova = iova;
        unmap.size = size;
        (void)system_.ioctl(file_.get(), VFIO_IOMMU_UNMAP_DMA, &unmap);
    }

    /// The addresses that can be mapped, as far as the kernel says.
    [[nodiscard]] std::vector<iova_space::range> ranges() const {
#if DEVRES_VFIO_HAS_IOMMUFD
        if (kind_ == kind::iommufd)
            return iommufd_ranges();
#endif
        std::vector<iova_space::range> found;
        std::vector<unsigned char> bytes(sizeof(vfio_iommu_type1_info));
        vfio_iommu_type1_info info{};
        for (int attempt = 0; attempt != 2; ++attempt) {  // the second time with room for the capabilities
            info.argsz = static_cast<__u32>(bytes.size());
            std::memcpy(bytes.data(), &info, sizeof(info));
            if (system_.ioctl(file_.get(), VFIO_IOMMU_GET_INFO, bytes.data()) != 0)
                return {};
            std::memcpy(&info, bytes.data(), sizeof(info));
            if (info.argsz <= bytes.size())
                break;
            bytes.resize(info.argsz);
        }
        std::size_t at = (info.flags & VFIO_IOMMU_INFO_CAPS) != 0 ? info.cap_offset : 0;
        capability cap;
        while (at != 0 && at + sizeof(cap) <= bytes.size()) {
            std::memcpy(&cap, bytes.data() + at, sizeof(cap));
            if (cap.header.id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) {
                at += sizeof(cap);
                for (unsigned i = 0; i != cap.count && at + sizeof(vfio_iova_range) <= bytes.size(); ++i) {
                    vfio_iova_range range{};
                    std::memcpy(&range, bytes.data() + at, sizeof(range));
                    found.push_back({range.start, range.end});
                    at += sizeof(range);
                }
                break;
            }
            at = cap.header.next;
        }
        return found;
    }

private:
    enum class kind : unsigned char { container, iommufd };

#if DEVRES_VFIO_HAS_IOMMUFD
    [[nodiscard]] std::vector<iova_space::range> iommufd_ranges() const {
        std::vector<iommu_iova_range> room(64);
        iommu_ioas_iova_ranges ask{};
        ask.size = sizeof(ask);
        ask.ioas_id = space_;
        ask.num_iovas = static_cast<__u32>(room.size());
        ask.allowed_iovas = reinterpret_cast<std::uintptr_t>(room.data());
        std::vector<iova_space::range> found;
        if (system_.ioctl(file_.get(), IOMMU_IOAS_IOVA_RANGES, &ask) == 0) {
            for (std::size_t i = 0; i != ask.num_iovas; ++i)
                found.push_back({room[i].start, room[i].last});
        }
        return found;
    }
    std::uint32_t space_ = 0;
#endif

    [[no_unique_address]] System system_{};
    file<System> file_;
    kind kind_ = kind::container;
    bool ready_ = false;
};

}  // namespace devres::vfio::detail
