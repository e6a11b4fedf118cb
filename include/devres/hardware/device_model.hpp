// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <devres/pci/types.hpp>

namespace devres::hardware {

class function;

/// What a simulated function does: its registers, and when it interrupts or does DMA.
///
/// A model is told of every access to its BARs, except to the MSI-X table and pending bits, which the function
/// has itself. It acts through the function it is given: `raise`, `lower_intx`, `dma_read`, `dma_write`. Hooks
/// may be called on any thread that a driver or a handler runs on, and must not throw.
class device_model {
public:
    virtual ~device_model() = default;

    /// The function is on the bus. Called once, before anything else.
    virtual void attached(function&) {}

    /// The device starts over: power on, function-level reset, a new device in the slot.
    virtual void reset(function&) {}

    /// The device was pulled out.
    virtual void removed(function&) {}

    /// The driver reads `width` bytes (1, 2, 4, 8) at `offset` of a BAR. Without an override: plain memory.
    [[nodiscard]] virtual std::uint64_t read(function& self, pci::bar_number bar, std::uint64_t offset, unsigned width);

    /// The driver writes. Without an override: plain memory.
    virtual void write(function& self, pci::bar_number bar, std::uint64_t offset, unsigned width, std::uint64_t value);
};

}  // namespace devres::hardware
