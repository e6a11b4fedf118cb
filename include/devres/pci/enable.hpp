// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/attributes.hpp>
#include <devres/core/rule.hpp>
#include <devres/pci/device.hpp>
#include <devres/pci/resources.hpp>

namespace devres::pci {

/// An enabled function: what BARs, vectors and DMA memory are acquired from. Owned by devres, it is a view to
/// be copied at will; owned by the driver, a guard that disables the function when it dies.
template <class Owner, class P, class Driver = void>
class enabled_device;

template <class P, class Driver>
class enabled_device<managed_t, P, Driver> {
public:
    /// A view of nothing.
    enabled_device() noexcept = default;
    explicit enabled_device(device<P, Driver>& dev DEVRES_LIFETIMEBOUND) noexcept : dev_(&dev) {}

    /// The device that is enabled.
    [[nodiscard]] device<P, Driver>& dev() const noexcept { return *dev_; }

private:
    device<P, Driver>* dev_ = nullptr;
};

template <class P, class Driver>
class DEVRES_CONSUMABLE enabled_device<unmanaged_t, P, Driver> {
public:
    /// A guard that owns nothing.
    DEVRES_EMPTY enabled_device() noexcept = default;
    /// Takes over one enable of `dev`.
    [[nodiscard]] explicit enabled_device(device<P, Driver>& dev DEVRES_LIFETIMEBOUND) noexcept : dev_(&dev) {}

    enabled_device(enabled_device&& other) noexcept : dev_(other.dev_) { other.dev_ = nullptr; }
    enabled_device& operator=(enabled_device&& other) noexcept {
        if (this != &other) {
            disable();
            dev_ = other.dev_;
            other.dev_ = nullptr;
        }
        return *this;
    }
    ~enabled_device() { disable(); }

    /// The device that is enabled.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY device<P, Driver>& dev() const noexcept { return *dev_; }

    /// True if the guard disables the function when it dies.
    [[nodiscard]] DEVRES_TRUE_UNLESS_EMPTY explicit operator bool() const noexcept { return dev_ != nullptr; }

private:
    DEVRES_INLINE void disable() noexcept {
        if (dev_ == nullptr)
            return;
        devres::detail::note(*dev_, {.what = resource_event::step::released, .resource = "enable"});
        dev_->platform().disable(dev_->function());
    }

    device<P, Driver>* dev_ = nullptr;
};

namespace detail {

template <class P, class Driver>
void release_enable(void* argument) noexcept {
    auto& dev = *static_cast<device<P, Driver>*>(argument);
    auto& records = device_records<P, Driver>::of(dev);
    if (--records.enables == 0) {
        // Only a group can leave something behind that was acquired from this enable.
        if (records.vectors.record)
            dev.resources().release(records.vectors.record);
        for (auto& bar : records.bars) {
            if (bar.record)
                dev.resources().release(bar.record);
        }
    }
    dev.platform().disable(dev.function());
    devres::detail::note(dev, {.what = resource_event::step::released, .managed = true, .resource = "enable"});
}

}  // namespace detail

/// Enables the function until the driver is unbound: its BARs answer and it may be given vectors. Enables are
/// counted; the function is disabled with the last of them.
/// @returns a view of the enabled device; the platform's error (`enodev` if the device is gone), or `enomem`
/// if the enable cannot be recorded: the function is then as before.
/// @par Linux
/// `pcim_enable_device()` as of 6.11: one record per call, and no flag that changes what other functions mean.
template <class P, class Driver>
    requires rule<owned_by<Driver, enable_t, managed_t>,
                  "devres[D004] pcim_enable_device: the ownership table does not say enable = managed">
[[nodiscard]] result<enabled_device<managed_t, P, Driver>> pcim_enable_device(device<P, Driver>& dev) noexcept {
    if (auto enabled = dev.platform().enable(dev.function()); !enabled) [[unlikely]]
        return fail(enabled.error());
    if (auto record = dev.resources().add(&detail::release_enable<P, Driver>, &dev); !record) [[unlikely]] {
        dev.platform().disable(dev.function());
        return fail(record.error());
    }
    ++detail::device_records<P, Driver>::of(dev).enables;
    devres::detail::note(dev, {.managed = true, .resource = "enable"});
    return enabled_device<managed_t, P, Driver>(dev);
}

/// Enables the function until the guard dies.
/// @returns a guard that disables it; the platform's error (`enodev` if the device is gone): the function is
/// then as before.
/// @par Linux
/// `pci_enable_device()` and, when the guard dies, `pci_disable_device()`
template <class P, class Driver>
    requires rule<owned_by<Driver, enable_t, unmanaged_t>,
                  "devres[D004] pci_enable_device: the ownership table does not say enable = unmanaged">
[[nodiscard]] DEVRES_INLINE result<enabled_device<unmanaged_t, P, Driver>>
pci_enable_device(device<P, Driver>& dev) noexcept {
    if (auto enabled = dev.platform().enable(dev.function()); !enabled) [[unlikely]]
        return fail(enabled.error());
    devres::detail::note(dev, {.resource = "enable"});
    return enabled_device<unmanaged_t, P, Driver>(dev);
}

/// Lets the function send messages (MSI, MSI-X) and DMA. The last disable takes it back.
/// @returns the platform's error.
/// @par Linux
/// `pci_set_master()`, which cannot say that it failed
template <class Owner, class P, class Driver>
result<> pci_set_master(const enabled_device<Owner, P, Driver>& enabled) noexcept {
    return enabled.dev().platform().set_master(enabled.dev().function(), true);
}

/// Stops the function from sending messages and DMA, for instance first thing in remove() (`pci_clear_master()`).
template <class Owner, class P, class Driver>
result<> pci_clear_master(const enabled_device<Owner, P, Driver>& enabled) noexcept {
    return enabled.dev().platform().set_master(enabled.dev().function(), false);
}

}  // namespace devres::pci
