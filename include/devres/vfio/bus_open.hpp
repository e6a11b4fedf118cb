// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <new>

#include <linux/pci_regs.h>

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
        return refuse(errors.not_viable(number));
    if (const auto none = make_container(errors))
        return refuse(*none);
    if (const auto added = iommu_.add_group(file.get()); !added)
        return refuse(added.error() == errc::eperm ? errors.unsafe_interrupts() :
                                                     errors.failed("put group " + std::to_string(number) +
                                                                       " into a container",
                                                                   added.error()));
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
auto basic_bus<System>::open(pci::address where) noexcept -> opened try {
    const std::scoped_lock hold(lock_);
    const detail::sysfs known(options_.sysfs);
    const detail::open_errors errors(known, where);
    if (is_open(where))
        return std::unexpected(errors.open_here());
    if (!known.has(where))
        return std::unexpected(errors.no_such_function());
    if (const std::string driver = known.driver(where); !detail::sysfs::is_vfio(driver))
        return std::unexpected(errors.other_driver(driver));
    const auto number = known.group(where);
    if (!number)
        return std::unexpected(errors.no_iommu());
#if DEVRES_VFIO_HAS_IOMMUFD
    const std::string name = known.device_file(where);
    const bool has_group = ::access((options_.dev + "/vfio/" + std::to_string(*number)).c_str(), F_OK) == 0;
    if (!name.empty() && (options_.prefer_iommufd || !has_group) && groups_.empty())
        return open_by_file(where, options_.dev + "/vfio/devices/" + name, errors);
#endif
    return open_in_group(where, *number, {}, errors);
} catch (const std::bad_alloc&) {
    return std::unexpected(open_error{errc::enomem, {}});
}

template <class System>
auto basic_bus<System>::open_group(int group, pci::address where) noexcept -> opened try {
    const std::scoped_lock hold(lock_);
    const detail::sysfs known(options_.sysfs);
    const detail::open_errors errors(known, where);
    if (is_open(where))
        return std::unexpected(errors.open_here());
    const auto number = known.group(where);
    if (!number)
        return std::unexpected(errors.no_iommu());
    return open_in_group(where, *number, group, errors);
} catch (const std::bad_alloc&) {
    return std::unexpected(open_error{errc::enomem, {}});
}

template <class System>
auto basic_bus<System>::open_device(int device, std::optional<int> container) noexcept -> opened try {
    const std::scoped_lock hold(lock_);
    const detail::sysfs known(options_.sysfs);
    const detail::open_errors errors(known, {});
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
} catch (const std::bad_alloc&) {
    return std::unexpected(open_error{errc::enomem, {}});
}

template <class System>
auto basic_bus<System>::open_in_group(pci::address where, unsigned number, std::optional<int> handed,
                                      const detail::open_errors& errors) -> opened {
    if (auto refused = enter(number, handed, errors))
        return std::unexpected(std::move(*refused));
    opening unfinished{this, number};
    const auto entered = std::find_if(groups_.begin(), groups_.end(), [&](const used_group& g) { return g.number == number; });
    const auto refuse = [&](open_error error) {
        if (handed && entered->functions == 1) {  // the descriptor goes back, out of the container
            iommu_.remove_group(entered->file.get());
            entered->file.release();
        }
        return std::unexpected(std::move(error));
    };
    detail::file<System> device(system_, system_.ioctl(entered->file.get(), VFIO_GROUP_GET_DEVICE_FD,
                                                       const_cast<char*>(where.text().c_str())));
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
        return std::unexpected(tied.error() == errc::eperm ? errors.unsafe_interrupts() :
                                                             errors.failed("tie the device to an iommufd", tied.error()));
    if (functions_.empty())
        addresses_.set_ranges(iommu_.ranges());
    auto added = add({system_, std::move(device)}, where, {}, errors);
    if (added)
        unfinished.bus = nullptr;
    return added;
}
#endif

