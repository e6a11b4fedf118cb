// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <new>

#include <devres/core/detail/exceptions.hpp>
#include <devres/vfio/bus.hpp>

/// How a bus comes by its functions, and parts with them.
namespace devres::vfio {

template <class System>
bool basic_bus<System>::is_open(pci::address where) const noexcept {
    return std::any_of(functions_.begin(), functions_.end(), [&](const auto& f) { return f->address_ == where; });
}

/// The container that groups are put into, where there is none yet.
template <class System>
std::optional<open_error> basic_bus<System>::make_container(const detail::open_errors& errors) {
    if (iommu_)
        return {};
    const std::string path = options_.dev + "/vfio/vfio";
    detail::file<System> container(system_, system_.open(path.c_str(), O_RDWR));
    if (!container)
        return errors.file(path, "vfio", detail::last_error());
    iommu_.use_container(std::move(container), false);
    if (const auto good = iommu_.check_container(); !good) {
        iommu_.close();
        return errors.failed("the kernel's VFIO has no IOMMU of type 1", good.error());
    }
    return {};
}

/// Adds a function to a group, which is opened and put into the container for its first.
template <class System>
std::optional<open_error> basic_bus<System>::enter(unsigned number, std::optional<int> handed,
                                                   const detail::open_errors& errors) {
    for (used_group& known : groups_) {
        if (known.number == number) {
            ++known.functions;
            return {};
        }
    }
    groups_.reserve(groups_.size() + 1);
    const std::string path = options_.dev + "/vfio/" + std::to_string(number);
    detail::file<System> file(system_, handed ? *handed : system_.open(path.c_str(), O_RDWR));
    if (!file)
        return errors.file(path, "vfio-pci", detail::last_error());
    const auto refuse = [&](open_error error) {
        if (handed)
            file.release();
        if (groups_.empty())
            iommu_.close();
        return error;
    };
    vfio_group_status status{};
    status.argsz = sizeof(status);
    if (const auto asked = detail::checked(system_.ioctl(file.get(), VFIO_GROUP_GET_STATUS, &status)); !asked)
        return refuse(errors.failed("the state of group " + std::to_string(number), asked.error()));
    if ((status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0)
        return refuse(errors.not_viable(number, use_of(errors.where(), options_.sysfs, options_.proc, options_.dev)));
    if (const auto none = make_container(errors))
        return refuse(*none);
    if (const auto added = iommu_.add_group(file.get()); !added)
        return refuse(added.error() == errc::eperm
                          ? errors.unsafe_interrupts()
                          : errors.failed("put group " + std::to_string(number) + " into a container", added.error()));
    if (groups_.empty())
        addresses_.set_ranges(iommu_.ranges());
    groups_.push_back({number, std::move(file), 1});
    return {};
}

/// Takes a function from its group; a group without functions is closed, and so is the container without groups.
template <class System>
void basic_bus<System>::leave(std::optional<unsigned> number) noexcept {
    const auto found = std::find_if(groups_.begin(), groups_.end(),
                                    [&](const used_group& known) { return number && known.number == *number; });
    if (found != groups_.end() && --found->functions == 0)
        groups_.erase(found);
    if (groups_.empty() && functions_.empty())
        iommu_.close();
}

template <class System>
auto basic_bus<System>::open(pci::address where) noexcept -> opened {
    return devres::detail::unless_out_of_memory([&]() -> opened {
        const std::scoped_lock hold(lock_);
        const detail::sysfs known(options_.sysfs);
        const detail::open_errors errors(known, where);
        if (is_open(where))
            return std::unexpected(errors.open_here());
        if (!known.has(where))
            return std::unexpected(errors.no_such_function());
        const auto number = known.group(where);
        if (!number)
            return std::unexpected(errors.no_iommu());
        if (!detail::sysfs::is_vfio(known.driver(where)))
            return std::unexpected(errors.other_driver(use_of(where, options_.sysfs, options_.proc, options_.dev)));
#if DEVRES_VFIO_HAS_IOMMUFD
        const auto exists = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
        const std::string name = known.device_file(where);  // also of a kernel that makes no such file
        const std::string file = options_.dev + "/vfio/devices/" + name;
        const bool by_file = options_.prefer_iommufd || !exists(options_.dev + "/vfio/" + std::to_string(*number));
        if (by_file && groups_.empty() && !name.empty() && exists(file))
            return open_by_file(where, file, errors);
#endif
        return open_in_group(where, *number, {}, errors);
    });
}

template <class System>
auto basic_bus<System>::open_group(int group, pci::address where) noexcept -> opened {
    return devres::detail::unless_out_of_memory([&]() -> opened {
        const std::scoped_lock hold(lock_);
        const detail::sysfs known(options_.sysfs);
        const detail::open_errors errors(known, where);
        if (is_open(where))
            return std::unexpected(errors.open_here());
        const auto number = known.group(where);
        if (!number)
            return std::unexpected(errors.no_iommu());
        return open_in_group(where, *number, group, errors);
    });
}

template <class System>
auto basic_bus<System>::open_device(int device, std::optional<int> container) noexcept -> opened {
    return devres::detail::unless_out_of_memory([&]() -> opened {
        const std::scoped_lock hold(lock_);
        const detail::sysfs known(options_.sysfs);
        const detail::open_errors errors(known, "descriptor " + std::to_string(device));
        if (container && iommu_)
            return std::unexpected(errors.failed("take a second container", errc::ebusy));
        detail::file<System> file(system_, device);
        if (container) {
            iommu_.use_container({system_, *container}, true);
            addresses_.set_ranges(iommu_.ranges());
        }
        auto added = add({system_, std::move(file)}, {}, {}, errors);
        // What was not taken over stays open, and the caller's.
        if (!added && container)
            iommu_.release();
        if (added && !container)
            (*added)->reaches_memory_ = false;
        return added;
    });
}

template <class System>
auto basic_bus<System>::open_in_group(pci::address where, unsigned number, std::optional<int> handed,
                                      const detail::open_errors& errors) -> opened {
    if (auto refused = enter(number, handed, errors))
        return std::unexpected(std::move(*refused));
    opening unfinished{this, number};
    const auto entered = std::find_if(groups_.begin(), groups_.end(),
                                      [&](const used_group& g) { return g.number == number; });
    const auto refuse = [&](open_error error) {
        if (handed && entered->functions == 1) {  // the descriptor goes back, out of the container
            iommu_.remove_group(entered->file.get());
            entered->file.release();
        }
        return std::unexpected(std::move(error));
    };
    detail::file<System> device(
        system_, system_.ioctl(entered->file.get(), VFIO_GROUP_GET_DEVICE_FD, const_cast<char*>(where.text().c_str())));
    if (!device)
        return refuse(errors.failed("get the device from group " + std::to_string(number), detail::last_error()));
    auto added = add({system_, std::move(device)}, where, number, errors);
    if (!added)
        return refuse(std::move(added.error()));
    unfinished.bus = nullptr;
    return added;
}

#if DEVRES_VFIO_HAS_IOMMUFD
template <class System>
auto basic_bus<System>::open_by_file(pci::address where, const std::string& path, const detail::open_errors& errors)
    -> opened {
    detail::file<System> device(system_, system_.open(path.c_str(), O_RDWR));
    if (!device)
        return std::unexpected(errors.file(path, "vfio-pci", detail::last_error()));
    opening unfinished{this, {}};
    if (!iommu_) {
        const std::string iommufd = options_.dev + "/iommu";
        detail::file<System> file(system_, system_.open(iommufd.c_str(), O_RDWR));
        if (!file)
            return std::unexpected(errors.file(iommufd, "iommufd", detail::last_error()));
        if (const auto made = iommu_.use_iommufd(std::move(file)); !made)
            return std::unexpected(errors.failed("make an address space", made.error()));
    }
    if (const auto tied = iommu_.add_device(device.get()); !tied)
        return std::unexpected(tied.error() == errc::eperm
                                   ? errors.unsafe_interrupts()
                                   : errors.failed("tie the device to an iommufd", tied.error()));
    if (functions_.empty())
        addresses_.set_ranges(iommu_.ranges());
    auto added = add({system_, std::move(device)}, where, {}, errors);
    if (added)
        unfinished.bus = nullptr;
    return added;
}
#endif

template <class System>
result<> basic_bus<System>::close(function_type& f) noexcept {
    if (f.attached_)
        return fail(errc::ebusy);
    give_up(f);  // waits for a listener, so without the lock that it may want
    const std::scoped_lock hold(lock_);
    const auto found = std::find_if(functions_.begin(), functions_.end(),
                                    [&](const auto& each) { return each.get() == &f; });
    if (found == functions_.end())
        return fail(errc::einval);
    const std::optional<unsigned> group = f.group_;
    const devres::detail::errno_guard keep;
    functions_.erase(found);
    leave(group);
    return {};
}

template <class System>
basic_bus<System>::~basic_bus() {
    loop_.stop();
    for (auto& f : functions_)
        give_up(*f);
    functions_.clear();
    groups_.clear();
}

}  // namespace devres::vfio
