// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/detail/register_access.hpp>
#include <devres/pci/enable.hpp>

/// Some of a mapped BAR.
namespace devres::pci {

namespace detail {

/// Bytes of a mapped BAR; its record, where devres owns it.
template <class Owner, class P, class Driver>
class DEVRES_CONSUMABLE some_of_bar {
public:
    using owner_type = Owner;
    using platform_type = P;
    using driver_type = Driver;

    /// Not trivial, so that an object with a view in it is not plain bytes for the device.
    DEVRES_INLINE some_of_bar(const some_of_bar& other) noexcept
        : dev_(other.dev_), region_(other.region_), offset_(other.offset_), size_(other.size_), record_(other.record_) {
    }
    some_of_bar& operator=(const some_of_bar&) = delete;
    ~some_of_bar() = default;

    /// In bytes.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

protected:
    struct no_record {};
    using record_type = std::conditional_t<std::is_same_v<Owner, managed_t>, list::handle, no_record>;
    friend struct devres::detail::token;
    DEVRES_INLINE some_of_bar(device<P, Driver>& dev, const typename P::region_type& region, std::size_t offset,
                              std::size_t size, record_type record = {}) noexcept
        : dev_(&dev), region_(region), offset_(offset), size_(size), record_(record) {}

    template <class T>
    [[nodiscard]] DEVRES_INLINE T get(std::size_t offset) const noexcept {
        return dev_->platform().template read<T>(region_, offset_ + offset);
    }
    template <class T>
    DEVRES_INLINE void put(std::size_t offset, T value) const noexcept {
        dev_->platform().template write<T>(region_, offset_ + offset, value);
    }

    device<P, Driver>* dev_;
    typename P::region_type region_;
    std::size_t offset_;
    std::size_t size_;
    [[no_unique_address]] record_type record_;
};

}  // namespace detail

/// Registers of a BAR, whose offsets begin with 0: a view. Of a BAR that devres owns, it is as those of the whole; of one that
/// the driver owns, it is good as long as the guard.
template <class Owner, class P, class Driver = void>
class DEVRES_CONSUMABLE bar_part : public detail::register_access<detail::some_of_bar<Owner, P, Driver>> {
    friend struct devres::detail::token;
    using detail::register_access<detail::some_of_bar<Owner, P, Driver>>::register_access;

public:
    /// `size` bytes of these, from `offset`.
    /// @returns a view; `erange` if they are not all there, `einval` if `size` is 0
    [[nodiscard]] result<bar_part> subregion(std::size_t offset, std::size_t size) const noexcept {
        if (size == 0) [[unlikely]]
            return fail(errc::einval);
        if (offset > this->size_ || size > this->size_ - offset) [[unlikely]]
            return fail(errc::erange);
        return bar_part(*this->dev_, this->region_, this->offset_ + offset, size, this->record_);
    }
};

/// For the members of a driver's state: `bar_part_of<Device>`.
template <class Device>
using bar_part_of = bar_part<managed_t, typename Device::platform_type, typename Device::driver_type>;

}  // namespace devres::pci
