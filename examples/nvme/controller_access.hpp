// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <devres/devres.hpp>

#include "registers.hpp"

namespace nvme {

namespace pci = devres::pci;
using devres::errc;
using devres::fail;
using devres::result;

/// A controller as its queues see it: its registers, and whether it can still be used. Any thread may call any function.
class controller_access {
public:
    [[nodiscard]] virtual std::uint32_t read32(std::size_t offset) const noexcept = 0;
    virtual void write32(std::size_t offset, std::uint32_t value) const noexcept = 0;

    /// Why nothing more will come from the controller: `enodev`, it is gone; `eio`, it has failed or was stopped.
    [[nodiscard]] std::optional<errc> ended() const noexcept {
        const int why = ended_.load(std::memory_order_acquire);
        return why == 0 ? std::nullopt : std::optional(static_cast<errc>(why));
    }

    /// Nothing more will come from the controller. The first reason counts.
    void end(errc why) noexcept {
        int not_yet = 0;
        ended_.compare_exchange_strong(not_yet, static_cast<int>(why), std::memory_order_acq_rel);
    }

    /// Finds out whether the controller is still there and well, which no interrupt tells.
    void look() noexcept {
        const std::uint32_t status = read32(registers::csts);
        if (status == registers::all_ones)
            end(errc::enodev);
        else if ((status & status_bits::fatal) != 0)
            end(errc::eio);
    }

protected:
    controller_access() = default;
    ~controller_access() = default;

private:
    std::atomic<int> ended_{0};
};

}  // namespace nvme
