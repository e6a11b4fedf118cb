// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace devres::hardware {

/// What an operating system keeps beside a function that it has found. The hardware asks it no more than this.
class occupant {
public:
    /// Whether a driver has the function, or something of it: then nobody puts another device into its slot.
    [[nodiscard]] virtual bool in_use() const noexcept = 0;

    /// Appends what is held of the function, a line each, for the ledger: "enabled", "4 MSI-X vectors, irq 24-27". What the
    /// hardware knows by itself, mapped BARs and DMA, is not in it. Any thread may ask.
    virtual void describe(std::vector<std::string>& lines) const = 0;

protected:
    ~occupant() = default;
};

}  // namespace devres::hardware
