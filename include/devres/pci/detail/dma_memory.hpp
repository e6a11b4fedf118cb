// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/enable.hpp>

namespace devres::pci::detail {

/// What memory that the device reaches has in common, whether a platform allocates it or maps it.
template <class Owner, class Kind, class P, class Driver>
class DEVRES_CONSUMABLE dma_memory : public held<Owner, Kind, P, Driver> {
    friend struct devres::detail::token;

public:
    /// Where the driver finds it.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY void* data() const noexcept { return this->value_.cpu; }
    /// Where the device finds it.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY bus_address address() const noexcept { return this->value_.bus; }
    /// Its size in bytes.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::size_t size() const noexcept { return this->value_.size; }
    /// The device that it is shared with.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY device<P, Driver>& dev() const noexcept { return *this->dev_; }

protected:
    using held<Owner, Kind, P, Driver>::held;
};

}  // namespace devres::pci::detail