/// Makes a function of an open device.
template <class System>
auto basic_bus<System>::add(detail::device_file<System> device, pci::address where, std::optional<unsigned> group,
                            const detail::open_errors& errors) -> opened {
    functions_.reserve(functions_.size() + 1);
    std::unique_ptr<function_type> made(new function_type(*this, std::move(device)));
    function_type& f = *made;
    f.address_ = where;
    f.group_ = group;
    const auto refuse = [&](open_error error) {
        if (!group && where == pci::address())
            f.device_.release();  // it was handed in
        return std::unexpected(std::move(error));
    };
    const auto info = f.device_.info();
    if (!info || (info->flags & VFIO_DEVICE_FLAGS_PCI) == 0)
        return refuse(info ? errors.not_pci() : errors.failed("ask what the device is", info.error()));
    f.can_reset_ = (info->flags & VFIO_DEVICE_FLAGS_RESET) != 0;
    if (const auto known = examine(f); !known)
        return refuse(errors.failed("ask what the device has", known.error()));
    if (const auto watched = watch_events(f); !watched) {
        give_up(f);
        return refuse(errors.failed("watch the device's events", watched.error()));
    }
    functions_.push_back(std::move(made));
    return &f;
}

/// What the device is and has.
template <class System>
result<> basic_bus<System>::examine(function_type& f) noexcept {
    const auto space = DEVRES_TRY(f.device_.region(VFIO_PCI_CONFIG_REGION_INDEX));
    f.config_offset_ = space.offset;
    f.config_size_ = space.size;
    const auto word = [&](unsigned offset) { return static_cast<std::uint16_t>(config(f, offset, 2)); };
    f.id_ = {.vendor = word(PCI_VENDOR_ID),
             .device = word(PCI_DEVICE_ID),
             .subsystem_vendor = word(PCI_SUBSYSTEM_VENDOR_ID),
             .subsystem_device = word(PCI_SUBSYSTEM_ID),
             .class_code = config(f, PCI_CLASS_REVISION, 4) >> 8U};
    for (unsigned bar = 0; bar != pci::bar_count; ++bar) {
        const auto layout = DEVRES_TRY(f.device_.region(VFIO_PCI_BAR0_REGION_INDEX + bar));
        const bool io = (config(f, PCI_BASE_ADDRESS_0 + 4 * bar, 4) & PCI_BASE_ADDRESS_SPACE_IO) != 0;
        if (layout.size != 0)
            f.decode_ |= io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    }
    f.intx_ = DEVRES_TRY(f.device_.irq_count(VFIO_PCI_INTX_IRQ_INDEX));
    f.msi_ = DEVRES_TRY(f.device_.irq_count(VFIO_PCI_MSI_IRQ_INDEX));
    f.msix_ = DEVRES_TRY(f.device_.irq_count(VFIO_PCI_MSIX_IRQ_INDEX));
    examine_capabilities(f);
    return {};
}

