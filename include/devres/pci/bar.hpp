// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/enable.hpp>

namespace devres::pci {

namespace detail {

/// Register access, the same for both owners.
template <class P, class Driver>
class DEVRES_CONSUMABLE bar_registers {
public:
    /// Reads a register: `offset` in bytes from the start of the BAR, a multiple of the register's size and
    /// below `size()`. A device that is gone reads as all ones.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint8_t read8(std::size_t offset) const noexcept {
        return read<std::uint8_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint16_t read16(std::size_t offset) const noexcept {
        return read<std::uint16_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint32_t read32(std::size_t offset) const noexcept {
        return read<std::uint32_t>(offset);
    }
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::uint64_t read64(std::size_t offset) const noexcept {
        return read<std::uint64_t>(offset);
    }

    /// Writes a register, at an offset as for reading. A device that is gone drops it.
    DEVRES_NOT_WHEN_EMPTY void write8(std::size_t offset, std::uint8_t value) const noexcept { write(offset, value); }
    DEVRES_NOT_WHEN_EMPTY void write16(std::size_t offset, std::uint16_t value) const noexcept { write(offset, value); }
    DEVRES_NOT_WHEN_EMPTY void write32(std::size_t offset, std::uint32_t value) const noexcept { write(offset, value); }
    DEVRES_NOT_WHEN_EMPTY void write64(std::size_t offset, std::uint64_t value) const noexcept { write(offset, value); }

    /// The size of the BAR in bytes.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::size_t size() const noexcept { return dev_->platform().bar_size(region_); }

protected:
    bar_registers() noexcept = default;
    bar_registers(device<P, Driver>* dev, const typename P::region_type& region) noexcept
        : dev_(dev), region_(region) {}

    device<P, Driver>* dev_ = nullptr;
    typename P::region_type region_{};

private:
    template <class T>
    [[nodiscard]] T read(std::size_t offset) const noexcept {
        return dev_->platform().template read<T>(region_, offset);
    }
    template <class T>
    void write(std::size_t offset, T value) const noexcept {
        dev_->platform().template write<T>(region_, offset, value);
    }
};

}  // namespace detail

/// A BAR, requested and mapped. Owned by devres, it is a view to be copied at will; owned by the driver, a
/// guard that unmaps it and gives the region back when it dies.
template <class Owner, class P, class Driver = void>
class bar_mapping;

template <class P, class Driver>
class bar_mapping<managed_t, P, Driver> : public detail::bar_registers<P, Driver> {
public:
    /// A view of nothing.
    bar_mapping() noexcept = default;
    bar_mapping(device<P, Driver>& dev DEVRES_LIFETIMEBOUND, const typename P::region_type& region) noexcept
        : detail::bar_registers<P, Driver>(&dev, region) {}
};

template <class P, class Driver>
class DEVRES_CONSUMABLE bar_mapping<unmanaged_t, P, Driver> : public detail::bar_registers<P, Driver> {
public:
    /// A guard that owns nothing.
    DEVRES_EMPTY bar_mapping() noexcept = default;
    /// Takes over a mapping of `dev`'s platform.
    [[nodiscard]] bar_mapping(device<P, Driver>& dev DEVRES_LIFETIMEBOUND,
                              const typename P::region_type& region) noexcept
        : detail::bar_registers<P, Driver>(&dev, region) {}

    bar_mapping(bar_mapping&& other) noexcept : detail::bar_registers<P, Driver>(other.dev_, other.region_) {
        other.dev_ = nullptr;
    }
    bar_mapping& operator=(bar_mapping&& other) noexcept {
        if (this != &other) {
            unmap();
            this->dev_ = other.dev_;
            this->region_ = other.region_;
            other.dev_ = nullptr;
        }
        return *this;
    }
    ~bar_mapping() { unmap(); }

    /// True if the guard unmaps the BAR when it dies.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return this->dev_ != nullptr; }

private:
    DEVRES_INLINE void unmap() noexcept {
        if (this->dev_ == nullptr)
            return;
        devres::detail::note(*this->dev_, {.what = resource_event::step::released, .resource = "bar"});
        this->dev_->platform().unmap_bar(this->dev_->function(), this->region_);
    }
};

namespace detail {

template <class P, class Driver>
void release_bar(void* argument) noexcept {
    auto& bar = *static_cast<bar_record<P, Driver>*>(argument);
    device<P, Driver>& dev = *bar.dev;
    dev.platform().unmap_bar(dev.function(), bar.region);
    const auto number = static_cast<unsigned>(&bar - device_records<P, Driver>::of(dev).bars);
    bar = {};
    devres::detail::note(
        dev, {.what = resource_event::step::released, .managed = true, .resource = "bar", .index = number});
}

}  // namespace detail

/// Requests BAR `Number` under `name` and maps it, until the driver is unbound.
/// @returns a view of the mapping; `einval` if the function has no such BAR, `ebusy` if it is taken, `enomem`
/// if it cannot be mapped or recorded: nothing is requested or mapped then.
/// @par Linux
/// `pcim_iomap_region()`. One mapping of a BAR at a time: the second is refused, as its region is taken.
template <unsigned Number, class Owner, class P, class Driver>
    requires(Number < bar_count) &&
            rule<std::is_same_v<Owner, managed_t>,
                 "devres[D005] a managed BAR needs a device enabled with pcim_enable_device"> &&
            rule<owned_by<Driver, bar_t<Number>, managed_t>,
                 "devres[D004] pcim_iomap_region: the ownership table does not say bar<N> = managed">
[[nodiscard]] result<bar_mapping<managed_t, P, Driver>>
pcim_iomap_region(const enabled_device<Owner, P, Driver>& enabled, const char* name) noexcept {
    device<P, Driver>& dev = enabled.dev();
    auto region = dev.platform().map_bar(dev.function(), bar_number(Number), name);
    if (!region) [[unlikely]]
        return fail(region.error());
    auto& bar = detail::device_records<P, Driver>::of(dev).bars[Number];
    auto record = dev.resources().add(&detail::release_bar<P, Driver>, &bar);
    if (!record) [[unlikely]] {
        dev.platform().unmap_bar(dev.function(), *region);
        return fail(record.error());
    }
    bar.dev = &dev;
    bar.record = *record;
    bar.region = *region;
    devres::detail::note(dev, {.managed = true, .resource = "bar", .index = Number, .name = name});
    return bar_mapping<managed_t, P, Driver>(dev, *region);
}

/// Requests BAR `Number` under `name` and maps it, until the guard dies.
/// @returns a guard that unmaps it; `einval` if the function has no such BAR, `ebusy` if it is taken, `enomem`
/// if it cannot be mapped: nothing is requested or mapped then.
/// @par Linux
/// `pci_request_region()` and `pci_iomap()` in one
template <unsigned Number, class Owner, class P, class Driver>
    requires(Number < bar_count) &&
            rule<owned_by<Driver, bar_t<Number>, unmanaged_t>,
                 "devres[D004] pci_iomap_region: the ownership table does not say bar<N> = unmanaged">
[[nodiscard]] DEVRES_INLINE result<bar_mapping<unmanaged_t, P, Driver>>
pci_iomap_region(const enabled_device<Owner, P, Driver>& enabled, const char* name) noexcept {
    device<P, Driver>& dev = enabled.dev();
    auto region = dev.platform().map_bar(dev.function(), bar_number(Number), name);
    if (!region) [[unlikely]]
        return fail(region.error());
    devres::detail::note(dev, {.resource = "bar", .index = Number, .name = name});
    return bar_mapping<unmanaged_t, P, Driver>(dev, *region);
}

}  // namespace devres::pci