template <class System>
void basic_bus<System>::examine_capabilities(function_type& f) noexcept {
    if ((config(f, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) == 0)
        return;
    unsigned at = config(f, PCI_CAPABILITY_LIST, 1) & 0xfcU;
    for (unsigned steps = 0; at >= 0x40 && steps != 48; ++steps) {
        const unsigned id = config(f, at, 1);
        if (id == PCI_CAP_ID_PM) {
            f.power_management_ = at;
        } else if (id == PCI_CAP_ID_MSIX) {
            const std::uint32_t table = config(f, at + PCI_MSIX_TABLE, 4);
            const std::uint64_t entries = (config(f, at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1U;
            const std::uint64_t begin = table & PCI_MSIX_TABLE_OFFSET;
            f.msix_table_bar_ = table & PCI_MSIX_TABLE_BIR;
            f.msix_table_ = {begin, begin + entries * PCI_MSIX_ENTRY_SIZE};
        }
        at = config(f, at + 1, 1) & 0xfcU;
    }
}

/// Makes the function's sources, and has the kernel signal those that are not vectors.
template <class System>
result<> basic_bus<System>::watch_events(function_type& f) {
    DEVRES_TRY(loop_.open());
    f.capacity_ = std::max({f.intx_, f.msi_, f.msix_});
    f.vectors_.reset(new typename function_type::vector[f.capacity_]);
    f.eventfds_.resize(f.capacity_);
    f.irq_buffer_.resize(sizeof(vfio_irq_set) + f.capacity_ * sizeof(int));
    f.sources_ = std::make_unique<event_sources>(f.capacity_ + 2);
    for (unsigned i = 0; i != f.capacity_; ++i) {
        f.source(i).owner = &f;
        f.source(i).index = i;
    }
    DEVRES_TRY(watch_event(f, VFIO_PCI_REQ_IRQ_INDEX, f.unplug_source(), f.unplug_eventfd_, &on_unplug));
    DEVRES_TRY(watch_event(f, VFIO_PCI_ERR_IRQ_INDEX, f.error_source(), f.error_eventfd_, &on_error));
    if (options_.handlers == delivery::threaded)
        DEVRES_TRY(loop_.start());
    return {};
}

template <class System>
result<> basic_bus<System>::watch_event(function_type& f, unsigned index, event_source& source,
                                        detail::file<System>& eventfd, pci::irq_entry entry) noexcept {
    if (DEVRES_TRY(f.device_.irq_count(index)) == 0)
        return {};
    detail::file<System> made(system_, DEVRES_TRY(detail::checked(system_.make_eventfd())));
    DEVRES_TRY(loop_.add(source, made.get()));
    eventfd = std::move(made);
    loop_.arm(source, entry, &f);
    DEVRES_TRY(f.device_.signal(index, eventfd.get()));
    return {};
}

/// Nothing is called for the function any more, and the kernel is asked for nothing.
template <class System>
void basic_bus<System>::give_up(function_type& f) noexcept {
    if (f.sources_ == nullptr)
        return;
    const devres::detail::errno_guard keep;
    if (f.unplug_eventfd_)
        f.device_.disable_irqs(VFIO_PCI_REQ_IRQ_INDEX);
    if (f.error_eventfd_)
        f.device_.disable_irqs(VFIO_PCI_ERR_IRQ_INDEX);
    for (unsigned i = 0; i != f.capacity_ + 2; ++i) {
        if (f.source(i).fd < 0)
            continue;
        loop_.disarm(f.source(i));
        loop_.remove(f.source(i));
    }
    loop_.retire(std::move(f.sources_));
}

template <class System>
result<> basic_bus<System>::close(function_type& f) noexcept {
    if (f.attached_)
        return fail(errc::ebusy);
    give_up(f);  // waits for a listener, so without the lock that it may want
    const std::scoped_lock hold(lock_);
    const auto found = std::find_if(functions_.begin(), functions_.end(), [&](const auto& each) { return each.get() == &f; });
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

template <class System>
result<unsigned> basic_bus<System>::poll(int timeout) noexcept {
    DEVRES_TRY(loop_.open());
    return loop_.poll(timeout);
}

template <class System>
pci::irq_return basic_bus<System>::on_unplug(void* self, pci::vector_index) noexcept {
    auto& f = *static_cast<function_type*>(self);
    f.unplug_requested_.store(true);
    f.bus_->tell(f, function_event::unplug_requested);
    return pci::irq_return::handled;
}

template <class System>
pci::irq_return basic_bus<System>::on_error(void* self, pci::vector_index) noexcept {
    auto& f = *static_cast<function_type*>(self);
    f.error_reported_.store(true);
    f.bus_->tell(f, function_event::error);
    return pci::irq_return::handled;
}

/// The listener may close the function: it is the last thing that is done with it.
template <class System>
void basic_bus<System>::tell(function_type& f, function_event what) noexcept {
    std::unique_lock hold(f.listener_lock_);
    const auto listener = f.listener_;
    void* const context = f.listener_context_;
    hold.unlock();
    if (listener != nullptr)
        listener(context, f, what);
}

template <class System>
void basic_bus<System>::listen(function_type& f, event_listener<System> listener, void* context) noexcept {
    {
        const std::scoped_lock hold(f.listener_lock_);
        f.listener_ = listener;
        f.listener_context_ = context;
    }
    loop_.wait_for(f.unplug_source());
    loop_.wait_for(f.error_source());
    if (listener == nullptr)
        return;
    if (f.error_reported_.load())
        listener(context, f, function_event::error);
    if (f.unplug_requested_.load())
        listener(context, f, function_event::unplug_requested);
}

}  // namespace devres::vfio
